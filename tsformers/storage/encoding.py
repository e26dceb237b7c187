"""A closed set of values as JSON plus named arrays, bit for bit; a value outside the set is refused."""

import re
import sys
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import fields
from math import isfinite
from typing import Any

import numpy as np
import pandas as pd

from tsformers.calendar.grid import Grid
from tsformers.calendar.timestamps import TimeForm
from tsformers.catalog import GLUONTS_OUTPUTS, SETTINGS
from tsformers.data.dataframes import Schema
from tsformers.data.forecast import Forecast
from tsformers.data.panel import Panel
from tsformers.storage.columns import column_parts
from tsformers.storage.gluonts_outputs import is_gluonts_output
from tsformers.storage.learned_state import has_settings, learned_state
from tsformers.storage.scalars import scalar_parts

RECORDS: dict[str, type] = {"Schema": Schema, "TimeForm": TimeForm, "Grid": Grid, "Panel": Panel, "Forecast": Forecast}
TAG = "$"  # a JSON object with this key stands for a value of the kind it names
MAX_DEPTH = 100
PLAIN_KEY = re.compile(r"[A-Za-z0-9_.\-]+")
Path = tuple[str, ...]


class Encoder:
    """Turns values into JSON; arrays go to ``arrays``, named by their path inside the value.

    Example:
        >>> encoder = Encoder()
        >>> encoder.value({"w": np.zeros(2), "n": (1, float("inf"))}, ("learned",))
        {'w': {'$': 'array', 'at': 'learned/w', 'dtype': '<f8'},
         'n': {'$': 'tuple', 'v': [1, {'$': 'float', 'v': 'inf'}]}}
        >>> list(encoder.arrays)
        ['learned/w']
    """

    def __init__(self) -> None:
        self.arrays: dict[str, np.ndarray] = {}
        self.top = ""

    def model(self, model: Any, path: Path = ()) -> dict[str, Any]:
        """A model as the name of its class, its settings and its learned state.

        Args:
            model: an object with ``get_params``; for its learned state see ``learned_state``.
            path: its place inside the saved value.

        Returns:
            JSON under the keys "class", "params" and "learned".

        Raises:
            TypeError: not a model, or something in it is outside the closed set.
        """
        if not has_settings(model):
            raise TypeError(f"a model with get_params is needed; got {model!r}")
        name = type(model).__name__
        self.top = self.top or name
        return {
            "class": name,
            "params": self.value(model.get_params(deep=False), (*path, "params")),
            "learned": self.value(learned_state(model), (*path, "learned")),
        }

    def value(self, value: Any, path: Path) -> Any:
        """One value of the closed set as JSON.

        Args:
            value: what to encode; exact types only, a subclass would lose what it adds.
            path: its place inside the saved value; names its arrays, and the value in messages.

        Returns:
            JSON; what JSON lacks is an object with the key ``TAG``.

        Raises:
            TypeError: the value is outside the set; the message names the path.
        """
        if len(path) > MAX_DEPTH:
            raise TypeError(
                f"{self.top}: {'/'.join(path[:5])}/... is nested more than {MAX_DEPTH} deep, or holds itself"
            )
        kind = type(value)
        if value is None or kind in (bool, int, str):
            return value
        if kind is float:
            return value if isfinite(value) else {TAG: "float", "v": str(value)}
        if kind is list:
            return self._items(value, path)
        if kind is tuple:
            return {TAG: "tuple", "v": self._items(value, path)}
        if kind in (dict, OrderedDict):
            return self._dict(value, path)
        if isinstance(value, np.generic) or kind in (np.ndarray, np.memmap):
            return self._numpy(value, path)
        return self._rich(value, path)

    def _rich(self, value: Any, path: Path) -> Any:
        """Values of pandas, torch and our own."""
        torch = sys.modules.get("torch")
        if isinstance(value, pd.Index | pd.Series | pd.DataFrame):
            return self._pandas(value, path)
        if value is pd.NaT or value is pd.NA:
            return {TAG: "missing", "v": "NaT" if value is pd.NaT else "NA"}
        if isinstance(value, pd.Timestamp):
            self._check_zone(value.tz, value, path)
            stamp = value.asm8  # the UTC moment
            return {TAG: "timestamp", "v": int(stamp.view("i8")), "unit": value.unit, "tz": _zone(value.tz)}
        if isinstance(value, pd.Timedelta):
            return {TAG: "timedelta", "v": int(value.asm8.view("i8")), "unit": value.unit}
        if type(value) in RECORDS.values():
            held = {f.name: self.value(getattr(value, f.name), (*path, f.name)) for f in fields(value) if f.init}
            return {TAG: "record", "class": type(value).__name__, "v": held}
        if SETTINGS.get(type(value).__name__) == type(value).__module__:
            held = {f.name: self.value(getattr(value, f.name), (*path, f.name)) for f in fields(value)}
            return {TAG: "settings", "class": type(value).__name__, "v": held}
        if is_gluonts_output(value):
            held = self.value(dict(value.__init_args__), path)
            return {TAG: "gluonts", "class": type(value).__name__, "v": held}
        if torch is not None and isinstance(value, torch.Tensor):
            return self._tensor(torch, value, path)
        if has_settings(value):
            return {TAG: "model", **self.model(value, path)}
        if (parts := scalar_parts(value)) is not None:
            return {TAG: "scalar_parts", "v": self.value(parts, path)}
        raise self._refusal(value, path)

    def _items(self, values: Any, path: Path) -> list[Any]:
        return [self.value(item, (*path, str(i))) for i, item in enumerate(values)]

    def _dict(self, value: Mapping[Any, Any], path: Path) -> dict[str, Any]:
        inner = {}
        for i, (key, item) in enumerate(value.items()):
            step = key if isinstance(key, str) and PLAIN_KEY.fullmatch(key) else f"#{i}"
            inner[key] = self.value(item, (*path, step))
        if TAG not in inner and all(type(key) is str for key in inner):
            return inner
        keys = [self.value(key, (*path, f"#{i}", "key")) for i, key in enumerate(inner)]
        return {TAG: "dict", "v": [[key, item] for key, item in zip(keys, inner.values(), strict=True)]}

    def _numpy(self, value: Any, path: Path) -> dict[str, Any]:
        dtype = value.dtype
        if isinstance(value, np.str_):
            return {TAG: "scalar", "dtype": "str", "v": str(value)}
        odd = dtype.kind not in "biufcMm" or dtype.itemsize > (16 if dtype.kind == "c" else 8)  # no long doubles
        if isinstance(value, np.generic) and not odd:
            return {TAG: "scalar", "dtype": dtype.str, "v": value.tobytes().hex()}
        if dtype.kind == "U" or (dtype.kind == "O" and all(type(item) is str for item in value.flat)):
            return {
                TAG: "text",
                "dtype": dtype.str,
                "shape": list(value.shape),
                "v": [str(item) for item in value.flat],
            }
        if dtype.kind == "O":
            return {TAG: "objects", "shape": list(value.shape), "v": self._items(value.flat, path)}
        if odd:
            raise self._refusal(value, path)
        native = np.ascontiguousarray(value, dtype=dtype.newbyteorder("=")).reshape(value.shape)
        if dtype.kind in "Mm":
            native = native.view(np.int64)
        elif dtype.kind == "c":
            native = native[..., None].view(native.real.dtype)
        return {TAG: "array", "at": self._keep(native, path), "dtype": dtype.str}

    def _tensor(self, torch: Any, value: Any, path: Path) -> dict[str, Any]:
        if value.layout != torch.strided or value.is_quantized:
            raise self._refusal(value, path)
        plain = value.detach().cpu().contiguous()
        name = str(plain.dtype).removeprefix("torch.")
        bits = plain.reshape(-1).view(torch.uint8) if name.startswith(("bfloat", "float8")) else plain
        return {
            TAG: "tensor",
            "dtype": name,
            "shape": list(plain.shape),
            "v": self._numpy(bits.resolve_conj().resolve_neg().numpy(), path),
        }

    def _pandas(self, value: Any, path: Path) -> dict[str, Any]:
        if isinstance(value, pd.DataFrame):
            return {
                TAG: "frame",
                "columns": self.value(value.columns, (*path, "columns")),
                "index": self.value(value.index, (*path, "index")),
                "v": [self._column(value.iloc[:, i], (*path, f"#{i}")) for i in range(value.shape[1])],
            }
        name = self.value(value.name, (*path, "name"))
        if isinstance(value, pd.Series):
            index = self.value(value.index, (*path, "index"))
            return {TAG: "series", "name": name, "index": index, "v": self._column(value, (*path, "v"))}
        if isinstance(value, pd.RangeIndex):
            return {TAG: "range", "name": name, "v": [value.start, value.stop, value.step]}
        if isinstance(value, pd.MultiIndex):
            parts = [list(value.names), list(value.levels), [np.asarray(codes) for codes in value.codes]]
            return {TAG: "multiindex", "v": self.value(parts, path)}
        freq = getattr(value, "freqstr", None) if isinstance(value, pd.DatetimeIndex | pd.TimedeltaIndex) else None
        return {TAG: "index", "name": name, "freq": freq, "v": self._column(value, path)}

    def _column(self, column: Any, path: Path) -> dict[str, Any]:
        self._check_zone(getattr(column.dtype, "tz", None), column, path)
        parts = column_parts(column)
        if parts is None:
            raise self._refusal(column, path)
        return {key: self.value(part, (*path, key)) for key, part in parts.items()}

    def _check_zone(self, tz: Any, value: Any, path: Path) -> None:
        """Refuse a time zone that its name does not describe, such as those of dateutil."""
        try:
            pd.Timestamp(0, tz=_zone(tz))
        except (KeyError, ValueError, LookupError):
            raise self._refusal(value, path) from None

    def _keep(self, array: np.ndarray, path: Path) -> str:
        name = "/".join(path)
        assert name not in self.arrays, name
        self.arrays[name] = array
        return name

    def _refusal(self, value: Any, path: Path) -> TypeError:
        kind = f"{type(value).__module__}.{type(value).__qualname__}"
        dtype = f" of {value.dtype}" if hasattr(value, "dtype") and not hasattr(value, "args_dim") else ""
        return TypeError(
            f"{self.top} cannot be saved: {'/'.join(path)} is a {kind}{dtype}, which is not serialisable; "
            + (
                f"the outputs that are saved are GluonTS's {', '.join(GLUONTS_OUTPUTS)}"
                if hasattr(value, "args_dim")
                else "keep numbers, text, lists, dicts, arrays, frames, tensors or models there"
            )
        )


def _zone(tz: Any) -> str | None:
    return None if tz is None else str(tz)
