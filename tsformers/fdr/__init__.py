"""Online testing: each p-value gets a level that keeps the share of false alarms in check. ``docs/fdr.md`` compares."""

from tsformers.fdr.addis import ADDIS
from tsformers.fdr.lord import LORD
from tsformers.fdr.procedure import Parallel, Procedure
from tsformers.fdr.ranking import OnlineBH
from tsformers.fdr.saffron import SAFFRON, AlphaInvesting
from tsformers.fdr.spending import LOND, AlphaSpending, MemoryLORD

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
