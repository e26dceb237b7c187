"""Building blocks: plain ``torch.nn.Module``s, usable without the rest."""

from tsformers.nn.autocorrelation import AutoCorrelation, AutoCorrelationLayer
from tsformers.nn.conv_attention import CausalConvolution, ConvAttention, ConvTransformer, GroupedLinear
from tsformers.nn.decomposition import SeriesDecomposition
from tsformers.nn.diagonal import S4DLayer
from tsformers.nn.gaps import carry_forward
from tsformers.nn.heads import NegativeBinomialHead, NormalHead, QuantileHead, SquaredErrorHead, StudentTHead, make_head
from tsformers.nn.lru import LRULayer
from tsformers.nn.recurrence import GRULayer, RecurrentBlock, RecurrentCell
from tsformers.nn.ridge import RidgeMap
from tsformers.nn.scan import linear_scan

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
