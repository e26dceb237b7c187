"""Streams of rows: sources, sinks and the detector between them."""
