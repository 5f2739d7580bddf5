"""What other views of a picture count for: one that leaves doubt is seen mirrored and larger too.

What a visitor shows is no packshot: the garment hangs askew, or is a small thing in a room. A view
of which the network is surer counts for more.

Source: test-time augmentation as weighed in Shanmugam et al., Better Aggregation in Test-Time
Augmentation, arXiv:2011.11156; the weights here follow from the doubt alone.
"""

import numpy as np

from recommender.encoding.agreement import Floats

DOUBT = 0.2
"""From this on a picture is looked at again (`Agreement.doubt`). Chosen on dev, as the next one."""
_SHARPNESS = 8.0
"""How much less a view counts with its doubt: by exp(-8 x)."""


def view_shares(doubt: Floats) -> Floats:
    """How much each view of a picture counts.

    Args:
        doubt: float32 of shape (v, b), that each of v views of b pictures leaves.

    Returns:
        float32 of shape (v, b), columns that sum to one.
    """
    shares = np.exp(-_SHARPNESS * (doubt - doubt.min(axis=0)))
    whole: Floats = shares / shares.sum(axis=0)
    return whole
