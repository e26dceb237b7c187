"""The command `inspect` and the commands that it names."""
