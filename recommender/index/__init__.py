"""Vectors, and the exact best of them."""
