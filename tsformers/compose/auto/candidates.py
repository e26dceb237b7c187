"""The candidates of Auto: a ladder of forecasters, cheap ones first, and their names as text."""

import ast
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone

from tsformers.catalog import FORECASTERS, find_class
from tsformers.data.panel import Panel
from tsformers.errors import TsformersError, did_you_mean
from tsformers.messages import Setting
from tsformers.storage.learned_state import has_settings

NAIVE = "SeasonalNaive"
ZERO_SHOT = "Blend(max_steps=0)"
MANDATORY = (NAIVE, ZERO_SHOT)  # whatever the limit
LADDER = (
    NAIVE,
    "Theta",
    ZERO_SHOT,
    "Theta(method=dynamic)",
    "Intermittent",
    "Blend",
    "AutoETS",
    "AutoARIMA",
    "Linear",
    "LRU",
    "Blend(members=2)",
    "Autoformer",
)
OF_COUNTS = ("Intermittent",)
LEAST_ZEROS = 0.1  # share of zeros from which whole numbers are forecast as intermittent counts
LEAST_WINDOWS = {
    "Blend": 500,
    "Linear": 1_000,
    "LRU": 1_000,
    "Autoformer": 1_000,
}  # of training, below which: not tried


@dataclass(frozen=True, kw_only=True)
class Common:
    """Settings that Auto gives to every candidate that has them and does not set them.

    Args:
        horizon: H.
        season_length: rows of one season; None: by frequency.
        n_jobs: threads or processes of local models.
        seed: from which that of each candidate is hashed.

    Example:
        >>> Common(horizon=3, season_length=None, n_jobs=1, seed=0).seed
        0
    """

    horizon: int
    season_length: int | None
    n_jobs: int | None
    seed: int


class Candidate(NamedTuple):
    """A forecaster that may become a member: its name, as ``models=`` takes it, and the model, not fitted."""

    name: str
    model: Any
    common: Common | None = None  # of a name whose ``max_steps`` are left open: fewer are tried where time is short

    @property
    def steps(self) -> bool:
        """Whether fewer steps of training may be tried."""
        return self.common is not None


def seed_of(seed: int, name: str) -> int:
    """The seed of a candidate, a function of Auto's own and the candidate's name alone.

    Args:
        seed: of Auto.
        name: of the candidate.

    Returns:
        A whole number below 2**31.

    Example:
        >>> seed_of(0, "Theta") == seed_of(0, "Theta"), seed_of(0, "Theta") == seed_of(0, "LRU")
        (True, False)
    """
    return int.from_bytes(hashlib.sha256(f"{seed}\0{name}".encode()).digest()[:4], "little") >> 1


def parsed(text: str) -> tuple[str, dict[str, Any]]:
    """The class and the settings in a text such as ``"Theta(method=dynamic)"``; values are literals, or bare words.

    Args:
        text: the name of a class, with settings in brackets where there are some.

    Returns:
        The name, and values by setting.

    Raises:
        TsformersError: another form of text.

    Example:
        >>> parsed("LRU(max_steps=300, scaler='robust')")
        ('LRU', {'max_steps': 300, 'scaler': 'robust'})
        >>> parsed("Theta(method=dynamic)")
        ('Theta', {'method': 'dynamic'})
    """
    try:
        found = ast.parse(text.strip(), mode="eval").body
        if isinstance(found, ast.Name):
            return found.id, {}
        if isinstance(found, ast.Call) and isinstance(found.func, ast.Name) and not found.args:
            return found.func.id, {str(word.arg): _value(word.value) for word in found.keywords}
    except (SyntaxError, ValueError):
        pass
    raise TsformersError(
        f"{text!r} names no forecaster; write its class, with settings in brackets where needed: ",
        Setting("models", ["Theta(method=dynamic)"]),
    )


def _value(node: ast.expr) -> Any:
    return node.id if isinstance(node, ast.Name) else ast.literal_eval(node)


def _text(value: Any) -> str:
    """A value as ``parsed`` reads it, without quotes where it needs none: names go into shells."""
    is_word = isinstance(value, str) and value.isidentifier() and value not in ("True", "False", "None")
    return value if is_word else repr(value)


def named(text: str, **settings: Any) -> str:
    """The text of a candidate with further settings.

    Args:
        text: as ``parsed`` reads it.
        **settings: to add or to replace.

    Returns:
        A text that ``parsed`` reads.

    Example:
        >>> named("Blend(members=3)", max_steps=200)
        'Blend(members=3, max_steps=200)'
    """
    name, own = parsed(text)
    words = ", ".join(f"{key}={_text(value)}" for key, value in (own | settings).items())
    return f"{name}({words})" if words else name


