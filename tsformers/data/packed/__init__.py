"""Computations on packed series: one array for all of them, each series by itself."""
