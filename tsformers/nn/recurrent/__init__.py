"""Recurrent layers: linear recurrences, a GRU, and the block that they are stacked in."""

from tsformers.nn.recurrent.block import RecurrentBlock
from tsformers.nn.recurrent.cell import RecurrentCell
from tsformers.nn.recurrent.gru import GRULayer
from tsformers.nn.recurrent.lru import LRULayer
from tsformers.nn.recurrent.s4d import S4DLayer
from tsformers.nn.recurrent.scan import linear_scan

__all__ = ["GRULayer", "LRULayer", "RecurrentBlock", "RecurrentCell", "S4DLayer", "linear_scan"]
