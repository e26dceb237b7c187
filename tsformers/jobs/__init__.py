"""Job files and the models they name."""
