"""How the shipped weights are made, and how their heads learn to be honest."""
