"""Which file of a source is its table, and which is the picture of an item."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import unquote

from recommender.catalog.tables import READERS
from recommender.catalog.values import composed, whole_number
from recommender.errors import CatalogError

_USUAL = "styles.csv"
_DEEPEST = 3
"""Folders that a table may lie in: archivers put one around another."""
_KAGGLES_COPY = "myntradataset"  # the same tree again, inside Kaggle's own archive
_PICTURES = {"", ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".avif"}
_PICTURES |= {".tif", ".tiff", ".heic", ".heif"}  # which are not read, and are said so
"""Suffixes of pictures; what else lies beside one, such as its .json or .xmp, is none."""
_VIEW = re.compile(r"(.+?)(?:[_\- ](\d{1,2})| ?\((\d{1,2})\))")
_WEB = re.compile(r"(https?:)?//")
_FRONT = re.compile(r"(?<![a-z])(front|main|primary|cover|hero|vorne|vorderseite)(?![a-z])")
_NUMBERS = re.compile(r"\d+_(\d+_)+")  # as of a day, which begins with no id
_BETWEEN = re.compile(r"\s*[|;,\n]\s*")


def find_table(names: Collection[str], found_in: str) -> str | None:
    """The table nearest to the top: `styles.csv`, or else the only one that there is.

    Raises:
        CatalogError: there are several.
    """
    tables = [
        name
        for name in names
        if name.count("/") <= _DEEPEST
        and name.lower().rpartition(".")[2] in READERS
        and not name.lower().endswith(".json")
        and not PurePosixPath(name).name.startswith((".", "~$"))  # as of a workbook that is open
    ]
    usual = [name for name in tables if PurePosixPath(name).name == _USUAL]
    if not tables:
        tables = _lists(names)
    nearest = min((name.count("/") for name in usual or tables), default=0)
    tables = [name for name in usual or tables if name.count("/") == nearest]
    if len(tables) > 1:
        tables = [name for name in tables if _KAGGLES_COPY not in name] or tables[:1]
    if len(tables) > 1:
        found = ", ".join(sorted(tables)[:5])
        raise CatalogError(f"{found_in} has several tables, {found}: leave the one that is meant.")
    return tables[0] if tables else None


def _lists(names: Collection[str]) -> list[str]:
    """JSON that may be a table: at the top, and beside no picture of its name."""
    stems = {PurePosixPath(name).stem for name in names if _is_picture(name)}
    top = [name for name in names if "/" not in name and name.lower().endswith(".json")]
    return [name for name in top if PurePosixPath(name).stem not in stems and name[0] != "."]


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
        """The picture at a path; at the end of one, where another machine's comes before that."""
        path = composed(path.strip()).replace("\\", "/").removeprefix("./").lower()
        steps = [path] if _WEB.match(path) else path.split("/")
        for end in ("/".join(steps[at:]) for at in range(len(steps))):
            for written in dict.fromkeys((end, unquote(end))):
                for place in (f"{self.folder}{written}", f"{self.folder}images/{written}", written):
                    if found := self.names.get(place.lower()):
                        return found
        return None

    def of(self, ids: Sequence[str | None], cells: Sequence[str | None]) -> list[list[str]]:
        """The pictures of items, of each its own first, then its further views.

        Its own is the first that a column names, else the one of its id, else its first view.

        Args:
            ids: of the rows.
            cells: what a column calls their pictures, None where it says nothing.
        """
        keys = [key_of(item_id or "") for item_id in ids]
        named = [self.called(cell) for cell in cells]
        lacking = [
            key
            for key, told in zip(keys, named, strict=True)
            if key and not told and key not in self.by_stem and key not in self.views
        ]
        by_key = self.by_stem | self.by_letters(lacking, {*keys})
        of_key = self.views | self.by_beginnings([k for k in lacking if k not in by_key], {*keys})
        folders = self.folders({*keys})
        if len(folders) > len({*keys}) // 2:  # one an item; 1/2.jpg is no picture of the item 2
            by_key = {key: name for key, name in by_key.items() if key not in folders}
            of_key = of_key | folders
        stems = {by_key.get(key) for key in keys}  # SKU-1.jpg may be one's own, not a view
        found = []
        for key, told in zip(keys, named, strict=True):
            views = [name for name in of_key.get(key, ()) if name not in stems]
            stem = [] if told or key not in by_key else [by_key[key]]
            found.append(list(dict.fromkeys([*told, *stem, *views])))
        return found

    def by_letters(self, keys: Sequence[str], others: Collection[str]) -> dict[str, str]:
        """The pictures of ids that files cannot be named after: case and signs aside, if one alone.

        Args:
            keys: of the ids.
            others: keys whose pictures are known.
        """
        if not keys:
            return {}
        stems: dict[str, set[str]] = {}
        for stem, name in self.by_stem.items():
            if stem not in others:
                inside = name.removeprefix(self.folder).removeprefix("images/")
                for called in (stem, inside.rpartition(".")[0]):
                    stems.setdefault(_letters(called), set()).add(name)
        asked = Counter(map(_letters, keys))
        fitting = {key: stems.get(_letters(key), set()) for key in keys}
        return {
            key: next(iter(names))
            for key, names in fitting.items()
            if len(names) == 1 and asked[_letters(key)] == 1
        }

    def by_beginnings(self, keys: Sequence[str], others: Collection[str]) -> dict[str, list[str]]:
        """The pictures in a folder that is called as an id, or whose names begin with it.

        Such as `SKU-1/front.jpg` and `SKU-1_front.jpg`.

        Args:
            keys: of the ids.
            others: all ids' keys; a name belongs to the longest that it begins with.
        """
        if not keys:
            return {}
        alike = Counter(map(_letters, others))
        wanted, known = (
            {*keys},
            {letters: key for key in others if alike[letters := _letters(key)] == 1},
        )
        found = self.folders(wanted)
        inside = {name for names in found.values() for name in names}
        for name in sorted({*self.by_stem.values()} - inside, key=_view_order):
            begin, rest = _letters(PurePosixPath(name).stem), ""
            while begin and _letters(key_of(begin)) not in known:
                begin, _, last = begin.rpartition("_")
                rest = f"{last}_{rest}"
            key = known.get(_letters(key_of(begin)))
            if key in wanted and key is not None and rest and not _NUMBERS.fullmatch(rest):
                found.setdefault(key, []).append(name)
        return found

    def folders(self, keys: Collection[str]) -> dict[str, list[str]]:
        """The pictures in folders that are called as ids, those first that show the front."""
        found: dict[str, list[str]] = {}
        for name in sorted({*self.by_stem.values(), *self.twice}, key=_view_order):
            if (key := key_of(PurePosixPath(name).parent.name)) in keys:
                found.setdefault(key, []).append(name)
        return found

    def notes_on(self, taken: Iterable[Sequence[str]]) -> list[str]:
        """What there is to say of the pictures that are no item's, given those that are."""
        of_items = {name for names in taken for name in names}
        said = {
            "passed over {} pictures, as others have their names": [
                name for name in self.twice if name not in of_items
            ],
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
    return composed(stem.strip()) if number is None else str(number)


def number_in(stem: str) -> str | None:
    """The number that a picture is named by, as a view of it or by itself; else None.

    >>> number_in("0015970"), number_in("15970_2"), number_in("tee_2")
    ('15970', '15970', None)
    """
    view = _VIEW.fullmatch(stem)
    number = whole_number(view[1] if view else stem)
    return None if number is None else str(number)


def _letters(name: str) -> str:
    """What is left of a name in any case, whatever signs stand between.

    >>> _letters("A/1 b"), _letters("{a_1-B}")
    ('a_1_b', 'a_1_b')
    """
    return re.sub(r"[\W_]+", "_", composed(name).casefold()).strip("_")


def _view_order(name: str) -> tuple[bool, list[tuple[int, str]]]:
    """Views of one item: what is called the front goes first, then by numbers and names."""
    stem = PurePosixPath(name).stem.lower()
    numbered = [(int(n or 0), word) for n, word in re.findall(r"(\d{1,9})|(\D+)", stem)]
    return not _FRONT.search(stem), numbered


def find_pictures(names: Iterable[str], folder: str) -> Pictures:
    """The pictures in `images/` beside a table, or else anywhere below it.

    Args:
        names: of a source's files.
        folder: of the table, with a slash at its end, or empty.
    """
    below = [name for name in names if name.startswith(folder) and _is_picture(name)]
    chosen = [name for name in below if is_usual_place(name, folder)] or below
    # One near the top goes before one in a folder, a JPEG before what else has its stem.
    chosen.sort(key=lambda name: (name.count("/"), _rank(name)))
    by_stem: dict[str, str] = {}
    views: dict[str, list[tuple[int, str]]] = {}
    twice = []
    for name in chosen:
        stem = PurePosixPath(name).stem
        while (inner := PurePosixPath(stem)).suffix.lower() in _PICTURES - {""}:  # 1.jpg.jpg
            stem = inner.stem
        if by_stem.setdefault(key_of(stem), name) != name:
            twice.append(name)
        elif view := _VIEW.fullmatch(stem):
            views.setdefault(key_of(view[1]), []).append((int(view[2] or view[3]), name))
    ordered = {key: [name for _, name in sorted(found)] for key, found in views.items()}
    spelt = {composed(name.lower()): name for name in below}
    return Pictures(folder, by_stem, ordered, twice, spelt)


def is_usual_place(name: str, folder: str) -> bool:
    """Whether a file lies in `images/` beside a table."""
    return name.lower().startswith(f"{folder}images/".lower())


def _rank(name: str) -> int:
    """Of pictures with one stem that of the lowest rank is taken."""
    suffix = PurePosixPath(name).suffix.lower()
    unread = suffix in (".tif", ".tiff", ".heic", ".heif")
    return 0 if suffix in (".jpg", ".jpeg") else 2 if unread else 1


def _is_picture(name: str) -> bool:
    path = PurePosixPath(name)
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in path.parts)
    return not hidden and path.suffix.lower() in _PICTURES
