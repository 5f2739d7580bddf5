"""What trends, evaluation and training draw with."""
