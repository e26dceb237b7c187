"""One-dimensional distributions, vectorised over series."""
