"""What forecasters of one series at a time share."""
