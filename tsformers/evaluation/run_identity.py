"""Data, settings and models of a backtest as texts that tell whether two runs are the same."""

import dataclasses
import hashlib
import re
from typing import Any

import numpy as np
import pandas as pd

from tsformers.catalog import PROCEDURES, SETTINGS
from tsformers.data.panel import Panel
from tsformers.storage.former_format import former_settings
from tsformers.storage.learned_state import has_settings

ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")  # of an object without a repr of its own; differs from run to run
MEMBER = re.compile(r"__\d+(__|$)")  # a member of a list, or a setting of it
WITHOUT_EFFECT = ("verbose", "n_jobs")  # settings that change no number


def fingerprint(panel: Panel) -> str:
    """SHA-256 over everything a panel holds: two panels of one fingerprint give the same backtest.

    Args:
        panel: the data of a backtest.

    Returns:
        64 hexadecimal digits.

    Example:
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(3), "y": 1.0})
        >>> fingerprint(Panel.from_frame(frame)) == fingerprint(Panel.from_frame(frame[::-1]))
        True
    """
    digest = hashlib.sha256(repr((panel.freq, panel.schema, list(panel.static.columns))).encode())
    for array in (panel.offsets, panel.ends, panel.times, panel.y, panel.past, panel.known):
        digest.update(f"{array.dtype}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).view(np.uint8).data if array.size else b"")
    digest.update(np.asarray(panel.ids.map(repr), dtype=str).tobytes())
    if panel.static.shape[1]:
        digest.update(pd.util.hash_pandas_object(panel.static, index=False).to_numpy().tobytes())
    return digest.hexdigest()


def describe(model: Any) -> dict[str, str]:
    """Class and settings of a model as texts that are equal from run to run.

    Args:
        model: a forecaster; of one without ``get_params`` the attributes that do not end in an underscore.

    Returns:
        "class" and one entry a setting.

    Example:
        >>> class Mine:
        ...     def __init__(self): self.horizon, self.level_ = 3, 1.0
        >>> describe(Mine())["horizon"]
        '3'
    """
    if has_settings(model):
        settings = model.get_params(deep=True)
    else:
        settings = {name: value for name, value in vars(model).items() if not name.endswith("_")}
    kind = type(model)
    settings = {name: value for key, part in settings.items() for name, value in _fields(key, part).items()}
    own = {key: value for key, value in settings.items() if not MEMBER.search(key)}  # the list's text holds them
    texts = {k: _text(v) for k, v in sorted(own.items()) if k.rpartition("__")[2] not in WITHOUT_EFFECT}
    return {"class": f"{kind.__module__}.{kind.__qualname__}"} | texts


def describe_object(value: Any) -> str:
    """The repr of an object without memory addresses.

    Args:
        value: any.

    Returns:
        Text.

    Example:
        >>> describe_object(object())
        '<object object>'
    """
    return ADDRESS.sub("", repr(value))


def differences(found: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    """What tells two runs apart, each difference in words; models that only one of them has do not count.

    Args:
        found: "format", "settings", "data" and "models" (as ``describe`` gives them) of one run.
        wanted: the same of another.

    Returns:
        Texts; none where the runs are the same.

    Example:
        >>> one = {"format": 1, "settings": {"windows": 2}, "data": "", "models": {}}
        >>> differences(one, one | {"settings": {"windows": 3}})
        ['windows was 2, now 3']
    """
    if found["format"] != wanted["format"]:
        return [f"it was written in format {found['format']}, this version writes {wanted['format']}"]
    names = sorted(found["settings"].keys() | wanted["settings"].keys())
    texts = [_changed(name, found["settings"].get(name), wanted["settings"].get(name)) for name in names]
    texts.append("the data differ" if found["data"] != wanted["data"] else "")
    for model in sorted(found["models"].keys() & wanted["models"].keys()):
        new = wanted["models"][model]
        old = former_settings(found["models"][model], new)
        if class_name(old.get("class")) != class_name(new.get("class")):
            texts.append(_changed(f"model {model!r}", old.get("class"), new.get("class")))
            continue
        keys = sorted((old | new).keys() - {"class"})
        texts += [_changed(f"{key} of model {model!r}", old.get(key), new.get(key)) for key in keys]
    return [text for text in texts if text]


def _fields(name: str, value: Any) -> dict[str, Any]:
    """A class of settings by its fields, under dotted names; any other value under its own name."""
    if SETTINGS.get(type(value).__name__) != type(value).__module__ or type(value).__name__ in PROCEDURES:
        return {name: value}
    return {f"{name}.{field.name}": getattr(value, field.name) for field in dataclasses.fields(value)}


def class_name(path: str | None) -> str | None:
    """A class of tsformers by its name alone: its module may differ between versions.

    Example:
        >>> class_name("tsformers.forecasters.lru.forecaster.LRU"), class_name("mine.LRU")
        ('LRU', 'mine.LRU')
    """
    return path.rpartition(".")[2] if path is not None and path.startswith("tsformers.") else path


def _text(value: Any) -> str:
    if isinstance(value, np.ndarray | pd.DataFrame | pd.Series | pd.Index):
        flat = np.asarray(value)
        return f"{type(value).__name__}{flat.shape} {hashlib.sha256(repr(flat.tolist()).encode()).hexdigest()[:16]}"
    return describe_object(value)


def _changed(name: str, old: object, new: object) -> str:
    return "" if old == new else f"{name} was {old}, now {new}"
