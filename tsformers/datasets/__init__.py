"""Data sets that load by name."""
