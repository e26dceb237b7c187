"""Training of networks: windows, loop, early stopping."""
