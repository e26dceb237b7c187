"""From data frames to panels, windows and forecasts, and back."""
