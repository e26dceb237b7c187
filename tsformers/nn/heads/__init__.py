"""Output heads: from features to distributions."""

from tsformers.nn.heads.base import DistributionOutput
from tsformers.nn.heads.distributions import Quantiles, Rescaled, SquaredError
from tsformers.nn.heads.gluonts_output import OutputHead
from tsformers.nn.heads.make import make_head
from tsformers.nn.heads.negative_binomial import NegativeBinomialHead
from tsformers.nn.heads.normal import NormalHead, SquaredErrorHead
from tsformers.nn.heads.quantile import QuantileFunctionHead, QuantileHead
from tsformers.nn.heads.student_t import StudentTHead

__all__ = [
    "DistributionOutput",
    "NegativeBinomialHead",
    "NormalHead",
    "OutputHead",
    "QuantileFunctionHead",
    "QuantileHead",
    "Quantiles",
    "Rescaled",
    "SquaredError",
    "SquaredErrorHead",
    "StudentTHead",
    "make_head",
]
