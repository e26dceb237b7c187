"""Blend: closed-form forecasts of each series, weighed by a small network."""
