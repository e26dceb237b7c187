"""Building blocks: plain ``torch.nn.Module``s, usable without the rest."""

from tsformers.nn.attention.autocorrelation import AutoCorrelation, AutoCorrelationLayer
from tsformers.nn.attention.conv_attention import CausalConvolution, ConvAttention, ConvTransformer, GroupedLinear
from tsformers.nn.decomposition import SeriesDecomposition
from tsformers.nn.heads.make import make_head
from tsformers.nn.heads.negative_binomial import NegativeBinomialHead
from tsformers.nn.heads.normal import NormalHead, SquaredErrorHead
from tsformers.nn.heads.quantile import QuantileHead
from tsformers.nn.heads.student_t import StudentTHead
from tsformers.nn.missing import carry_forward
from tsformers.nn.recurrent.block import RecurrentBlock
from tsformers.nn.recurrent.cell import RecurrentCell
from tsformers.nn.recurrent.gru import GRULayer
from tsformers.nn.recurrent.lru import LRULayer
from tsformers.nn.recurrent.s4d import S4DLayer
from tsformers.nn.recurrent.scan import linear_scan
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
