"""Online multiple testing with control of the false discovery rate; ``docs/fdr.md`` compares the procedures."""

from tsformers.fdr.addis import ADDIS
from tsformers.fdr.alpha_investing import AlphaInvesting
from tsformers.fdr.alpha_spending import AlphaSpending
from tsformers.fdr.lond import LOND
from tsformers.fdr.lord import LORD
from tsformers.fdr.memory_lord import MemoryLORD
from tsformers.fdr.online_bh import OnlineBH
from tsformers.fdr.procedure import Parallel, Procedure
from tsformers.fdr.saffron import SAFFRON

__all__ = [
    "ADDIS",
    "LOND",
    "LORD",
    "SAFFRON",
    "AlphaInvesting",
    "AlphaSpending",
    "MemoryLORD",
    "OnlineBH",
    "Parallel",
    "Procedure",
]
