"""LRU: linear recurrent units."""

from tsformers.forecasters.lru.forecaster import LRU

__all__ = ["LRU"]
