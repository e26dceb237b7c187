"""The values that ``encoding`` wrote as JSON and named arrays, bit for bit."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from tsformers.catalog import SETTINGS, find_model, load_from
from tsformers.errors import JobError
from tsformers.messages import Either
from tsformers.storage.columns import join_column
from tsformers.storage.encoding import RECORDS, TAG
from tsformers.storage.former_format import FORMAT, convert_model, convert_record, converted_as
from tsformers.storage.gluonts_outputs import make_gluonts_output
from tsformers.storage.learned_state import restore_state
from tsformers.storage.scalars import join_scalar


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
        """A model from the name of its class, its settings and its learned state.

        Args:
            page: what ``Encoder.model`` gave.

        Returns:
            The model.

        Raises:
            JobError: there is no class of that name.
        """
        name = page["class"]
        try:
            kind = find_model(name, self.classes)
        except KeyError as error:
            raise JobError(
                f"{error.args[0]}; if {name} is yours, ",
                Either(f"pass load(..., classes={{'{name}': {name}}})", "name its file with --plugin"),
            ) from None
        params, learned = self.value(page["params"]), self.value(page["learned"])
        if self.written < FORMAT:
            params, learned = convert_model(converted_as(kind), params, learned)
        model = kind(**params)
        if learned:
            restore_state(model, learned)
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
        if code[TAG] in ("array", "text", "objects", "scalar"):
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
            case "timestamp" | "timedelta":
                return _moment(code)
            case "record":
                parts = {key: self.value(item) for key, item in held.items()}
                return RECORDS[code["class"]](**convert_record(code["class"], parts))
            case "settings":
                kept = {key: self.value(item) for key, item in held.items()}
                return load_from(SETTINGS, code["class"])(**kept)
            case "gluonts":
                return make_gluonts_output(code["class"], self.value(held))
            case "model":
                return self.model(code)
            case "tensor":
                return self._tensor(code)
            case "scalar_parts":
                return join_scalar(self.value(held))
        raise ValueError(f"{kind!r} is no kind of value that this version knows")

    def _numpy(self, code: dict[str, Any]) -> Any:
        if code[TAG] == "text":
            return np.array(code["v"], dtype=code["dtype"]).reshape(code["shape"])
        if code[TAG] == "objects":
            objects = np.empty(len(code["v"]), dtype=object)
            objects[:] = self.value(code["v"])
            return objects.reshape(code["shape"])
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


def _moment(code: dict[str, Any]) -> pd.Timestamp | pd.Timedelta:
    if code[TAG] == "timedelta":
        return pd.Timedelta(np.timedelta64(code["v"], code["unit"]))
    stamp = pd.Timestamp(np.datetime64(code["v"], code["unit"]))
    return stamp if code["tz"] is None else stamp.tz_localize("UTC").tz_convert(code["tz"])
