"""Forms of time columns: one a file, each read and written on unique values."""
