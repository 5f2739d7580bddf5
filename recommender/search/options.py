"""Every knob of a search, in one place."""

from typing import Literal

MAX_K = 100


Ranking = Literal["auto", "image", "hybrid"]
"""By what the pictures show alone, or also by what is known of the items; `auto` is the better."""
