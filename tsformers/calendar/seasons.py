"""The season length and the cycles of a frequency."""

from tsformers.calendar.grid import DAY, SECOND, Grid


def season_length(grid: Grid) -> int:
    """Steps in the usual season of a frequency.

    | frequency | season | | frequency | season |
    | --- | --- | --- | --- | --- |
    | s (steps of 1 to 59 s) | 3600 s: an hour | | B | 5: a week |
    | min, 5min, 15min, ... | 1440, 288, 96: a day | | W | 52: a year |
    | h, 2h, ... | 24, 12: a day | | MS, ME, ... | 12: a year |
    | 24h, D | 7: a week | | SMS, SME, WOM | 24, 24, 12: a year |
    | 7D | 52: a year | | QS, QE; YS, YE; integers | 4; 1; 1 |

    The season of a multiple is that of its unit divided by the multiple; 1 where that is no whole number, and for steps
    below a second.

    Args:
        grid: of the frequency.

    Returns:
        At least 1.

    Example:
        >>> from tsformers.calendar.grid import parse
        >>> [season_length(parse(freq)) for freq in ("15min", "ME", "5h", 1)]
        [96, 12, 1, 1]
    """
    if grid.unit == "listed":
        return _whole(24 if str(grid.freq).lstrip("0123456789").startswith("SM") else 12, grid.step)
    if grid.unit in ("tick", "day"):
        return _clock_season(grid.step if grid.unit == "tick" else grid.step * DAY)
    period = {"int": 1, "bday": grid.weekmask.count("1") or 5, "week": 52, "month": 12}[grid.unit]
    return _whole(period, grid.step)


def cycles(grid: Grid) -> tuple[int, ...]:
    """The season lengths that a frequency may have: the usual one, and a week above a day, a year above a week.

    Args:
        grid: of the frequency.

    Returns:
        One or two lengths, the season first.

    Example:
        >>> from tsformers.calendar.grid import parse
        >>> [cycles(parse(freq)) for freq in ("30min", "h", "D", "W", "ME", "5h")]
        [(48, 336), (24, 168), (7, 365), (52,), (12,), (1,)]
    """
    daily = (grid.unit == "day" and grid.step == 1) or (grid.unit == "tick" and grid.step == DAY)
    return (7, 365) if daily else clock_cycles(grid)


def clock_cycles(grid: Grid) -> tuple[int, ...]:
    """Steps in the season of a frequency and, where the season is a day, in a week; never a year above a week.

    The contexts of networks and the periods of "mstl" come from here: a year of days is too long for both.

    Args:
        grid: of the frequency.

    Returns:
        One or two lengths, the season first.

    Example:
        >>> from tsformers.calendar.grid import parse
        >>> [clock_cycles(parse(freq)) for freq in ("h", "D", "5h")]
        [(24, 168), (7,), (1,)]
    """
    season = season_length(grid)
    intraday = grid.unit == "tick" and 60 * SECOND <= grid.step < DAY and season > 1
    return (season, 7 * season) if intraday else (season,)


def _clock_season(step: int) -> int:
    if step % (7 * DAY) == 0:
        return _whole(52, step // (7 * DAY))
    if step < SECOND:
        return 1
    period = 3600 * SECOND if step < 60 * SECOND else DAY if step < DAY else 7 * DAY
    return _whole(period, step)


def _whole(period: int, step: int) -> int:
    return period // step if period % step == 0 else 1
