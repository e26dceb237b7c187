"""Coresets: weighted subsets of series and time steps for clustering at scale."""

from tsformers.clustering.coreset.coreset import Coreset

__all__ = ["Coreset"]
