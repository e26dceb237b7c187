"""Charts of forecasts, decompositions, regimes and alarms."""