def made(model: str | Any, common: Common, name: str = "") -> Candidate:
    """A candidate from a name or an object, with the common settings that it leaves open.

    Args:
        model: a text as ``parsed`` reads it, or a forecaster, which is copied.
        common: settings of Auto.
        name: of an object; "": that of its class.

    Returns:
        The candidate.

    Raises:
        TsformersError: no such forecaster or setting, or an object of another horizon.

    Example:
        >>> common = Common(horizon=3, season_length=7, n_jobs=1, seed=0)
        >>> made("Theta(season_length=4)", common).model.season_length, made("Theta", common).model.season_length
        (4, 7)
    """
    if not isinstance(model, str):
        return _copied(model, common, name or type(model).__name__)
    kind_name, own = parsed(model)
    try:
        kind: Any = find_class(kind_name)
    except KeyError as error:
        raise TsformersError(f"{error.args[0]}; {did_you_mean(kind_name, FORECASTERS)}") from None
    name = named(model)
    offered = {"season_length": common.season_length, "n_jobs": common.n_jobs, "verbose": False}
    offered |= {"seed": seed_of(common.seed, name)}
    try:
        bare = kind(horizon=common.horizon, **own)
    except TypeError as error:
        raise TsformersError(f"{model!r}: {error}") from None
    settings = bare.get_params(deep=False) if has_settings(bare) else {}
    ready = kind(horizon=common.horizon, **{key: offered[key] for key in offered if key in settings} | own)
    is_open = "max_steps" in settings and "max_steps" not in own
    return Candidate(name, ready, common if is_open else None)


def with_steps(candidate: Candidate, steps: int) -> Candidate:
    """The same candidate with other steps of training, which its name then says.

    Args:
        candidate: one whose ``steps`` are open.
        steps: of training.

    Returns:
        A candidate, with the seed of its new name.

    Example:
        >>> with_steps(made("LRU", Common(horizon=3, season_length=7, n_jobs=1, seed=0)), 100).name
        'LRU(max_steps=100)'
    """
    assert candidate.common is not None
    return made(named(candidate.name, max_steps=steps), candidate.common)


def _copied(model: Any, common: Common, name: str) -> Candidate:
    """An object of the caller's, whose own settings stay but for open seeds and progress bars."""
    if getattr(model, "horizon", common.horizon) != common.horizon:
        raise TsformersError(f"{name} forecasts {model.horizon} steps and Auto {common.horizon}; set the same in both")
    if not has_settings(model):
        return Candidate(name, model)
    ready = clone(model, safe=False)
    settings = ready.get_params(deep=True)
    last = {key: key.rpartition("__")[2] for key in settings}
    ready.set_params(
        **{
            key: seed_of(common.seed, f"{name} {key}")
            for key in settings
            if last[key] == "seed" and not _given(settings[key])
        },
        **{key: False for key in settings if last[key] == "verbose"},
    )
    return Candidate(name, ready)


def _given(value: Any) -> bool:
    return value is not None


def names_of(models: Sequence[Any]) -> list[str]:
    """A name for each entry of ``models=``, each once: numbered where classes of objects repeat.

    Args:
        models: names and forecasters.

    Returns:
        As many names.

    Raises:
        TsformersError: a name that stands there twice.

    Example:
        >>> from tsformers import Theta
        >>> names_of(["Theta(theta=3)", Theta(horizon=1), Theta(horizon=1)])
        ['Theta(theta=3)', 'Theta', 'Theta 2']
    """
    found: list[str] = []
    for model in models:
        name = named(model) if isinstance(model, str) else type(model).__name__
        if name in found and isinstance(model, str):
            raise TsformersError(f"models names {name} twice; give it other settings, or leave one out")
        number = 2
        plain = name
        while name in found:
            name, number = f"{plain} {number}", number + 1
        found.append(name)
    return found


def are_counts(panel: Panel) -> bool:
    """Whether the values of a panel are whole numbers of 0 or more, a tenth of them zeros or more.

    Args:
        panel: N series.

    Returns:
        True or False.

    Example:
        >>> import pandas as pd
        >>> are_counts(Panel.from_frame(pd.Series([0.0, 2.0, 0.0, 1.0])))
        True
    """
    y = panel.y[np.isfinite(panel.y)]
    return bool(len(y) and (y >= 0).all() and (y == np.rint(y)).all() and (y == 0).mean() >= LEAST_ZEROS)


def ladder(panel: Panel, horizon: int) -> list[str]:
    """The names of the ladder that fit the data: Intermittent for counts, networks where there is enough to train on.

    Args:
        panel: N series.
        horizon: H.

    Returns:
        Names, cheap ones first.

    Example:
        >>> import pandas as pd
        >>> ladder(Panel.from_frame(pd.Series(range(60))), 4)[:2]
        ['SeasonalNaive', 'Theta']
    """
    windows = int(np.maximum(panel.lengths - 3 * horizon, 0).sum())
    found = []
    for text in LADDER:
        kind, _ = parsed(text)
        if kind not in FORECASTERS or (kind in OF_COUNTS and not are_counts(panel)):
            continue
        if text != ZERO_SHOT and windows < LEAST_WINDOWS.get(kind, 0):
            continue
        found.append(text)
    return found
