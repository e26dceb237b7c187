"""Every forecaster on many panels, measured alike, beside published numbers: a page that one command makes."""
