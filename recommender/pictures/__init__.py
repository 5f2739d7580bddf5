"""A stranger's bytes or web address -> an RGB picture within limits."""
