"""Pictures that a table names by web addresses -> files beside the store, each fetched once."""

import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

from recommender.catalog.cleaning import RawCatalog
from recommender.catalog.columns import PICTURE
from recommender.catalog.items import PICTURE_LIMITS
from recommender.errors import CatalogError, FetchError, ImageError
from recommender.files import whole_file
from recommender.pictures.fetch import PUBLIC_ONLY, FetchPolicy, fetch_image

_AT_ONCE = 8  # of which most wait; a shop's server bears as many from one browser
_TIMEOUT_SECONDS = 20.0
_NEXT_ADDRESS = re.compile(r"[\s,;|]+(?=https?://)", re.IGNORECASE)


def address_of(cell: Any) -> str | None:
    """The web address in a cell, the first of several; None where it holds none.

    >>> address_of(" https://a.example/1.jpg, https://a.example/2.jpg"), address_of("1.jpg")
    ('https://a.example/1.jpg', None)
    """
    text = cell.strip() if isinstance(cell, str) else ""
    if not text.lower().startswith(("https://", "http://")):
        return None
    return _NEXT_ADDRESS.split(text)[0]


def fetch_pictures(
    raw: RawCatalog,
    folder: Path,
    *,
    fetch: bool = True,
    policy: FetchPolicy = PUBLIC_ONLY,
) -> RawCatalog:
    """The same rows, with the pictures that their addresses lead to where the source has none.

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
    if PICTURE not in raw.rows:
        return raw
    cells = enumerate(raw.rows[PICTURE])
    addresses = {at: address for at, cell in cells if (address := address_of(cell))}
    # A file of the source's own goes before what an address leads to.
    addresses = {at: address for at, address in addresses.items() if not _has_picture(raw, at)}
    if not addresses:
        return raw
    places = {address: folder / _name_of(address) for address in addresses.values()}
    wanted = [address for address, path in places.items() if not path.is_file()]
    failed = _fetch_all(wanted, places, policy) if fetch else {}
    reason = FetchError("its web address was not asked, as --no-fetch says.")
    left_out = failed if fetch else dict.fromkeys(wanted, reason)

    def read_picture(position: int) -> bytes | None:
        if (address := addresses.get(position)) is None:
            return raw.read_picture(position)
        if (error := left_out.get(address)) is not None:
            raise error
        return places[address].read_bytes()

    count = len(wanted) - len(failed) if fetch else 0
    notes = [f"fetched {count:,} pictures; {len(places) - len(wanted):,} were there already"]
    if failed:
        notes.append(f"{len(failed):,} could not be fetched; the same command tries these again")
    return replace(raw, read_picture=read_picture, notes=[*raw.notes, *notes])


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
