"""Exponential smoothing: likelihood, its maximum, choice of models and draws."""
