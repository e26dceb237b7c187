"""From a table of history to a saved detector, and from there over rows as they come: the command ``detect``."""

import dataclasses
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tsformers import storage
from tsformers.catalog import load_public
from tsformers.errors import JobError, did_you_mean
from tsformers.fdr import SAFFRON, Procedure
from tsformers.jobs.build import build, names_class, procedure_class
from tsformers.jobs.plugins import load_plugins, saved_classes
from tsformers.messages import Either, Option
from tsformers.plotting.alarms import alarm_chart
from tsformers.plotting.axes import off_screen
from tsformers.streaming.latest_decisions import LatestDecisions
from tsformers.streaming.watch import Watched, WatchSettings, watch


@dataclass(frozen=True, kw_only=True)
class ControlChoice:
    """A testing procedure as an operator names it; what is None stays as it was.

    Args:
        name: of a procedure of ``tsformers.fdr``.
        alpha: share of false alarms aimed at.
        decay: of its memory.

    Example:
        >>> ControlChoice(name="LORD", alpha=0.1).decay is None
        True
    """

    name: str | None = None
    alpha: float | None = None
    decay: float | None = None


@dataclass(frozen=True, kw_only=True)
class FitSettings:
    """What a detector is made of.

    Args:
        forecaster: settings of the forecaster, ``horizon`` among them.
        detector: settings of the detector.
        control: the testing procedure; what it leaves open is that of SAFFRON.
        plugins: Python files whose ``FORECASTERS`` may be named.
        seed: of fit and detector.

    Example:
        >>> FitSettings(forecaster={"horizon": 24}).seed
        0
    """

    forecaster: Mapping[str, Any] = field(default_factory=dict)
    detector: Mapping[str, Any] = field(default_factory=dict)
    control: ControlChoice = ControlChoice()
    plugins: Sequence[str | Path] = ()
    seed: int = 0


def described(detector: Any) -> str:
    """What an operator should know of a detector that was just fitted, in one line.

    Args:
        detector: fitted.

    Returns:
        Series, step, season, calibration errors, and the least rate of false alarms.

    Example:
        >>> import pandas as pd
        >>> from tsformers import AnomalyDetector, SeasonalNaive
        >>> history = pd.DataFrame({"unique_id": "a", "ds": range(60), "y": [0.0, 1.0] * 30})
        >>> detector = AnomalyDetector(SeasonalNaive(horizon=1, season_length=2), p_value="predictive").fit(history)
        >>> described(detector).partition(";")[0]
        '1 series, step 1, season_length 2, 20 calibration errors per series'
    """
    panel, season = detector.panel, getattr(detector.forecaster_, "season_", None)
    step, rate = panel.freq if isinstance(panel.freq, int) else f"{panel.freq!r}", detector.quiet_rate
    parts = [f"{panel.n_series:,} series", f"step {step}", f"{detector.errors_:,} calibration errors per series"]
    if season is not None:
        parts.insert(2, f"season_length {season:,}")
    alarms = f"false alarms in normal operation: about {1000 * rate:.2g} of 1,000 rows, if p-values are valid"
    return ", ".join(parts) + "; " + (alarms if rate else "no alarm is possible in normal operation")


def watch_with_saved(
    model: str,
    settings: WatchSettings,
    *,
    control: ControlChoice = ControlChoice(),
    plot: str | Path | None = None,
    plugins: Sequence[str | Path] = (),
    report: Callable[[Watched], object] | None = None,
) -> dict[str, int]:
    """Watch rows with a saved detector: the second command.

    Args:
        model: its folder.
        settings: source, sink and state.
        control: the testing procedure, where it is another one.
        plot: picture to draw of the latest decisions.
        plugins: Python files of the forecaster that it may be made of.
        report: as for ``watch``.

    Returns:
        What became of all rows.

    Raises:
        JobError: no model is named, or it is no detector; and as for ``watch``.
    """
    if not model:
        raise JobError(
            Option("model"),
            " is missing; name the folder of a detector, which ",
            Option("fit"),
            " with ",
            Option("save"),
            " makes",
        )
    detector = load_detector(model, plugins)
    procedure = choose_procedure(control, detector.control)
    if procedure != detector.control:
        detector.set_control(procedure)
    latest = None if plot is None else LatestDecisions(times=detector.read_times)
    counts = watch(detector, settings, model=model, keep=latest, report=report)
    if plot is not None and latest is not None:
        found = latest.frame()
        if found.empty:
            warnings.warn(f"there was no new row that could be drawn, so {plot} was not", UserWarning, stacklevel=2)
        else:
            with off_screen():
                alarm_chart(found).savefig(plot)
    return counts


