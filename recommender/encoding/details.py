"""What pictures show beside the usual labels: pattern, sleeves, neck and the like.

Each detail has a head on the pooled maps, fitted to a network that stays as it is, so that nothing
of an embedding depends on it. Not everything has sleeves: a detail is told of pictures of the types
whose items have it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from recommender.encoding.agreement import Beliefs
from recommender.schema import TYPE

PREFIX = "details."
"""Of the heads' tensors in a weights file."""
_HAVE = 0.5
"""How sure it must be that a picture shows something that has a detail."""


@dataclass(frozen=True, kw_only=True)
class Detail:
    """What a weights file's header says of one.

    Attributes:
        classes: its values.
        types: the article types whose items have it.
        temperature: what the head's logits were divided by; it is in its tensors already.
    """

    classes: tuple[str, ...]
    types: tuple[str, ...]
    temperature: float = 1.0

    def __post_init__(self) -> None:
        for name in ("classes", "types"):
            object.__setattr__(self, name, tuple(values := getattr(self, name)))
            if isinstance(values, str) or not all(isinstance(value, str) for value in values):
                raise ValueError(f"{name} of a detail are texts")


def shown_details(
    beliefs: Beliefs,
    details: Mapping[str, Detail],
    types: Sequence[str],
    corrected: Mapping[str, str],
) -> Beliefs:
    """What is believed of one picture, without details that such a thing does not have.

    Args:
        beliefs: label or detail -> float32 of shape (1, classes).
        details: those that have heads.
        types: the classes of article types.
        corrected: label -> the value that somebody says it has.
    """
    shares = dict(zip(types, beliefs[TYPE][0].tolist(), strict=True)) if TYPE in beliefs else {}
    shares = {said: 1.0} if (said := corrected.get(TYPE)) else shares
    silent = {
        name
        for name, detail in details.items()
        if name not in corrected and sum(shares.get(t, 0.0) for t in detail.types) < _HAVE
    }
    return {name: believed for name, believed in beliefs.items() if name not in silent}
