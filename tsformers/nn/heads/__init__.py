"""Output heads: from features to distributions."""
