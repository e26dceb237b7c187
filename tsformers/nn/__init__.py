"""Building blocks: ``torch.nn.Module``s, usable without the rest of the package."""

from tsformers.nn.attention import (
    AutoCorrelation,
    AutoCorrelationLayer,
    CausalConvolution,
    ConvAttention,
    ConvTransformer,
    GroupedLinear,
)
from tsformers.nn.decomposition import SeriesDecomposition
from tsformers.nn.heads import (
    NegativeBinomialHead,
    NormalHead,
    QuantileHead,
    SquaredErrorHead,
    StudentTHead,
    make_head,
)
from tsformers.nn.missing import carry_forward
from tsformers.nn.recurrent import GRULayer, LRULayer, RecurrentBlock, RecurrentCell, S4DLayer, linear_scan
from tsformers.nn.ridge import RidgeMap

__all__ = [
    "AutoCorrelation",
    "AutoCorrelationLayer",
    "CausalConvolution",
    "ConvAttention",
    "ConvTransformer",
    "GRULayer",
    "GroupedLinear",
    "LRULayer",
    "NegativeBinomialHead",
    "NormalHead",
    "QuantileHead",
    "RecurrentBlock",
    "RecurrentCell",
    "RidgeMap",
    "S4DLayer",
    "SeriesDecomposition",
    "SquaredErrorHead",
    "StudentTHead",
    "carry_forward",
    "linear_scan",
    "make_head",
]
