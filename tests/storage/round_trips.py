"""Values encoded and decoded, and compared in type, dtype and every bit."""

import json
import math

import numpy as np
import torch
from safetensors.numpy import load, save

from tsformers.storage.decoding import Decoder
from tsformers.storage.encoding import Encoder

from .conftest import OWN


def round_trip(value):
    encoder = Encoder()
    page = json.loads(json.dumps(encoder.value(value, ("learned",)), allow_nan=False))
    return Decoder(load(save(encoder.arrays)), OWN).value(page)


def same(a, b):
    """Equal in type, dtype and every bit."""
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        if a.dtype.kind == "O":
            return a.shape == b.shape and all(same(x, y) for x, y in zip(a.flat, b.flat, strict=True))
        return (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())
    if isinstance(a, np.generic):
        return (a.dtype, a.tobytes()) == (b.dtype, b.tobytes())
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and a.shape == b.shape and same(bits(a), bits(b))
    if isinstance(a, float):
        return (math.isnan(a) and math.isnan(b)) or (a == b and math.copysign(1, a) == math.copysign(1, b))
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return same(list(a), list(b)) and same(list(a.values()), list(b.values()))
    return a == b


def bits(tensor):
    return tensor.contiguous().reshape(-1).view(torch.uint8).numpy()
