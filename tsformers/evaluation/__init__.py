"""Backtests: rolling origins, run folders, results and reports."""
