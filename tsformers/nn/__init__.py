"""Building blocks: plain ``torch.nn.Module``s, usable without the rest."""

from tsformers.nn.heads import NegativeBinomialHead, NormalHead, QuantileHead, StudentTHead, make_head

__all__ = [
    "NegativeBinomialHead",
    "NormalHead",
    "QuantileHead",
    "StudentTHead",
    "make_head",
]
