"""Forecasters, one file each; importing one imports no other."""
