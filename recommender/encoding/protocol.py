"""What the rest of the house asks of an encoder."""

from collections.abc import Callable, Mapping, Sequence, Set
from threading import Event
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image

from recommender.encoding.agreement import Agreement, Beliefs, Floats, likeliest
from recommender.encoding.details import Detail, shown_details
from recommender.encoding.places import Places
from recommender.encoding.regions import Asked, Regions, parts_of
from recommender.schema import TYPE

_LIKELY = 0.5
"""From which belief on a picture is taken to show what is believed."""


class Encoded(NamedTuple):
    """What an encoder makes of b pictures.

    Attributes:
        vectors: float32 of shape (b, dim), unit rows.
        beliefs: label or detail -> float32 of shape (b, classes), rows that sum to one.
        regions: of each picture that asked; empty where the encoder knows of none.
        matches: float32 of shape (b,), how sure it is that a picture shows what the catalog is of;
            None where the encoder does not know.
        places: of each picture that asked, what its places give to its looks; empty where these are
            no sums of places.
    """

    vectors: Floats
    beliefs: Beliefs
    regions: Sequence[Regions] = ()
    matches: Floats | None = None
    places: Sequence[Places] = ()


Shown = Mapping[str, Mapping[str, Floats]]
"""Column -> value -> float32 of shape (looks_dim,), of length one: where looks lean that show it;
of columns that no label is of."""


class TextTower(Protocol):
    """Texts in, unit embeddings out, where the encoder puts pictures of what they say."""

    @property
    def words(self) -> Set[str]:
        """Whole words that it has learnt, in lower case."""
        ...

    @property
    def shown(self) -> Shown:
        """What it knows better than by its words: values that looks show."""
        return {}

    def __call__(self, texts: Sequence[str]) -> Floats:
        """Texts -> float32 of shape (b, dim), unit rows."""
        ...


class PictureEncoder(Protocol):
    """Pictures in, unit embeddings out; to be called from many threads.

    Who derives from it is an encoder without heads and without second looks, unless it says more.

    Attributes:
        fingerprint: equal exactly when two encoders mean the same.
        dim: length of an embedding.
        input_px: (width, height) of what an item's picture is made into.
    """

    fingerprint: str
    dim: int
    input_px: tuple[int, int]

    @property
    def query_px(self) -> tuple[int, int]:
        """(width, height) that a picture that asks should have, as it may be looked at closely."""
        return self.input_px

    @property
    def labels(self) -> Mapping[str, Sequence[str]]:
        """Each head's label -> its classes."""
        return {}

    @property
    def details(self) -> Mapping[str, Detail]:
        """What else it tells of some pictures."""
        return {}

    @property
    def classes(self) -> Mapping[str, Sequence[str]]:
        """Each label or detail -> its classes."""
        return {**self.labels, **{name: told.classes for name, told in self.details.items()}}

    @property
    def agreement(self) -> Agreement:
        """How looks and beliefs make an embedding."""
        return Agreement(looks_dim=self.dim)

    @property
    def texts(self) -> TextTower | None:
        """Its own side for texts; None where it is of pictures alone."""
        return None

    def make_ready(self, stop: Event | None = None) -> None:
        """Make ready, once, what the first pictures would wait for; set, `stop` ends it early."""
        return

    def prepare(self, picture: Image.Image) -> npt.NDArray[np.uint8]:
        """RGB of any size -> uint8 of shape (h, w, 3)."""
        ...

    def encode_prepared(self, prepared: npt.NDArray[np.uint8]) -> Encoded:
        """A batch of prepared pictures, uint8 of shape (b, h, w, 3), each seen once."""
        ...

    def encode_items(self, pictures: Sequence[Image.Image]) -> Encoded:
        """Pictures of a gallery, RGB of any size, each seen once."""
        return self.encode_prepared(np.stack([self.prepare(picture) for picture in pictures]))

    def encode_queries(
        self, pictures: Sequence[Image.Image], asked: Sequence[Asked] | None = None
    ) -> Encoded:
        """Pictures that ask, RGB of any size, or parts of them, seen as often as it takes."""
        return self.encode_items(parts_of(pictures, asked))

    def record(self) -> dict[str, Any]:
        """What a manifest or a report says of it."""
        ...


EncodeQueries = Callable[[Sequence[Image.Image], Sequence[Asked] | None], Encoded]
Wrap = Callable[[EncodeQueries], EncodeQueries]
"""Makes pictures that ask go another way: by a GPU for a moment, in batches with others'."""


def joined(parts: Sequence[Encoded]) -> Encoded:
    """What was made of batches, at least one, as of all their pictures."""
    matches = [part.matches for part in parts if part.matches is not None]
    return Encoded(
        np.concatenate([part.vectors for part in parts]),
        concatenate([part.beliefs for part in parts]),
        [found for part in parts for found in part.regions],
        np.concatenate(matches) if matches else None,
        [given for part in parts for given in part.places],
    )


def part_of(whole: Encoded, rows: slice) -> Encoded:
    """What was made of some pictures of a batch."""
    return Encoded(
        whole.vectors[rows],
        {name: believed[rows] for name, believed in whole.beliefs.items()},
        whole.regions[rows],
        None if whole.matches is None else whole.matches[rows],
        whole.places[rows],
    )


def concatenate(beliefs: Sequence[Beliefs]) -> Beliefs:
    """Beliefs of batches, at least one, as those of all their pictures."""
    return {name: np.concatenate([batch[name] for batch in beliefs]) for name in beliefs[0]}


def told_of(
    encoder: PictureEncoder,
    beliefs: Beliefs,
    at: int = 0,
    corrected: Mapping[str, str] | None = None,
) -> Beliefs:
    """What an encoder believes of one of some pictures, each label's rows; see `shown_details`."""
    own = {name: believed[at : at + 1] for name, believed in beliefs.items()}
    return shown_details(own, encoder.details, encoder.labels.get(TYPE, ()), corrected or {})


def likely_in(encoder: PictureEncoder, beliefs: Beliefs) -> dict[str, str]:
    """What a picture likely shows: label or detail -> class; nothing of beliefs in several."""
    if any(len(believed) != 1 for believed in beliefs.values()):
        return {}
    told = likeliest(told_of(encoder, beliefs), encoder.classes, 1)
    return {name: value for name, [(value, share)] in told.items() if share >= _LIKELY}
