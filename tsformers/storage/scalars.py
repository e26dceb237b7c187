"""Single values that JSON and numpy lack, as plain parts: dates, decimals, bytes, periods, intervals and their kin."""

import datetime as dt
import uuid
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

PLAIN: dict[str, type] = {"decimal": Decimal, "fraction": Fraction, "uuid": uuid.UUID}  # equal to what their text says


def scalar_parts(value: Any) -> dict[str, Any] | None:
    r"""The parts of a single value.

    Args:
        value: any.

    Returns:
        What ``join_scalar`` needs: a ``kind``, and text, numbers or values of the closed set; None for other types.

    Example:
        >>> scalar_parts(Decimal("1.10")), scalar_parts(b"\xff")
        ({'kind': 'decimal', 'value': '1.10'}, {'kind': 'bytes', 'value': 'ff'})
    """
    kind = type(value)
    if kind in PLAIN.values():
        return {"kind": next(name for name, each in PLAIN.items() if each is kind), "value": str(value)}
    if kind is bytes:
        return {"kind": "bytes", "value": value.hex()}
    if kind is complex:
        return {"kind": "complex", "value": [value.real, value.imag]}
    if kind is frozenset:
        return {"kind": "frozenset", "value": sorted(value, key=repr)}
    if kind is dt.timedelta:
        return {"kind": "timedelta", "value": [value.days, value.seconds, value.microseconds]}
    if kind is dt.date:
        return {"kind": "date", "value": value.isoformat()}
    if kind in (dt.datetime, dt.time):
        zone = zone_name(value.tzinfo)
        plain = value.replace(tzinfo=None, fold=0).isoformat()
        known = value.tzinfo is None or zone is not None
        return {"kind": kind.__name__, "value": plain, "tz": zone, "fold": value.fold} if known else None
    if kind is pd.Period:
        return {"kind": "period", "value": int(value.ordinal), "freq": value.freqstr}
    if kind is pd.Interval:
        return {"kind": "interval", "value": [value.left, value.right], "closed": value.closed}
    return None


def join_scalar(parts: dict[str, Any]) -> Any:
    """The value that ``scalar_parts`` took apart.

    Args:
        parts: what it returned.

    Returns:
        A value equal to it, of the same type.

    Raises:
        ValueError: the kind is unknown.

    Example:
        >>> join_scalar({"kind": "date", "value": "2024-02-29"})
        datetime.date(2024, 2, 29)
    """
    value = parts["value"]
    match parts["kind"]:
        case "bytes":
            return bytes.fromhex(value)
        case "complex":
            return complex(*value)
        case "frozenset":
            return frozenset(value)
        case "timedelta":
            return dt.timedelta(*value)
        case "date":
            return dt.date.fromisoformat(value)
        case "datetime":
            return dt.datetime.fromisoformat(value).replace(tzinfo=_zone(parts["tz"]), fold=parts["fold"])
        case "time":
            return dt.time.fromisoformat(value).replace(tzinfo=_zone(parts["tz"]), fold=parts["fold"])
        case "period":
            return pd.Period(ordinal=value, freq=parts["freq"])
        case "interval":
            return pd.Interval(value[0], value[1], closed=parts["closed"])
    if parts["kind"] in PLAIN:
        return PLAIN[parts["kind"]](value)
    raise ValueError(f"{parts['kind']!r} is no kind of value that this version knows")


def zone_name(tz: dt.tzinfo | None) -> str | None:
    """The text of a time zone from which the zone can be made again.

    Args:
        tz: a zone of ``zoneinfo`` or ``datetime``.

    Returns:
        "Europe/Berlin", "UTC" or "UTC+02:00"; None for no zone, and for zones without such a name.

    Example:
        >>> zone_name(ZoneInfo("Europe/Berlin")), zone_name(dt.timezone(dt.timedelta(hours=2)))
        ('Europe/Berlin', 'UTC+02:00')
    """
    if isinstance(tz, ZoneInfo):
        return tz.key
    return str(tz) if isinstance(tz, dt.timezone) and str(tz) == str(dt.timezone(tz.utcoffset(None))) else None


def _zone(name: str | None) -> dt.tzinfo | None:
    if name is None:
        return None
    if not name.startswith("UTC"):
        return ZoneInfo(name)
    away = dt.datetime.fromisoformat(f"2000-01-01T00:00:00{name.removeprefix('UTC') or '+00:00'}").utcoffset()
    return dt.timezone(away or dt.timedelta())
