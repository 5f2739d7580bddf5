"""Who asks, and what is taken out of the gallery of each; `protocol` says what for."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from recommender.catalog.items import build_catalog, catalog_frame, load_catalog
from recommender.catalog.sources import read_source
from recommender.catalog.splits import name_groups, split_names
from recommender.errors import CatalogError
from recommender.evaluation.metrics import Ints
from recommender.search.recommender import Recommender

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Queries:
    """Who asks a gallery of n rows.

    Attributes:
        frame: the columns of a catalog, one row a query.
        own: for each query the gallery's rows that are itself, out of both galleries.
        named: for each query the rows that are itself or have its name, out of the strict one.
        picture_bytes: position -> the query's encoded picture.
        by_id: whether queries are items of the gallery, whose embeddings it holds.
        source: where they come from, in words.
        overlap: what was found of them in the gallery; empty where they come from it.
    """

    frame: pd.DataFrame
    own: tuple[Ints, ...]
    named: tuple[Ints, ...]
    picture_bytes: Callable[[int], bytes]
    by_id: bool
    source: str
    overlap: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.frame)

    def sample(self, count: int, seed: int = 0) -> "Queries":
        """`count` of them in their order, the same ones each time; all where there are fewer."""
        if count >= len(self):
            return self
        kept = np.sort(np.random.default_rng(seed).permutation(len(self))[:count])
        return replace(
            self,
            frame=self.frame.iloc[kept].reset_index(drop=True),
            own=tuple(self.own[i] for i in kept),
            named=tuple(self.named[i] for i in kept),
            picture_bytes=lambda position: self.picture_bytes(int(kept[position])),
            source=f"{count} of {self.source}",
        )


def choose_queries(
    recommender: Recommender,
    scratch: Path,
    *,
    archive: str | None = None,
    split: str | None = None,
    sample: int | None = None,
) -> Queries:
    """Who asks: an archive (or a split of it), else a split of the gallery itself, dev by default.

    Args:
        recommender: whose gallery will be asked.
        scratch: a folder for what is read of an archive, for as long as the queries are.
        archive: what `read_source` reads.
        split: `dev` or `test`.
        sample: at most so many, the same ones each time.

    Raises:
        CatalogError: there is none.
    """
    if archive is None:
        queries = split_queries(recommender, split or "dev")
    else:
        queries = archive_queries(recommender, archive, scratch, split)
    return queries if sample is None else queries.sample(sample)


def split_queries(recommender: Recommender, split: str) -> Queries:
    """The gallery's own items of a split by name group.

    Raises:
        CatalogError: the split has none of them.
    """
    frame = recommender.frame
    rows = np.flatnonzero(split_names(frame) == split)
    if not len(rows):
        raise CatalogError(
            f"The split {split} holds none of the catalog's {len(frame)} items: a split by name "
            "needs a larger catalog, or name an archive of --queries."
        )
    return gallery_queries(recommender, rows, f"the {split} split by name group")


def gallery_queries(recommender: Recommender, rows: Ints, source: str) -> Queries:
    """Items of the gallery, int64 rows of it of shape (q,); `source` says in words which."""
    asking = recommender.frame.iloc[rows].reset_index(drop=True)
    ids = asking["id"].tolist()
    own, named = _own_rows(recommender.frame, asking)
    return Queries(
        asking, own, named, lambda position: recommender.picture_bytes(ids[position]), True, source
    )


def archive_queries(
    recommender: Recommender, source: str, scratch: Path, split: str | None = None
) -> Queries:
    """The pictures of an archive that is not the gallery's, cleaned like any catalog.

    Args:
        recommender: whose gallery will be asked.
        source: what `read_source` reads.
        scratch: a folder for the cleaned archive; read for as long as the queries are.
        split: only the archive's items of this split by name group; all where None.

    Raises:
        CatalogError: it cannot be read, or holds no item (of the split).
    """
    build_catalog(read_source(source), scratch / "catalog", source=source)
    items = load_catalog(scratch / "catalog")
    frame = catalog_frame(items)
    kept = np.arange(len(frame)) if split is None else np.flatnonzero(split_names(frame) == split)
    if not len(kept):
        raise CatalogError(f"The split {split} holds none of the {len(frame)} items of {source}.")
    asking = frame.iloc[kept].reset_index(drop=True)
    gallery = recommender.frame
    own, named = _own_rows(gallery, asking)
    overlap = {
        "same id": int(asking["id"].isin(gallery["id"]).sum()),
        "identical picture": int(asking["image_hash"].isin(gallery["image_hash"]).sum()),
        "same name": sum(len(n) > len(o) for n, o in zip(named, own, strict=True)),
    }
    if any(overlap.values()):
        overlaps = ", ".join(f"{count:,} by {what}" for what, count in overlap.items() if count)
        logger.warning("queries overlap the catalog (%s): taken out of their galleries", overlaps)

    name = f"{source}, {split} split by name group" if split else source
    held = items.select(kept)
    return Queries(asking, own, named, lambda i: held[i]["image"]["bytes"], False, name, overlap)


def _own_rows(
    gallery: pd.DataFrame, asking: pd.DataFrame
) -> tuple[tuple[Ints, ...], tuple[Ints, ...]]:
    """For each query the gallery's rows that are itself, and those or its namesakes."""
    both = pd.concat([gallery, asking], ignore_index=True)
    count = len(gallery)

    def same(codes: Ints) -> list[Ints]:
        order = np.argsort(codes[:count], kind="stable")
        ends = [np.searchsorted(codes[order], codes[count:], side) for side in ("left", "right")]
        return [order[start:end] for start, end in zip(*ends, strict=True)]

    ids, pictures = same(both["id"].to_numpy()), same(pd.factorize(both["image_hash"])[0])
    own = tuple(np.union1d(a, b) for a, b in zip(ids, pictures, strict=True))
    names = same(name_groups(both))
    return own, tuple(np.union1d(a, b) for a, b in zip(own, names, strict=True))
