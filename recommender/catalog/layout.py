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
_BETWEEN = re.compile(r"\s*[|;,\n]\s*")


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

    def called(self, cell: str | None) -> list[str]:
        """The pictures that a column's cell names: one, or several with `|`, `;` or `,` between."""
        if cell is None:
            return []
        parts = [cell] if self._called(cell) else _BETWEEN.split(cell)
        return [found for part in parts if (found := self._called(part))]

    def _called(self, path: str) -> str | None:
        path = path.replace("\\", "/").removeprefix("./")
        places = (f"{self.folder}{path}", f"{self.folder}images/{path}", path)
        return next((self.names[p.lower()] for p in places if p.lower() in self.names), None)

    def of(self, ids: Sequence[str | None], cells: Sequence[str | None]) -> list[list[str]]:
        """The pictures of items, of each its own first, then its further views.

        Its own is the first that a column names, else the one of its id, else its first view.

        Args:
            ids: of the rows.
            cells: what a column calls their pictures, None where it says nothing.
        """
        keys = [key_of(item_id or "") for item_id in ids]
        named = [self.called(cell) for cell in cells]
        stems = {self.by_stem.get(key) for key in keys}  # SKU-1.jpg may be one's own, not a view
        found = []
        for key, told in zip(keys, named, strict=True):
            views = [name for name in self.views.get(key, ()) if name not in stems]
            stem = [] if told or key not in self.by_stem else [self.by_stem[key]]
            found.append(list(dict.fromkeys([*told, *stem, *views])))
        return found

    def notes_on(self, taken: Iterable[Sequence[str]]) -> list[str]:
        """What there is to say of the pictures that are no item's, given those that are."""
        of_items = {name for names in taken for name in names}
        said = {
            "passed over {} pictures, as others have their names": self.twice,
            "{} pictures are of no row": [
                name for name in self.by_stem.values() if name not in of_items
            ],
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
        elif view := _VIEW.fullmatch(stem):
            views.setdefault(key_of(view[1]), []).append((int(view[2]), name))
    ordered = {key: [name for _, name in sorted(found)] for key, found in views.items()}
    return Pictures(folder, by_stem, ordered, twice, {name.lower(): name for name in below})


def _is_picture(name: str) -> bool:
    path = PurePosixPath(name)
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in path.parts)
    return not hidden and path.suffix.lower() in _PICTURES
