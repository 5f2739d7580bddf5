"""A source -> items on disk, items that change, and their splits."""
