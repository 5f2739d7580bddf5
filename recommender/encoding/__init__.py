"""RGB in, unit embeddings and calibrated beliefs out."""
