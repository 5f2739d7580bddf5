"""A checked folder: what is served, and how it is built."""
