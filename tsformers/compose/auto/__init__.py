"""Auto: the weighted mean of the candidates that do best on held-out windows, within a limit of time."""
