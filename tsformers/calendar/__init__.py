"""Frequencies and time grids: inference, checks, arithmetic, calendar features, seasons."""
