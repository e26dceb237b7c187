"""Panels, forecasts and tables of many series, block by block."""
