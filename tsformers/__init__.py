"""tsformers: from a DataFrame to a scored probabilistic forecast. Names load when first used."""

from difflib import get_close_matches
from importlib import import_module

from tsformers.catalog import PUBLIC, SUBMODULES, load_public

__version__ = "0.1.0"
__all__ = [*PUBLIC]


def __getattr__(name: str) -> object:
    if name in PUBLIC:
        return load_public(name)
    if name in SUBMODULES:
        return import_module(f"tsformers.{name}")
    near = [] if name.startswith("_") else get_close_matches(name, [*PUBLIC, *SUBMODULES], 1)
    raise AttributeError(
        f"module 'tsformers' has no attribute {name!r}" + "".join(f"; did you mean {n!r}?" for n in near)
    )


def __dir__() -> list[str]:
    return sorted([*(name for name in globals() if name.startswith("__")), *PUBLIC, *SUBMODULES])
