"""A fair share for each visitor: a token bucket by address, and one by session of the page."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from threading import Lock

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from recommender.errors import SettingError
from recommender.ui.server.refusals import refusal

Networks = Sequence[IPv4Network | IPv6Network]

_REMEMBERED = 10_000
_ASKING = ("/gradio_api/call/", "/gradio_api/queue/join", "/gradio_api/run/", "/trends/")
"""Paths that make the server work; what is only served, such as pictures, costs no token."""


@dataclass(frozen=True, kw_only=True)
class Share:
    """What one visitor may ask: so many questions a second for long, and so many at once."""

    a_second: float
    at_once: float


class Buckets:
    """Whether each of many visitors has a question left. Thread-safe.

    Source: the token bucket, as in Tanenbaum & Wetherall, Computer Networks.
    """

    def __init__(self, share: Share, clock: Callable[[], float] = time.monotonic) -> None:
        self.share, self._clock = share, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = Lock()

    def wait(self, visitor: str) -> float:
        """Take a token; seconds until there is one, 0 where there was."""
        now, share = self._clock(), self.share
        with self._lock:
            tokens, since = self._left.pop(visitor, (share.at_once, now))
            tokens = min(share.at_once, tokens + (now - since) * share.a_second)
            seconds = max(0.0, (1 - tokens) / share.a_second)
            self._left[visitor] = (tokens if seconds else tokens - 1, now)
            if len(self._left) > _REMEMBERED:  # who asked last longest ago has a full bucket again
                self._left.popitem(last=False)
        return seconds


def too_fast(seconds: float) -> str:
    """What a visitor is told who has to wait.

    >>> too_fast(0.2)
    "This is more than one visitor's share of the server: wait 1 s and ask again."
    """
    wait = math.ceil(seconds)
    return f"This is more than one visitor's share of the server: wait {wait} s and ask again."


def read_networks(setting: str) -> Networks:
    """Whose word on a visitor's address counts, such as `10.0.0.0/8, ::1`.

    Raises:
        SettingError: one is none.

    >>> read_networks("10.0.0.0/8, ::1")
    (IPv4Network('10.0.0.0/8'), IPv6Network('::1/128'))
    """
    try:
        return tuple(ip_network(part.strip()) for part in setting.split(",") if part.strip())
    except ValueError as error:
        raise SettingError(
            "FASHION_TRUSTED_PROXIES is a list of addresses or networks such as 10.0.0.0/8."
        ) from error


def address_of(peer: str, forwarded: str, trusted: Networks) -> str:
    """Where a visitor is, of who connects and of what `X-Forwarded-For` says.

    Each proxy adds whom it was asked by: from the last on, those that are trusted are passed over.
    """
    said = [part.strip() for part in forwarded.split(",") if part.strip()]
    while said and _within(peer, trusted):
        peer = said.pop()
    return peer


def _within(address: str, networks: Networks) -> bool:
    try:
        known = ip_address(address)
    except ValueError:
        return False
    return any(known in network for network in networks)


class FairShare:
    """ASGI middleware: who asks for more than a share is told when to ask again, by HTTP 429."""

    def __init__(self, app: ASGIApp, buckets: Buckets, trusted: Networks = ()) -> None:
        self.app, self.buckets, self.trusted = app, buckets, trusted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(_ASKING):
            request = Request(scope)
            # Of a question by curl the second request, a GET, fetches the answer.
            if request.method == "POST" or scope["path"].startswith("/trends/"):
                peer = request.client.host if request.client else ""
                told = ",".join(request.headers.getlist("x-forwarded-for"))
                seconds = self.buckets.wait(address_of(peer, told, self.trusted))
                if seconds:
                    head = {"retry-after": str(math.ceil(seconds))}
                    await refusal(too_fast(seconds), 429, head)(scope, receive, send)
                    return
        await self.app(scope, receive, send)
