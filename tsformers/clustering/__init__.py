"""Clusterers of series, and coresets for them."""
