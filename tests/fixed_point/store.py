"""The store: ``answers.json`` has the machine and a hash of each answer, ``answers.npz`` the answers themselves."""

import hashlib
import json
import platform
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fixed_point.answers import difference

HERE = Path(__file__).resolve().parent
HASHES, ARRAYS, SAVED = HERE / "answers.json", HERE / "answers.npz", HERE / "saved"
EXACT, TRAINED = 1e-9, 1e-6  # relative, on another machine
SLOW = 1.0  # seconds
Arrays = Mapping[str, np.ndarray]


def machine() -> dict[str, str]:
    """All that decides bits: processor, the instructions it is used with, and the libraries that calculate."""
    import llvmlite.binding as llvm
    import numba
    import scipy
    import sklearn
    import statsmodels
    import torch

    cpu = Path("/proc/cpuinfo")
    lines = [line.split(":", 1) for line in cpu.read_text().splitlines() if ":" in line] if cpu.exists() else []
    reported = {key.strip(): value.strip() for key, value in reversed(lines)}
    words = [
        reported.get("model name", platform.processor()),
        reported.get("cpu family", ""),
        reported.get("model", ""),
    ]
    return {
        "processor": " ".join(word for word in words if word),
        "instructions": f"{llvm.get_host_cpu_name()}, torch {torch.backends.cpu.get_cpu_capability()}",
        "numpy": np.__version__,
        "pandas": pd.__version__,
        "scipy": scipy.__version__,
        "scikit-learn": sklearn.__version__,
        "statsmodels": statsmodels.__version__,
        "torch": torch.__version__,
        "numba": numba.__version__,
    }


def digests(arrays: Arrays) -> dict[str, str]:
    """Sha256 of each answer: of names, kinds, shapes and exact bytes of its arrays."""
    found: dict[str, Any] = {}
    for name, array in arrays.items():
        one = found.setdefault(name.split("/")[0], hashlib.sha256())
        one.update(f"{name} {array.dtype.kind}{array.shape}".encode())
        one.update(content(array))
    return {name: one.hexdigest() for name, one in found.items()}


def content(array: np.ndarray) -> bytes:
    """Exact bytes; of texts, those of their JSON."""
    return json.dumps(array.tolist()).encode() if array.dtype.kind == "U" else np.ascontiguousarray(array).tobytes()


def read_hashes() -> dict[str, Any]:
    """The page of hashes."""
    return json.loads(HASHES.read_text(encoding="utf-8"))


@cache
def read_arrays() -> dict[str, dict[str, np.ndarray]]:
    """The stored answers, by case and path."""
    found: dict[str, dict[str, np.ndarray]] = {}
    with np.load(ARRAYS) as kept:
        parts = {name: kept[name] for name in kept.files}
    texts = json.loads(parts["texts"].tobytes())
    for case, name, kind, shape, begin in json.loads(parts["index"].tobytes()):
        size = int(np.prod(shape, dtype=int))
        whole = np.array(texts[begin : begin + size], np.str_) if kind == "U" else parts[kind][begin : begin + size]
        found.setdefault(case, {})[name] = whole.reshape(shape)
    return found


def write(found: Mapping[str, Arrays], seconds: Mapping[str, float]) -> None:
    """Replace hashes and answers; whether a case is slow is written too."""
    cases = {case: {"slow": seconds[case] > SLOW, "answers": digests(arrays)} for case, arrays in found.items()}
    page = {"machine": machine(), "cases": cases}
    HASHES.write_text(json.dumps(page, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    index, parts, sizes, texts = [], {kind: [] for kind in "fcib"}, dict.fromkeys("fcib", 0), []
    for case, arrays in found.items():
        for name, array in arrays.items():
            kind = array.dtype.kind
            begin = len(texts) if kind == "U" else sizes[kind]
            index.append([case, name, kind, array.shape, begin])
            if kind == "U":
                texts += array.ravel().tolist()
            else:
                parts[kind].append(array.ravel())
                sizes[kind] += array.size
    whole = {kind: np.concatenate(arrays) for kind, arrays in parts.items()}
    pages = {
        name: np.frombuffer(json.dumps(page).encode(), np.uint8) for name, page in (("index", index), ("texts", texts))
    }
    np.savez_compressed(ARRAYS, **whole, **pages)
    read_arrays.cache_clear()


def compare(case: str, ours: Arrays, trained: bool, same_machine: bool) -> list[str]:
    """What differs from the store, an array a line, the worst first; nothing where all is as it was."""
    hashes = read_hashes()["cases"].get(case, {}).get("answers")
    if hashes is None:
        return ["is not in the store"]
    if digests(ours) == hashes:
        return []
    stored = read_arrays()[case]
    reported = [(np.inf, f"has lost {name}") for name in stored if name not in ours]
    reported += [(np.inf, f"has a new answer {name}") for name in ours if name not in stored]
    limit = 0.0 if same_machine else TRAINED if trained else EXACT
    for name in ours.keys() & stored.keys():
        off = difference(ours[name], stored[name])
        if off > limit or (same_machine and content(ours[name]) != content(stored[name])):
            reported.append((off, f"{name}: relative difference {off:.3g}"))
    return [line for _, line in sorted(reported, key=lambda one: -one[0])]
