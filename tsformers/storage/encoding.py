"""A closed set of values as JSON plus named arrays, and back, bit for bit. What is outside the set is refused."""

import re
import sys
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import fields
from importlib import import_module
from math import isfinite
from typing import Any

import numpy as np
import pandas as pd

from tsformers.calendar.grid import Grid
from tsformers.catalog import SETTINGS, find_model
from tsformers.data.dataframes import Schema
from tsformers.data.forecast import Forecast
from tsformers.data.panel import Panel
from tsformers.errors import JobError
from tsformers.storage.columns import column_parts, join_column
from tsformers.storage.former_format import FORMAT, convert_model, convert_record

RECORDS: dict[str, type] = {"Schema": Schema, "Grid": Grid, "Panel": Panel, "Forecast": Forecast}
TAG = "$"  # a JSON object with this key is not a dict but the value it names
DEEPEST = 100
PLAIN = re.compile(r"[A-Za-z0-9_.\-]+")
Path = tuple[str, ...]


class Encoder:
    """Turns values into JSON; arrays go to ``arrays`` under the path at which they were met.

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
        """A model as its class's name, its settings and what it has learned.

        Args:
            model: an object with ``get_params``; where it has ``learned()``, that says what was learned, else its
                attributes ending in one underscore do.
            path: where it was met.

        Returns:
            JSON under the keys "class", "params" and "learned".

        Raises:
            TypeError: not a model, or something in it is outside the closed set.
        """
        if not hasattr(model, "get_params") or isinstance(model, type):
            raise TypeError(f"a model with get_params is needed; got {model!r}")
        name = type(model).__name__
        self.top = self.top or name
        return {
            "class": name,
            "params": self.value(model.get_params(deep=False), (*path, "params")),
            "learned": self.value(_learned(model), (*path, "learned")),
        }

    def value(self, value: Any, path: Path) -> Any:
        """One value of the closed set as JSON.

        Args:
            value: what to encode; exact types only, a subclass would lose what it adds.
            path: where it was met: names its arrays, and itself in messages.

        Returns:
            JSON; what JSON lacks is an object with the key ``TAG``.

        Raises:
            TypeError: the value is outside the set; the message names the path.
        """
        if len(path) > DEEPEST:
            raise TypeError(f"{self.top}: {'/'.join(path[:5])}/... is nested more than {DEEPEST} deep, or holds itself")
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
        if torch is not None and isinstance(value, torch.Tensor):
            return self._tensor(torch, value, path)
        if hasattr(value, "get_params") and not isinstance(value, type):
            return {TAG: "model", **self.model(value, path)}
        raise self._refusal(value, path)

    def _items(self, values: Any, path: Path) -> list[Any]:
        return [self.value(item, (*path, str(i))) for i, item in enumerate(values)]

    def _dict(self, value: Mapping[Any, Any], path: Path) -> dict[str, Any]:
        inner = {}
        for i, (key, item) in enumerate(value.items()):
            step = key if isinstance(key, str) and PLAIN.fullmatch(key) else f"#{i}"
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
        parts = column_parts(column)
        if parts is None:
            raise self._refusal(column, path)
        return {key: self.value(part, (*path, key)) for key, part in parts.items()}

    def _keep(self, array: np.ndarray, path: Path) -> str:
        name = "/".join(path)
        assert name not in self.arrays, name
        self.arrays[name] = array
        return name

    def _refusal(self, value: Any, path: Path) -> TypeError:
        kind = f"{type(value).__module__}.{type(value).__qualname__}"
        dtype = f" of {value.dtype}" if hasattr(value, "dtype") else ""
        return TypeError(
            f"{self.top} cannot be saved: {'/'.join(path)} is a {kind}{dtype}, which is no plain data; "
            "keep there numbers, text, lists, dicts, arrays, frames, tensors or models"
        )


class Decoder:
    """Turns the JSON and the arrays of an ``Encoder`` back into values.

    Args:
        arrays: by the names the encoder gave them.
        classes: the caller's own classes by name.
        written: the format in which they were written.

    Example:
        >>> Decoder({}, {}).value({"$": "tuple", "v": [1, {"$": "float", "v": "-inf"}]})
        (1, -inf)
    """

    def __init__(self, arrays: Mapping[str, np.ndarray], classes: Mapping[str, type], written: int = FORMAT) -> None:
        self.arrays, self.classes, self.written = arrays, dict(classes), written

    def model(self, page: Mapping[str, Any]) -> Any:
        """A model from its class's name, its settings and what it has learned.

        Args:
            page: what ``Encoder.model`` gave.

        Returns:
            The model.

        Raises:
            JobError: nobody offers a class of that name.
        """
        name = page["class"]
        try:
            kind = find_model(name, self.classes)
        except KeyError as error:
            raise JobError(
                f"{error.args[0]}; if {name} is yours, pass load(..., classes={{'{name}': {name}}})"
            ) from None
        params, learned = self.value(page["params"]), self.value(page["learned"])
        if self.written < FORMAT:
            params, learned = convert_model(name, params, learned)
        model = kind(**params)
        if learned and hasattr(model, "relearn"):
            model.relearn(learned)
        elif learned:
            for key, item in learned.items():
                setattr(model, key, item)
        return model

    def value(self, code: Any) -> Any:
        """One value from its JSON.

        Args:
            code: what ``Encoder.value`` gave.

        Returns:
            The value.

        Raises:
            ValueError: a kind of value that this version does not know.
        """
        if isinstance(code, list):
            return [self.value(item) for item in code]
        if not isinstance(code, dict):
            return code
        if TAG not in code:
            return {key: self.value(item) for key, item in code.items()}
        if code[TAG] in ("array", "text", "scalar"):
            return self._numpy(code)
        if code[TAG] in ("frame", "series", "range", "multiindex", "index"):
            return self._pandas(code)
        return self._tagged(code)

    def _tagged(self, code: dict[str, Any]) -> Any:
        kind = code[TAG]
        held: Any = code.get("v")
        match kind:
            case "float":
                return float(held)
            case "tuple":
                return tuple(self.value(held))
            case "dict":
                return {self.value(key): self.value(item) for key, item in held}
            case "missing":
                return pd.NaT if held == "NaT" else pd.NA
            case "timestamp":
                stamp = pd.Timestamp(np.datetime64(held, code["unit"]))
                return stamp if code["tz"] is None else stamp.tz_localize("UTC").tz_convert(code["tz"])
            case "timedelta":
                return pd.Timedelta(np.timedelta64(held, code["unit"]))
            case "record":
                parts = {key: self.value(item) for key, item in held.items()}
                return RECORDS[code["class"]](**convert_record(code["class"], parts))
            case "settings":
                kept = {key: self.value(item) for key, item in held.items()}
                return getattr(import_module(SETTINGS[code["class"]]), code["class"])(**kept)
            case "model":
                return self.model(code)
            case "tensor":
                return self._tensor(code)
        raise ValueError(f"{kind!r} is no kind of value this version knows")

    def _numpy(self, code: dict[str, Any]) -> Any:
        if code[TAG] == "text":
            return np.array(code["v"], dtype=code["dtype"]).reshape(code["shape"])
        if code["dtype"] == "str":
            return np.str_(code["v"])
        dtype = np.dtype(code["dtype"])
        if code[TAG] == "scalar":
            return np.frombuffer(bytes.fromhex(code["v"]), dtype=dtype)[0]
        array = self.arrays[code["at"]]
        native = dtype.newbyteorder("=")
        if dtype.kind in "Mmc":
            shape = array.shape[:-1] if dtype.kind == "c" else array.shape
            array = array.view(native).reshape(shape)
        return array.astype(dtype, copy=False)

    def _tensor(self, code: dict[str, Any]) -> Any:
        import torch

        array = torch.from_numpy(self._numpy(code["v"]))
        dtype = getattr(torch, code["dtype"])
        return (array if array.dtype == dtype else array.view(dtype)).reshape(code["shape"])

    def _pandas(self, code: dict[str, Any]) -> Any:
        held, name = code["v"], self.value(code.get("name"))
        match code[TAG]:
            case "frame":
                index = self.value(code["index"])
                columns = {i: pd.Series(self._column(part), index=index) for i, part in enumerate(held)}
                frame = pd.DataFrame(columns, index=index)
                frame.columns = self.value(code["columns"])
                return frame
            case "series":
                return pd.Series(self._column(held), index=self.value(code["index"]), name=name)
            case "range":
                start, stop, step = held
                return pd.RangeIndex(start, stop, step, name=name)
            case "multiindex":
                names, levels, codes = self.value(held)
                return pd.MultiIndex(levels=levels, codes=codes, names=names)
        index = pd.Index(self._column(held), name=name)
        if code["freq"] is not None:
            index.freq = code["freq"]
        return index

    def _column(self, parts: dict[str, Any]) -> Any:
        return join_column({key: self.value(part) for key, part in parts.items()})


def _learned(model: Any) -> dict[str, Any]:
    """What the model says it has learned; of a class that says nothing, its attributes that end in one underscore."""
    if hasattr(model, "learned"):
        from sklearn.exceptions import NotFittedError

        try:
            return model.learned()
        except NotFittedError:  # a template inside a composed model: its settings are all there is
            return {}
    return {
        key: item
        for key, item in vars(model).items()
        if key.endswith("_") and not key.endswith("__") and not key.startswith("_")
    }


def _zone(tz: Any) -> str | None:
    return None if tz is None else str(tz)