def make_detector(model: str, settings: FitSettings) -> tuple[Any, bool]:
    """A detector that is not fitted: the first half of an operator's first command.

    Args:
        model: name of a forecaster, which is fitted too, or a folder with one that is fitted.
        settings: what it is made of.

    Returns:
        The detector, and whether its forecaster is fitted.

    Raises:
        JobError: an unknown model, procedure or setting.

    Example:
        >>> settings = FitSettings(forecaster={"horizon": 1, "season_length": 2}, detector={"p_value": "predictive"})
        >>> make_detector("SeasonalNaive", settings)[1]
        False
    """
    control = choose_procedure(settings.control, SAFFRON())
    extra = load_plugins(settings.plugins)
    prefit = "/" in model or (not names_class(model, extra) and Path(model).is_dir())
    if prefit and set(settings.forecaster) - {"horizon"}:
        raise JobError(
            f"{model} is fitted and takes no ",
            Either("settings", "--set"),
            "; leave it out, or name a forecaster to fit",
        )
    if prefit:
        forecaster = storage.load(model, saved_classes(extra))
    elif "horizon" not in settings.forecaster:
        raise JobError(
            Option("horizon"),
            " is missing; give the steps that a forecast reaches, for example ",
            Option("horizon", 24),
        )
    else:
        place, defaults = "forecaster", {"seed": settings.seed}
        forecaster = build(model, settings.forecaster, place=place, defaults=defaults, extra=extra)
    kind: Any = load_public("AnomalyDetector")
    allowed = [*{field.name: None for field in dataclasses.fields(kind)} - {"forecaster": 0, "control": 0}.keys()]
    for key in settings.detector:
        if key not in allowed:
            raise JobError(Option("detector"), f": there is no setting {key!r}; {did_you_mean(key, sorted(allowed))}")
    return kind(forecaster, control, **({"seed": settings.seed} | dict(settings.detector))), prefit


def choose_procedure(choice: ControlChoice, current: Procedure) -> Procedure:
    """The testing procedure that was named; what was left open stays as it is.

    Args:
        choice: name, alpha and decay.
        current: the procedure so far.

    Returns:
        The procedure, ``current`` itself where nothing was named.

    Raises:
        JobError: there is no such procedure, or it has no decay.
        ValueError: it refuses alpha or decay.

    Example:
        >>> choose_procedure(ControlChoice(name="LORD", alpha=0.1), SAFFRON()).alpha
        0.1
    """
    if choice == ControlChoice():
        return current
    kind = type(current) if choice.name is None else procedure_class(choice.name)
    asked = {"alpha": choice.alpha, "decay": choice.decay}
    if kind is not type(current) and not choice.alpha:
        asked["alpha"] = float(current.alpha)  # type: ignore[attr-defined]
    given = {key: value for key, value in asked.items() if value is not None}
    base: Any = current if kind is type(current) else kind()
    if not given.keys() <= {field.name for field in dataclasses.fields(base)}:
        raise JobError(
            f"{type(base).__name__} has no decay; leave ", Option("decay"), " out, or choose LORD, SAFFRON or ADDIS"
        )
    return dataclasses.replace(base, **given)


def load_detector(folder: str, plugins: Sequence[str | Path] = ()) -> Any:
    """A detector that was saved.

    Args:
        folder: where it is saved.
        plugins: Python files of the forecaster that it may be made of.

    Returns:
        The detector.

    Raises:
        JobError: the folder holds something else.
    """
    found = storage.load(folder, saved_classes(load_plugins(plugins)))
    kind: Any = load_public("AnomalyDetector")
    if not isinstance(found, kind):
        raise JobError(
            f"{folder} holds a {type(found).__name__}, which watches nothing yet; make a detector of it first",
            Either(
                ", with AnomalyDetector(forecaster).fit(history, prefit=True)",
                f": tsformers detect --fit HISTORY --model {folder} --save DETECTOR",
            ),
        )
    return found
