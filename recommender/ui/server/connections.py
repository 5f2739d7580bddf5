"""What a connection may take of the server before it asks and after: little, and not for long.

uvicorn reads a request's head however long it grows, copying it at each part that comes while
everyone else waits, and waits for ever for one that does not come; and for who does not take an
answer, which is kept meanwhile.
"""

import asyncio
import socket
from contextlib import suppress

from uvicorn import config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_HEAD_BYTES = 64 * 2**10
_HEAD_SECONDS, _BODY_SECONDS = 60.0, 600.0
_TAKEN_SECONDS = 120.0
TOO_LONG = "The head of this request is longer than any that is asked here."


class Connection(HttpToolsProtocol):
    """One that ends where a head is too long, or a request or the taking of its answer too slow."""

    _reads_head = True
    _head_bytes = 0
    _ends: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin."""
        super().connection_made(transport)
        # Where the system has no such limit, who does not take an answer is waited for.
        with suppress(OSError, AttributeError):
            accepted = transport.get_extra_info("socket")
            milliseconds = int(1000 * _TAKEN_SECONDS)
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)
        self._end_after(_HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._end_after(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on."""
        super().data_received(data)
        self._head_bytes = self._head_bytes + len(data) if self._reads_head else 0
        if self._head_bytes > _HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response(TOO_LONG)

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._reads_head = True
        self._end_after(_HEAD_SECONDS)

    def on_headers_complete(self) -> None:
        """Its body begins."""
        super().on_headers_complete()
        self._reads_head = False
        self._end_after(_BODY_SECONDS)

    def on_message_complete(self) -> None:
        """It is asked."""
        super().on_message_complete()
        self._end_after(None)

    def _end_after(self, seconds: float | None) -> None:
        if self._ends is not None:
            self._ends.cancel()
        later = asyncio.get_running_loop().call_later
        self._ends = None if seconds is None else later(seconds, self.transport.abort)


def limit_connections() -> None:
    """Let servers that are started from now on speak so."""
    config.HTTP_PROTOCOLS["auto"] = Connection  # type: ignore[assignment]
