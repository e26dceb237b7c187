"""Intermittent: forecasts of counts with zeros."""
