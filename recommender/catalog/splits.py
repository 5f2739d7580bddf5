"""Train, dev and test: by name group, without some article types, or by the years' parity."""

import hashlib

import numpy as np
import numpy.typing as npt
import pandas as pd


def name_groups(frame: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Which items share a `productDisplayName` (case and spaces aside).

    Returns:
        int64 of shape (n,): the row of each group's first item; an item without a name is alone.
    """
    first: dict[str, int] = {}
    rows = [
        row if name is None else first.setdefault(name.casefold(), row)
        for row, name in enumerate(frame["productDisplayName"])
    ]
    return np.array(rows, dtype=np.int64)


def split_names(frame: pd.DataFrame) -> npt.NDArray[np.str_]:
    """Assign each item to `train` (85%), `dev` (5%) or `test` (10%) by its name group.

    The name's own hash decides, so a name stays in its split when the catalog grows or shrinks.

    Returns:
        str array of shape (n,).
    """

    def split(item_id: int, name: str | None) -> str:
        bucket = _bucket(f"id {item_id}" if name is None else name.casefold(), 100)
        return "test" if bucket < 10 else "dev" if bucket < 15 else "train"

    names = zip(frame["id"], frame["productDisplayName"], strict=True)
    return np.array([split(item_id, name) for item_id, name in names])


def split_types(frame: pd.DataFrame) -> npt.NDArray[np.str_]:
    """As `split_names`, but `unseen` the items of a twelfth of the article types, by their hash.

    What is trained on the rest tells whether it knows what it has never seen.

    Returns:
        str array of shape (n,).
    """
    types = frame["articleType"]
    unseen = types.map({name: not _bucket(name, 12) for name in types.dropna().unique()})
    return np.where(unseen.fillna(False).to_numpy(bool), "unseen", split_names(frame))


def split_years(frame: pd.DataFrame) -> npt.NDArray[np.str_]:
    """Assign each item to `train` (even years), `dev` (odd years) or `none` (no year).

    The only public split of this data, and a leaky one: names and pictures repeat across years.

    Returns:
        str array of shape (n,).
    """
    years = frame["year"].fillna(-1).to_numpy(np.int64)
    return np.where(years < 0, "none", np.where(years % 2 == 0, "train", "dev"))


SPLITS = {"names": split_names, "types": split_types, "years": split_years}


def _bucket(key: str, buckets: int) -> int:
    """Which of so many a text falls into, by its own hash alone."""
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=4).digest()) % buckets
