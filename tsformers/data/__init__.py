"""Data frames, panels, windows and forecasts, and the conversions between them."""
