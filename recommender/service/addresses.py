"""Pictures that visitors name by a web address: so many at once, in a place of their own."""

from threading import BoundedSemaphore

from recommender.errors import FetchError
from recommender.pictures.fetch import fetch_image
from recommender.service.sentences import BUSY_FETCHING, NO_ADDRESSES

_AT_ONCE = 8


class Fetching:
    """A server that answers slowly holds a place here, and none of others' questions."""

    def __init__(self, *, allowed: bool = True) -> None:
        self._allowed = allowed
        self._places = BoundedSemaphore(_AT_ONCE)

    def __call__(self, url: str) -> bytes:
        """The bytes of the picture at a web address.

        Raises:
            FetchError: that is turned off, or too many are being fetched, or the address is
                refused, does not answer or has no picture.
        """
        if not self._allowed:
            raise FetchError(NO_ADDRESSES)
        if not self._places.acquire(blocking=False):
            raise FetchError(BUSY_FETCHING)
        try:
            return fetch_image(url)
        finally:
            self._places.release()
