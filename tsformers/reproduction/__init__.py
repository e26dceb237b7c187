"""Published experiments, measured again."""
