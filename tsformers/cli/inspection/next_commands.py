"""Commands to paste: what comes after a look at a table, and how to choose one of its readings."""

import json
import shlex
from dataclasses import MISSING, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tsformers.cli.options import TableInput
from tsformers.messages import ABSENT, Either, Message, Option

if TYPE_CHECKING:
    from tsformers.data.panel import Panel

NO_SEASON = 6  # steps of a forecast where there is no season
LONG_SEASON, PART = 200, 60  # of a longer season, such as that of minutes, so many steps are forecast
BELOW_AN_HOUR = ("--set", "season_length=1")  # rows a minute apart are like the row before rather than yesterday's
WINDOWS = 4  # of a backtest
ALARMS = ("--control", "LORD", "--alpha", "0.1", "--decay", "0.99", "--detector", "p_value=predictive")  # can alarm
HISTORY = 3  # horizons that a history should have besides


def option_words(table: TableInput) -> list[str]:
    """The options of a table that were given, as they are typed.

    Args:
        table: as given.

    Returns:
        Words of a command line.

    Example:
        >>> option_words(TableInput(id_col=["shop", "dept"], wide=True, skip_rows=2))
        ['--skip-rows', '2', '--id-col', 'shop', '--id-col', 'dept', '--wide']
    """
    words: list[str] = []
    for name, value in _given(table).items():
        flag = f"--{name.replace('_', '-')}"
        values = [True] if value is True else value if isinstance(value, list) else [value]
        for entry in values:
            words += [flag] if entry is True else [flag, str(entry)]
    return words


def commands_for(file: str, table: TableInput, panel: "Panel") -> list[str]:
    """A forecast, a backtest and a detector of a table that was read.

    Args:
        file: its path; "-" = standard input, which a job file cannot name.
        table: how it was read.
        panel: its series.

    Returns:
        Three command lines, or two.
    """
    horizon, words = horizon_of(panel), [file, *option_words(table)]
    stem = "data" if file == "-" else Path(file).name.partition(".")[0] or "data"
    forecast = ["tsformers", "forecast", *words, "--horizon", str(horizon)]
    detect = [
        "tsformers",
        "detect",
        "--fit",
        *words,
        "--model",
        "SeasonalNaive",
        *(BELOW_AN_HOUR if panel.reading.season > LONG_SEASON else ()),
        "--horizon",
        "1",
        *ALARMS,
        "--save",
        f"{stem}_detector",
    ]
    job = [] if file == "-" else [job_command(file, table, horizon, f"{stem}.toml")]
    return [shlex.join(forecast), *job, shlex.join(detect)]


def horizon_of(panel: "Panel") -> int:
    """A horizon to begin with: a season if it is not long, or as much of it as the histories leave for a backtest.

    Args:
        panel: the series.

    Returns:
        At least 1.
    """
    season = panel.reading.season
    longest = int(panel.lengths.max()) // (WINDOWS + HISTORY)
    wanted = NO_SEASON if season <= 1 else PART if season > LONG_SEASON else season
    return max(1, min(wanted, longest))


def job_command(file: str, table: TableInput, horizon: int, job: str) -> str:
    r"""A command that writes a job file of two models and runs it.

    Args:
        file: the table's path.
        table: how it was read.
        horizon: steps to forecast.
        job: name of the file.

    Returns:
        One line.

    Example:
        >>> job_command("a.csv", TableInput(), 7, "a.toml").partition(" '[backtest]'")[0]
        'printf \'%s\\n\' \'[data]\' \'file = "a.csv"\''
    """
    keys = {"file": file, **_given(table)}
    keys = {("format" if key == "input_format" else key): value for key, value in keys.items()}
    data = [f"{key} = {_toml(value)}" for key, value in keys.items()]
    lines = ["[data]", *data, "[backtest]", f"horizon = {horizon}", f"windows = {WINDOWS}"]
    lines += ["[models.naive]", 'class = "SeasonalNaive"', "[models.ets]", 'class = "AutoETS"']
    place = shlex.quote(job)
    written = shlex.join(["printf", "%s\\n", *lines])
    return f"{written} > {place} && tsformers backtest {place}"


def readings_for(file: str, table: TableInput, message: Message) -> list[str]:
    """The commands that choose one of the readings which a message offers.

    Args:
        file: the table's path.
        table: how it was read.
        message: of the refusal.

    Returns:
        One command an option with a value.

    Example:
        >>> message = Message("two readings; pass ", Option("decimal", ","), " or ", Option("decimal", "."))
        >>> readings_for("a.csv", TableInput(), message)
        ['tsformers inspect a.csv --decimal ,', 'tsformers inspect a.csv --decimal .']
    """
    given = shlex.join(["tsformers", "inspect", file, *option_words(table)])
    offered = [part.text("shell") for part in _parts(message) if _chooses(part)]
    return [f"{given} {words}" for words in dict.fromkeys(offered)]


def _parts(message: Message) -> list[Any]:
    found: list[Any] = []
    for part in message.parts:
        found += _parts(part) if isinstance(part, Message) else [part]
    return found


def _chooses(part: Any) -> bool:
    """Whether a part of a message can be typed as it stands, as an option of this command."""
    if isinstance(part, Option):
        known = {option.name for option in fields(TableInput)} | {"freq", "short"}
        return part.name in known and part.value is not ABSENT
    return isinstance(part, Either) and part.shell.startswith("--")


def _given(table: TableInput) -> dict[str, Any]:
    """The options that are not their defaults."""
    found = {}
    for option in fields(TableInput):
        default = option.default if option.default_factory is MISSING else option.default_factory()
        value = getattr(table, option.name)
        if value != default:
            found[option.name] = value[0] if isinstance(value, list) and len(value) == 1 else value
    return found


def _toml(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else json.dumps(value, ensure_ascii=False)
