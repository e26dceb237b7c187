"""make_head: the output head of a ``likelihood=`` setting."""

from torch import nn

from tsformers.errors import TsformersError
from tsformers.messages import Either, Setting
from tsformers.nn.heads.base import DistributionOutput
from tsformers.nn.heads.gluonts_output import OutputHead
from tsformers.nn.heads.negative_binomial import NegativeBinomialHead
from tsformers.nn.heads.normal import NormalHead, SquaredErrorHead
from tsformers.nn.heads.quantile import QuantileFunctionHead, QuantileHead
from tsformers.nn.heads.student_t import StudentTHead

HEADS: dict[str, type[NormalHead | SquaredErrorHead | StudentTHead | NegativeBinomialHead | QuantileHead]] = {
    "normal": NormalHead,
    "squared_error": SquaredErrorHead,
    "student_t": StudentTHead,
    "negative_binomial": NegativeBinomialHead,
    "quantile": QuantileHead,
    "quantile_function": QuantileFunctionHead,
}


def make_head(likelihood: str | DistributionOutput, width: int, channels: int) -> nn.Module:
    """The output head of a ``likelihood=`` setting.

    Args:
        likelihood: "normal", "squared_error", "student_t", "negative_binomial", "quantile", "quantile_function", or an
            object with GluonTS's ``DistributionOutput`` interface.
        width: D, of the features.
        channels: C.

    Returns:
        A module to be called as ``head(features, location, window.scale)``.

    Raises:
        ValueError: an unknown name, or an object without that interface.

    Example:
        >>> type(make_head("student_t", 8, 1)).__name__
        'StudentTHead'

    Source: the table ``HEADS``.
    """
    if isinstance(likelihood, str) and likelihood in HEADS:
        return HEADS[likelihood](width, channels)
    if not isinstance(likelihood, str) and isinstance(likelihood, DistributionOutput):
        return OutputHead(likelihood, width, channels)
    raise TsformersError(
        Setting("likelihood", likelihood),
        f" is unknown; choose one of {', '.join(HEADS)}",
        Either(" or give an object with GluonTS's DistributionOutput interface", ""),
    )
