"""Attention layers."""

from tsformers.nn.attention.autocorrelation import AutoCorrelation, AutoCorrelationLayer
from tsformers.nn.attention.conv_attention import CausalConvolution, ConvAttention, ConvTransformer, GroupedLinear

__all__ = [
    "AutoCorrelation",
    "AutoCorrelationLayer",
    "CausalConvolution",
    "ConvAttention",
    "ConvTransformer",
    "GroupedLinear",
]
