"""What visitors look for."""
