"""How good the recommendations are, by the functions that are served."""
