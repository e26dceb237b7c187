"""Building blocks: plain ``torch.nn.Module``s, usable without the rest."""

from tsformers.nn.autocorrelation import AutoCorrelation, AutoCorrelationLayer
from tsformers.nn.decomposition import SeriesDecomposition
from tsformers.nn.gaps import carry_forward
from tsformers.nn.heads import NegativeBinomialHead, NormalHead, QuantileHead, SquaredErrorHead, StudentTHead, make_head

__all__ = [
    "AutoCorrelation",
    "AutoCorrelationLayer",
    "NegativeBinomialHead",
    "NormalHead",
    "QuantileHead",
    "SeriesDecomposition",
    "SquaredErrorHead",
    "StudentTHead",
    "carry_forward",
    "make_head",
]
