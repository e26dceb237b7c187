"""From a table of history to a detector in a folder, and from there over rows that come in: the command ``detect``."""

import dataclasses
import signal
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

import tsformers.fdr
from tsformers import storage
from tsformers.anomaly.chart import alarm_chart
from tsformers.catalog import load_public
from tsformers.errors import JobError
from tsformers.fdr import Procedure
from tsformers.jobs.lines import Batch, Sink, Source, open_sink, open_source
from tsformers.jobs.models import build, load_plugins
from tsformers.jobs.redis_streams import Address, RedisSink, RedisSource
from tsformers.jobs.shipped import did_you_mean
from tsformers.jobs.states import fingerprint, read_state, write_state
from tsformers.tables import SUFFIXES, read_table

FORMAT = 1
DRAWN = 20_000  # latest decisions that a picture is made of
PIECE = 1000  # rows answered at once


Control = tuple[str | None, float | None, float | None]  # name, alpha, decay; None: as it was


def make(file: str, model: str, save: str | Path | None, *, control: Control, **how: Any) -> None:
    """Fit a detector and keep it in a folder: the first of an operator's two commands.

    Args:
        file: table of history.
        model: as for ``fit_detector``.
        save: the folder.
        control: of the testing procedure.
        **how: the other arguments of ``fit_detector``.

    Raises:
        JobError: no folder is named.
    """
    if save is None:
        raise JobError("--fit makes a detector and --save keeps it; say where, for example --save d/")
    procedure = find_control(*control, tsformers.fdr.SAFFRON())
    fit_detector(file, model, control=procedure, **how).save(save)


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
    latest = None if plot is None else Latest()
    counts = watch(detector, source=source, sink=sink, model=model, keep=latest, **how)
    if plot is not None and latest is not None:
        alarm_chart(latest.frame()).savefig(plot)
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
    kinds = {kind.__name__: kind for kind in Procedure.__subclasses__()}
    if name is not None and name not in kinds:
        raise JobError(f"there is no procedure {name!r}; {did_you_mean(name, sorted(kinds))}")
    same = name is None or name == type(before).__name__
    asked = {"alpha": alpha, "decay": decay} if same else {"alpha": alpha or _alpha(before), "decay": decay}
    said = {key: value for key, value in asked.items() if value is not None}
    base: Any = before if same else kinds[str(name)]()
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


def watch(
    detector: Any,
    *,
    source: str = "-",
    sink: str = "-",
    model: str | None = None,
    state: str | Path | None = None,
    every: int = 10_000,
    follow: bool = False,
    idle: float | None = None,
    alarms_only: bool = False,
    format: str | None = None,
    input_format: str | None = None,
    keep: Callable[[Any], object] | None = None,
) -> dict[str, int]:
    """Answer rows as they come, and keep the state so that a crash costs nothing.

    After every ``every`` rows, and at the end, decisions are handed over first, then the state replaces the one before
    in one rename, then a Redis source is told. Begun again with the same state and input, after whatever ended it, it
    goes on behind the last state kept: rows answered since are answered again, alike, under the same row numbers.

    Args:
        detector: fitted; it is changed.
        source: file, "-" for standard input, or the address of a Redis stream.
        sink: likewise, for decisions.
        model: the folder of the detector, so that a state is not gone on from with another.
        state: file to go on from, if it is there, and to keep the state in.
        every: rows between two states.
        follow: at the end of a file wait for more.
        idle: seconds without a row after which to end; None: never.
        alarms_only: only decisions that are alarms are handed over.
        format: of decisions: "jsonl", "csv" or "parquet"; None: by suffix, else as the input.
        input_format: of rows; None: by suffix, else by the first byte.
        keep: is handed every decision.

    Returns:
        What became of all rows since ``fit``, see ``AnomalyDetector.counts``.

    Raises:
        JobError: the state is of another detector, or source and sink cannot be used.
    """
    belongs = {"format": FORMAT, "model": None if model is None else fingerprint(model)}
    page = None if state is None else read_state(state)
    mark, done, resumed = None, 0, None
    if page is not None:
        if {key: page.get(key) for key in belongs} != belongs:
            raise JobError(f"{state} is the state of another detector; remove it to begin anew, or name its model")
        mark, done, resumed = page["mark"], page["rows"], page["output"]
        detector.state = page["detector"]
    rows = _source(source, detector, input_format, follow, idle)
    since = 0
    with closing(rows), _stopping() as stopped:
        out = _sink(sink, detector, format or _format_of(source, input_format), resumed, keeps=state is not None)
        with closing(out):
            for batch in rows.batches(mark, done):
                for names, given, marks in _pieces(batch, every, since):
                    decisions = detector.update_many(given)
                    told = [said for said in zip(names, decisions, strict=True) if said[1].anomaly or not alarms_only]
                    out.write([name for name, _ in told], [said for _, said in told])
                    if keep is not None:
                        for said in decisions:
                            keep(said)
                    mark, done, since = marks[-1], done + len(names), since + len(names)
                    if since >= every:
                        since = 0
                        _checkpoint(detector, rows, out, state, belongs, mark, done)
                if stopped():
                    break
            if mark is not None:
                _checkpoint(detector, rows, out, state, belongs, mark, done)
        if stopped() == signal.SIGINT:
            raise KeyboardInterrupt
    return detector.counts


