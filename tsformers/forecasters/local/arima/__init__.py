"""Seasonal ARIMA of one series: differences, search, exact likelihood, forecast."""
