"""Closed-form base forecasts of Blend, and the features that weigh them: compiled, many ragged contexts at a time."""
