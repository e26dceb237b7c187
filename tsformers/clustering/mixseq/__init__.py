"""MixSeq: mixtures of autoregressive networks that cluster series by how they move."""

from tsformers.clustering.mixseq.clusterer import MixSeq

__all__ = ["MixSeq"]
