"""From recipes and job files to backtests and reports."""
