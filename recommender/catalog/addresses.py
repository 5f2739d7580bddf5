"""Pictures that a table names by web addresses -> files beside the store, each fetched once."""

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from tqdm.auto import tqdm

from recommender.catalog.cleaning import RawCatalog
from recommender.catalog.columns import MORE_PICTURES, PICTURE
from recommender.catalog.items import PICTURE_LIMITS
from recommender.catalog.views import MOST_VIEWS, View
from recommender.errors import CatalogError, FetchError, ImageError
from recommender.files import whole_file
from recommender.pictures.fetch import PUBLIC_ONLY, FetchPolicy, fetch_image

_AT_ONCE = 8  # of which most wait; a shop's server bears as many from one browser
_TIMEOUT_SECONDS = 20.0
_NEXT_ADDRESS = re.compile(r"[\s,;|]+(?=(?:https?:)?//)", re.IGNORECASE)


def addresses_of(cell: Any) -> list[str]:
    """The web addresses in a cell, in order.

    >>> addresses_of(" https://a.example/1.jpg, https://a.example/2.jpg"), addresses_of("1.jpg")
    (['https://a.example/1.jpg', 'https://a.example/2.jpg'], [])
    >>> addresses_of("//cdn.example/1.jpg")
    ['https://cdn.example/1.jpg']
    """
    text = cell.strip() if isinstance(cell, str) else ""
    if not text.lower().startswith(("https://", "http://", "//")):
        return []
    # Shops' pages leave out the scheme.
    return [re.sub(r"^//", "https://", address) for address in _NEXT_ADDRESS.split(text)]


def fetch_pictures(
    raw: RawCatalog,
    folder: Path,
    *,
    fetch: bool = True,
    policy: FetchPolicy = PUBLIC_ONLY,
) -> RawCatalog:
    """The same rows, with the pictures that their addresses lead to where the source has none.

    The first address of a cell leads to the item's own, the others to further views, and so do
    those of the columns for these.

    Each is kept as it came, in a file that is named by the hash of its address: what is there is
    not fetched again, so that a command that was killed goes on. One that cannot be fetched costs
    its own row.

    Args:
        raw: what a source found.
        folder: where the pictures lie.
        fetch: whether to ask the web at all; else only what lies there is used.
        policy: whom to speak to; only tests give another.

    Raises:
        CatalogError: a picture cannot be written.
    """
    told = _told(raw)
    if not told:
        return raw
    own = {at: cells.own for at, cells in told.items() if cells.own}
    asked = [address for cells in told.values() for address in cells.all]
    places = {address: folder / _name_of(address) for address in asked}
    wanted = [address for address, path in places.items() if not path.is_file()]
    failed = _fetch_all(wanted, places, policy) if fetch else {}
    reason = FetchError("its web address was not asked, as --no-fetch says.")
    left_out = failed if fetch else dict.fromkeys(wanted, reason)

    def read(address: str) -> bytes:
        if (error := left_out.get(address)) is not None:
            raise error
        return places[address].read_bytes()

    def read_picture(position: int) -> bytes | None:
        return read(own[position]) if position in own else raw.read_picture(position)

    def views(position: int) -> list[View]:
        further = told[position].further if position in told else ()
        return [*raw.views(position), *(View(one, partial(read, one)) for one in further)]

    count = len(wanted) - len(failed) if fetch else 0
    notes = [f"fetched {count:,} pictures; {len(places) - len(wanted):,} were there already"]
    if failed:
        notes.append(f"{len(failed):,} could not be fetched; the same command tries these again")
    return replace(raw, read_picture=read_picture, views=views, notes=[*raw.notes, *notes])


class _Told(NamedTuple):
    """The addresses of a row that are to be asked: of its own picture, and of further ones."""

    own: str | None
    further: Sequence[str]

    @property
    def all(self) -> list[str]:
        return [*([self.own] if self.own else []), *self.further]


def _told(raw: RawCatalog) -> dict[int, _Told]:
    """Of each row that names addresses."""
    empty = [None] * len(raw.rows)
    cells = (raw.rows.get(name, empty) for name in (PICTURE, MORE_PICTURES))
    told = {}
    for at, (first, more) in enumerate(zip(*cells, strict=True)):
        its = addresses_of(first)
        both = list(dict.fromkeys([*its, *addresses_of(more)]))[: MOST_VIEWS + 1]
        # A file of the source's own goes before what an address leads to.
        if both and _has_picture(raw, at):
            told[at] = _Told(None, both[1:] if its else both)
        elif both:
            told[at] = _Told(both[0], both[1:])
    return told


def _has_picture(raw: RawCatalog, position: int) -> bool:
    try:
        return raw.read_picture(position) is not None
    except ImageError:  # it has one, and why it is not read is said later
        return True


def _name_of(address: str) -> str:
    return sha256(address.encode()).hexdigest()[:32]


def _fetch_all(
    addresses: list[str], places: Mapping[str, Path], policy: FetchPolicy
) -> dict[str, FetchError]:
    """Fetch to their places what can be; why the others cannot."""
    failed: dict[str, FetchError] = {}

    def one(address: str) -> None:
        data = fetch_image(
            address, limits=PICTURE_LIMITS, timeout_seconds=_TIMEOUT_SECONDS, policy=policy
        )
        with whole_file(places[address]) as building:
            building.write_bytes(data)

    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="fetch") as pool:
        futures = {pool.submit(one, address): address for address in addresses}
        try:
            for future in tqdm(as_completed(futures), "Fetching pictures", len(futures)):
                try:
                    future.result()
                except FetchError as error:
                    failed[futures[future]] = error
                except OSError as error:
                    raise CatalogError(
                        f"A picture cannot be kept: {error.strerror or error}."
                    ) from error
        finally:
            pool.shutdown(cancel_futures=True)
    return failed
