"""Time grids: frequencies, arithmetic, calendar features and seasons."""
