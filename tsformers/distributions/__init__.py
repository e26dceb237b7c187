"""Distributions of one value, vectorised over series."""
