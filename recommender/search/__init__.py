"""A query -> hits: the one corridor."""
