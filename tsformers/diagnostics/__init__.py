"""What data hold, before and after a model."""
