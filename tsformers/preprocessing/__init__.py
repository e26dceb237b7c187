"""Preprocessors: transformations of a panel that are inverted on the forecast."""
