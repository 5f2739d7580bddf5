"""Tab *Find similar*."""
