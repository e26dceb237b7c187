"""From a table of history to a detector in a folder, and from there over rows that come in: the command ``detect``."""

import dataclasses
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tsformers.fdr
from tsformers import storage
from tsformers.catalog import PROCEDURES, load_public
from tsformers.data.files.table_files import read_table
from tsformers.errors import JobError, did_you_mean
from tsformers.fdr import Procedure
from tsformers.fdr.procedure import find_procedure
from tsformers.jobs.build import build, load_plugins
from tsformers.plotting.alarms import alarm_chart
from tsformers.streaming.watch import Latest, watch

Control = tuple[str | None, float | None, float | None]  # name, alpha, decay; None: as it was


def make(file: str, model: str, save: str | Path | None, *, control: Control, **how: Any) -> str:
    """Fit a detector and keep it in a folder: the first of an operator's two commands.

    Args:
        file: table of history.
        model: as for ``fit_detector``.
        save: the folder.
        control: of the testing procedure.
        **how: the other arguments of ``fit_detector``.

    Returns:
        A line about what was made.

    Raises:
        JobError: no folder is named.
    """
    if save is None:
        raise JobError("--fit makes a detector and --save keeps it; say where, for example --save d/")
    procedure = find_control(*control, tsformers.fdr.SAFFRON())
    detector = fit_detector(file, model, control=procedure, **how)
    detector.save(save)
    return described(detector)


def described(detector: Any) -> str:
    """What an operator should know of a detector that was just fitted, in one line.

    Args:
        detector: fitted.

    Returns:
        Series, step, season, errors learned, and the least rate of false alarms.
    """
    panel, season = detector.panel, getattr(detector.forecaster_, "season_", None)
    step, rate = panel.freq if isinstance(panel.freq, int) else f"{panel.freq!r}", detector.quiet_rate
    parts = [f"{panel.n_series:,} series", f"step {step}", f"{detector.errors_:,} errors held back of each"]
    if season is not None:
        parts.insert(2, f"season_length {season:,}")
    alarms = f"false alarms in quiet times: about {1000 * rate:.2g} of 1,000 rows, if p-values are honest"
    return ", ".join(parts) + "; " + (alarms if rate else "no alarm is possible in quiet times")


def run(
    model: str, source: str, sink: str, *, control: Control, plot: str | Path | None, plugins: Sequence[str | Path],
    **how: Any,
) -> dict[str, int]:  # fmt: skip
    """Watch rows with a detector that was kept: the second command.

    Args:
        model: its folder.
        source: as for ``watch``.
        sink: as for ``watch``.
        control: of the testing procedure.
        plot: picture to draw of the latest decisions.
        plugins: Python files whose ``FORECASTERS`` it may be made of.
        **how: the other arguments of ``watch``.

    Returns:
        What became of all rows.

    Raises:
        JobError: no model is named.
    """
    if not model:
        raise JobError("--model is missing; name the folder of a detector, which --fit HISTORY --save FOLDER makes")
    detector = load_detector(model, plugins)
    procedure = find_control(*control, detector.control)
    if procedure != detector.control:
        detector.set_control(procedure)
    latest = None if plot is None else Latest(times=detector.read_times)
    counts = watch(detector, source=source, sink=sink, model=model, keep=latest, **how)
    if plot is not None and latest is not None:
        found = latest.frame()
        if found.empty:
            warnings.warn(f"there was no new row that could be drawn, so {plot} was not", UserWarning, stacklevel=2)
        else:
            alarm_chart(found).savefig(plot)
    return counts


def fit_detector(
    file: str,
    model: str,
    *,
    settings: Mapping[str, Any],
    watching: Mapping[str, Any],
    control: Procedure,
    roles: Mapping[str, Any],
    plugins: Sequence[str | Path] = (),
    seed: int = 0,
    format: str | None = None,
) -> Any:
    """A detector fitted to a table of history.

    Args:
        file: the table; "-" is standard input.
        model: name of a forecaster, which is fitted too, or a folder with one that is fitted.
        settings: of the forecaster, ``horizon`` among them.
        watching: settings of the detector.
        control: the testing procedure.
        roles: keywords of ``Panel.from_frame``; None values are left out.
        plugins: Python files whose ``FORECASTERS`` may be named.
        seed: of fit and detector.
        format: of ``file``; None = by suffix or first bytes.

    Returns:
        The fitted detector.

    Raises:
        JobError: an unknown model or setting.
        DataError: the table cannot be used.
    """
    extra = load_plugins(plugins)
    given = {key: value for key, value in roles.items() if value is not None}
    named = {key: given[key] for key in ("id_col", "time_col") if key in given}
    prefit = Path(model).is_dir() or "/" in model
    if prefit and set(settings) - {"horizon"}:
        raise JobError(f"{model} is fitted and takes no --set; leave it out, or name a forecaster to fit")
    if prefit:
        forecaster = storage.load(model, extra)
    elif "horizon" not in settings:
        raise JobError("--horizon is missing; say how many steps a forecast reaches, for example --horizon 24")
    else:
        forecaster = build(model, settings, place="--model and --set", defaults={"seed": seed}, extra=extra)
    kind: Any = load_public("AnomalyDetector")
    allowed = [*{field.name: None for field in dataclasses.fields(kind)} - {"forecaster": 0, "control": 0}.keys()]
    for key in watching:
        if key not in allowed:
            raise JobError(f"--detector: there is no setting {key!r}; {did_you_mean(key, sorted(allowed))}")
    detector = kind(forecaster, control, **({"seed": seed} | dict(watching)))
    return detector.fit(read_table(file, format, **named), prefit=prefit, **given)


def find_control(name: str | None, alpha: float | None, decay: float | None, before: Procedure) -> Procedure:
    """A testing procedure by name and rate; what is not said stays as it was.

    Args:
        name: of a procedure of ``tsformers.fdr``.
        alpha: share of false alarms aimed at.
        decay: of its memory.
        before: what there was.

    Returns:
        The procedure, ``before`` itself where nothing is said.

    Raises:
        JobError: there is no such procedure.
        ValueError: it refuses alpha or decay.

    Example:
        >>> find_control("LORD", 0.1, None, tsformers.fdr.SAFFRON()).alpha
        0.1
    """
    if name is None and alpha is None and decay is None:
        return before
    if name is not None and name not in PROCEDURES:
        raise JobError(f"there is no procedure {name!r}; {did_you_mean(name, sorted(PROCEDURES))}")
    same = name is None or name == type(before).__name__
    asked = {"alpha": alpha, "decay": decay} if same else {"alpha": alpha or _alpha(before), "decay": decay}
    said = {key: value for key, value in asked.items() if value is not None}
    kind: Any = find_procedure(str(name))
    base: Any = before if same else kind()
    if not said.keys() <= {field.name for field in dataclasses.fields(base)}:
        raise JobError(f"{type(base).__name__} has no decay; leave --decay out, or choose LORD, SAFFRON or ADDIS")
    return dataclasses.replace(base, **said)


def _alpha(procedure: Any) -> float:
    return float(procedure.alpha)


def load_detector(folder: str, plugins: Sequence[str | Path] = ()) -> Any:
    """A detector that was saved.

    Raises:
        JobError: the folder holds something else.
    """
    found = storage.load(folder, load_plugins(plugins))
    kind: Any = load_public("AnomalyDetector")
    if not isinstance(found, kind):
        raise JobError(
            f"{folder} holds a {type(found).__name__}, which watches nothing yet; make a detector of it first: "
            f"tsformers detect --fit HISTORY --model {folder} --save DETECTOR"
        )
    return found
