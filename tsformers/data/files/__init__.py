"""Reading and writing files of tables."""
