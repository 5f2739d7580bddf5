"""What somebody says that a picture shows, in place of what it makes one believe."""

import difflib
from collections.abc import Mapping, Sequence

from recommender.encoding.agreement import Agreement
from recommender.errors import QueryError
from recommender.index.embeddings import Floats
from recommender.schema import TYPE

_MAX_LISTED = 12
KIND = {TYPE: 1.5}
"""How many times its usual share it counts that two things are of one type, where it is known which
type the one is. An agreement's weights are for beliefs; by them a shirt's own colour on a jacket is
worth as much as another shirt. So it is not, nor do a season and its like outweigh the type. Chosen
on dev."""


def check_corrections(said: object, labels: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Label -> the value that somebody says it has, as far as an encoder knows both.

    Args:
        said: what was sent, of whatever type.
        labels: each label that the encoder sees -> its values.

    Raises:
        QueryError: it is something else; names what would be right, and repeats nothing of it.

    >>> check_corrections({"gender": "Men"}, {"gender": ["Men", "Women"]})
    {'gender': 'Men'}
    """
    if not isinstance(said, Mapping):
        raise QueryError('corrected is an object such as {"articleType": "Shirts"}.')
    if said and not labels:
        raise QueryError("Nothing can be corrected: this catalog's encoder sees no attributes.")
    checked: dict[str, str] = {}
    for label, value in said.items():
        if label not in labels:
            raise QueryError(f"There is nothing such to correct: {', '.join(labels)} are seen.")
        if value not in (values := labels[label]):
            raise QueryError(f"{label} cannot be that; {_nearest(value, values)}.")
        checked[label] = value
    return checked


def asked_with(
    agreement: Agreement,
    vectors: Floats,
    corrected: Mapping[str, str],
    *,
    learnt: bool = False,
    known: bool = False,
) -> Floats:
    """What is multiplied with a gallery's embeddings: float32 of shape (q, dim), unit rows.

    Where it is known what kind of thing asks, that is stressed (`KIND`), and rows are a little
    longer.

    Args:
        agreement: how embeddings are laid out.
        vectors: float32 of shape (q, dim), what pictures, items or words make one believe.
        corrected: label -> the value that is certain.
        learnt: whether the vectors have learnt to ask as they are.
        known: whether their types are known, not believed.
    """
    if corrected:
        vectors = with_corrections(agreement, vectors, corrected)
    asks = vectors if learnt and not corrected else agreement.as_queries(vectors)
    return agreement.stressed(asks, KIND) if known else asks


def with_corrections(agreement: Agreement, vectors: Floats, corrected: Mapping[str, str]) -> Floats:
    """Queries of which some labels are certain, float32 of shape (q, dim)."""
    labels = {label: [value] * len(vectors) for label, value in corrected.items()}
    return agreement.with_labels(vectors, labels)


def _nearest(value: object, values: Sequence[str]) -> str:
    if len(values) <= _MAX_LISTED:
        return f"it is one of {', '.join(values)}"
    near = difflib.get_close_matches(value[:80], values, n=3) if isinstance(value, str) else []
    return f"nearest are {', '.join(near or values[:3])}"
