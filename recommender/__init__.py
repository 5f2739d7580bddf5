"""Image-based fashion recommender: source -> catalog -> embeddings -> index -> engine -> ui."""
