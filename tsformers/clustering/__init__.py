"""Clustering of series."""
