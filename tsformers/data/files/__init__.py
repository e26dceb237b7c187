"""Read and write tables in files."""
