"""The season length and the cycles of a frequency."""

from tsformers.calendar.grid import DAY, SECOND, parse


def season_length(freq: str | int) -> int:
    """Steps in the usual season of a frequency.

    | frequency | season | | frequency | season |
    | --- | --- | --- | --- | --- |
    | s (steps of 1 to 59 s) | 3600 s: an hour | | B | 5: a week |
    | min, 5min, 15min, ... | 1440, 288, 96: a day | | W | 52: a year |
    | h, 2h, ... | 24, 12: a day | | MS, ME, ... | 12: a year |
    | 24h, D | 7: a week | | SMS, SME, WOM | 24, 24, 12: a year |
    | 7D | 52: a year | | QS, QE; YS, YE; integers | 4; 1; 1 |

    A multiple of a frequency divides its season; where that leaves a rest, and below a second, the answer is 1.

    Args:
        freq: a pandas alias or an integer step.

    Returns:
        At least 1.

    Example:
        >>> season_length("15min"), season_length("ME"), season_length("5h"), season_length(1)
        (96, 12, 1, 1)
    """
    grid = parse(freq)
    if grid.unit == "listed":
        return _whole(24 if str(freq).lstrip("0123456789").startswith("SM") else 12, grid.step)
    if grid.unit in ("tick", "day"):
        return _clock_season(grid.step if grid.unit == "tick" else grid.step * DAY)
    period = {"int": 1, "bday": 5, "week": 52, "month": 12}[grid.unit]
    return _whole(period, grid.step)


def cycles(freq: str | int) -> tuple[int, ...]:
    """Steps in the season of a frequency and, where that is a day, in a week.

    Args:
        freq: a pandas alias or an integer step.

    Returns:
        One or two lengths, the season first.

    Example:
        >>> cycles("h"), cycles("D"), cycles("5h")
        ((24, 168), (7,), (1,))
    """
    season, grid = season_length(freq), parse(freq)
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
