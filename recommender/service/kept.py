"""Answers that were given before, for whoever asks the same again."""

import json
from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256
from threading import Lock
from typing import Any

_MAX_BYTES = 8 * 2**20
_LARGEST_BYTES = 2**20


class Kept:
    """JSON objects by what was asked, as text: each who gets one may change it. Thread-safe.

    Those asked for longest ago go first, once they take more than 8 MB together.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._texts: OrderedDict[bytes, bytes] = OrderedDict()
        self._bytes = 0

    def answer(self, asked: Any, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """What was answered before or, where it was not or was too large to be kept, is made now.

        Args:
            asked: JSON of any size: its digest is kept.
            make: answers it.
        """
        key = sha256(json.dumps(asked, sort_keys=True, default=list).encode()).digest()
        with self._lock:
            if (text := self._texts.get(key)) is not None:
                self._texts.move_to_end(key)
        if text is not None:
            known: dict[str, Any] = json.loads(text)
            return known
        made = make()
        text = json.dumps(made).encode()
        if len(text) <= _LARGEST_BYTES:
            with self._lock:
                self._bytes += len(text) - len(self._texts.pop(key, b""))
                self._texts[key] = text
                while self._bytes > _MAX_BYTES:
                    self._bytes -= len(self._texts.popitem(last=False)[1])
        return made
