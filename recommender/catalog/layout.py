"""Which file of a source is its table, and which is the picture of an item."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from recommender.catalog.tables import READERS
from recommender.catalog.values import whole_number
from recommender.errors import CatalogError

_USUAL = "styles.csv"
_KAGGLES_COPY = "myntradataset"  # the same tree again, inside Kaggle's own archive
_PICTURES = {"", ".jpg", ".jpeg", ".jpe", ".png", ".webp", ".gif", ".bmp", ".avif"}
"""Suffixes of pictures; what else lies beside one, such as its .json or .xmp, is none."""
_VIEW = re.compile(r"(.+?)[_\- ](\d{1,2})")


def find_table(names: Collection[str], found_in: str) -> str | None:
    """The table, at the top or one level down: `styles.csv`, or else the only one that there is.

    Raises:
        CatalogError: there are several.
    """
    tables = [
        name
        for name in names
        if name.count("/") <= 1
        and name.lower().rpartition(".")[2] in READERS
        and not PurePosixPath(name).name.startswith(".")
    ]
    usual = [name for name in tables if PurePosixPath(name).name == _USUAL]
    nearest = min((name.count("/") for name in usual or tables), default=0)
    tables = [name for name in usual or tables if name.count("/") == nearest]
    if len(tables) > 1:
        tables = [name for name in tables if _KAGGLES_COPY not in name] or tables[:1]
    if len(tables) > 1:
        found = ", ".join(sorted(tables)[:5])
        raise CatalogError(f"{found_in} has several tables, {found}: leave the one that is meant.")
    return tables[0] if tables else None


@dataclass(frozen=True)
class Pictures:
    """Pictures by what they are named after.

    Attributes:
        folder: of the table; a path that it names begins there.
        by_stem: an id as `key_of` has it -> the picture's name.
        views: the same of pictures such as `ID_2.jpg` -> their names, in the views' order.
        twice: names that were passed over, as an earlier one has the same stem.
        names: of all pictures, by how they are spelt in small letters.
    """

    folder: str
    by_stem: dict[str, str]
    views: dict[str, list[str]]
    twice: list[str]
    names: dict[str, str]

    def __len__(self) -> int:
        return len(self.by_stem)

    def of(self, item_id: str | None, path: str | None = None) -> str | None:
        """The picture of an item: as a column says, else by its id, else its first view."""
        if path is not None:
            path = path.replace("\\", "/").removeprefix("./")
            for place in (f"{self.folder}{path}", f"{self.folder}images/{path}", path):
                if found := self.names.get(place.lower()):
                    return found
        key = key_of(item_id or "")
        views = self.views.get(key, [None])
        return self.by_stem.get(key, views[0])

    def notes_on(self, ids: Sequence[str | None], paths: Sequence[str | None]) -> list[str]:
        """What there is to say of the pictures that are not an item's.

        Args:
            ids: of the rows.
            paths: what a column calls their pictures, None where it says nothing.
        """
        pairs = zip(ids, paths, strict=True)
        taken = {name for item_id, path in pairs if (name := self.of(item_id, path))}
        keys = dict.fromkeys(key_of(item_id) for item_id in ids if item_id)
        views = {name: key for key in keys for name in self.views.get(key, ())}
        further = [name for name in views if name not in taken]
        others = [n for n in self.by_stem.values() if n not in taken and n not in views]
        items = len({views[name] for name in further})
        said = {
            "passed over {} pictures, as others have their names": self.twice,
            f"passed over {{}} pictures, further views of {items:,} items": further,
            "{} pictures are of no row": others,
        }
        return [
            f"{sentence.format(f'{len(names):,}')}: {', '.join(names[:3])}"
            for sentence, names in said.items()
            if names
        ]


def key_of(stem: str) -> str:
    """What an id and the name of its picture have in common, however zeros are written.

    >>> key_of("0015970"), key_of(" 15,970"), key_of("SKU-1")
    ('15970', '15970', 'SKU-1')
    """
    number = whole_number(stem)
    return stem.strip() if number is None else str(number)


def find_pictures(names: Iterable[str], folder: str) -> Pictures:
    """The pictures in `images/` beside a table, or else anywhere below it.

    Args:
        names: of a source's files.
        folder: of the table, with a slash at its end, or empty.
    """
    below = [name for name in names if name.startswith(folder) and _is_picture(name)]
    inside = f"{folder}images/".lower()
    chosen = [name for name in below if name.lower().startswith(inside)] or below
    # One near the top goes before one in a folder, a JPEG before what else has its stem.
    chosen.sort(key=lambda name: (name.count("/"), not name.lower().endswith((".jpg", ".jpeg"))))
    by_stem: dict[str, str] = {}
    views: dict[str, list[tuple[int, str]]] = {}
    twice = []
    for name in chosen:
        stem = PurePosixPath(name).stem
        if by_stem.setdefault(key_of(stem), name) != name:
            twice.append(name)
        if view := _VIEW.fullmatch(stem):
            views.setdefault(key_of(view[1]), []).append((int(view[2]), name))
    ordered = {key: [name for _, name in sorted(found)] for key, found in views.items()}
    return Pictures(folder, by_stem, ordered, twice, {name.lower(): name for name in below})


def _is_picture(name: str) -> bool:
    path = PurePosixPath(name)
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in path.parts)
    return not hidden and path.suffix.lower() in _PICTURES
