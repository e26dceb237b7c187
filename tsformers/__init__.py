"""tsformers: from a DataFrame to a scored probabilistic forecast. Names load when first used."""

from importlib import import_module

from tsformers.catalog import PUBLIC, ROOMS, load_public

__version__ = "0.1.0"
__all__ = [*PUBLIC]


def __getattr__(name: str) -> object:
    if name in PUBLIC:
        return load_public(name)
    if name in ROOMS:
        return import_module(f"tsformers.{name}")
    raise AttributeError(f"module 'tsformers' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *PUBLIC, *ROOMS])
