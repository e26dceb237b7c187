"""Data sets loaded by name: recipes, table layouts and downloads."""