def _checkpoint(
    detector: Any,
    rows: Source,
    out: Sink,
    state: str | Path | None,
    belongs: Mapping[str, Any],
    mark: int | str,
    done: int,
) -> None:
    """Decisions are out; then the state is kept; then the source may forget."""
    place = out.place()
    if state is not None:
        page = {**belongs, "mark": mark, "rows": done, "output": place, "detector": detector.snapshot()}
        write_state(page, state)
    rows.settle(mark)


def _pieces(batch: Batch, every: int, since: int) -> Iterator[tuple[Any, Any, Any]]:
    """A batch in pieces that end where a state is due."""
    begin, total = 0, len(batch.rows)
    while begin < total:
        end = min(total, begin + min(PIECE, every - since))
        yield batch.names[begin:end], batch.rows[begin:end], batch.marks[begin:end]
        since = (since + end - begin) % every
        begin = end


@contextmanager
def _stopping() -> Iterator[Callable[[], int]]:
    """SIGTERM and Ctrl-C end the work after the rows at hand; a second one ends it at once."""
    seen: list[int] = []

    def note(number: int, _: Any) -> None:
        if seen:
            raise KeyboardInterrupt
        seen.append(number)

    before: dict[int, Any] = {}
    try:
        for number in (int(signal.SIGTERM), int(signal.SIGINT)):
            before[number] = signal.signal(number, note)
    except ValueError:  # not the main thread: signals are somebody else's
        pass
    try:
        yield lambda: seen[0] if seen else 0
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _source(text: str, detector: Any, format: str | None, follow: bool, idle: float | None) -> Source:
    panel = detector.panel
    typed, id_col = _typed(panel.ids), panel.schema.id_col
    if text.startswith(("redis://", "rediss://")):
        return RedisSource(Address.read(text), idle=idle, typed=typed, id_col=id_col)
    return open_source(text, format, follow=follow, idle=idle, typed=typed, id_col=id_col)  # type: ignore[arg-type]


def _sink(text: str, detector: Any, format: str, resumed: int | None, *, keeps: bool) -> Sink:
    schema = detector.panel.schema
    columns = (schema.id_col, schema.time_col, schema.target_col)
    if text.startswith(("redis://", "rediss://")):
        return RedisSink(Address.read(text), columns)
    chosen = SUFFIXES.get(Path(text).suffix.lower(), format) if text != "-" else format
    return open_sink(text, chosen, columns, resumed, keeps=keeps)  # type: ignore[arg-type]


def _format_of(source: str, format: str | None) -> str:
    """Decisions look like the rows, as far as can be told before the first; else JSON lines."""
    found = format or SUFFIXES.get(Path(source).suffix.lower())
    return "csv" if found == "csv" else "jsonl"


def _typed(ids: pd.Index) -> Callable[[str], Any]:
    """What an id's text means, by the ids that ``fit`` has seen."""
    make: Callable[[str], Any] = {"i": int, "u": int, "f": float}.get(getattr(ids.dtype, "kind", "O"), str)

    def typed(text: str) -> Any:
        try:
            return make(text)
        except ValueError:
            return text

    return typed


class Latest:
    """The latest decisions, for a picture.

    Example:
        >>> Latest(2).frame().empty
        True
    """

    def __init__(self, most: int = DRAWN) -> None:
        self.kept: deque[Any] = deque(maxlen=most)

    def __call__(self, decision: Any) -> None:
        """Keep a decision, and forget the oldest."""
        self.kept.append(decision)

    def frame(self) -> pd.DataFrame:
        """Those that were about a value, as a frame with a column a field."""
        return pd.DataFrame([{name: getattr(said, name) for name in said.__slots__} for said in self.kept])
