"""Recurrent layers and the scans beneath them."""
