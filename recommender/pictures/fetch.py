"""A stranger's web address → its bytes, from public servers only, within a cap and a deadline.

The server that runs this can reach what a visitor cannot: itself, its neighbours, the cloud's
metadata service. So the host is resolved once, every address it resolves to must be public, and
the connection goes to the very address that was checked, while TLS still verifies the name.
Proxies named in the environment are not used, cookies are not kept, credentials are not sent.
"""

import ssl
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from socket import SOCK_STREAM, getaddrinfo
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import httpcore

from recommender.errors import FetchError, ImageError
from recommender.pictures.decode import READABLE, VISITOR_LIMITS, ImageLimits, format_of

IPAddress = IPv4Address | IPv6Address

_USUAL_PORTS = {b"http": 80, b"https": 443}
_MAX_URL_LENGTH = 2048
_MAX_ADDRESSES_TRIED = 4
_SOCKETS = httpcore.SyncBackend()
_REDIRECTS = (301, 302, 303, 307, 308)
_HEADERS = [
    (b"User-Agent", b"fashion-recommender/0.1 (fetches one picture that a visitor names)"),
    (b"Accept", b"image/*"),
    (b"Accept-Encoding", b"identity"),  # so that no small answer unpacks to a large one
    (b"Connection", b"close"),
]

_GLOBAL_UNICAST = ip_network("2000::/3")  # all that IANA has given out of IPv6
_NOT_PUBLIC = [
    ip_network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "100.64.0.0/10",  # carrier NAT, and some clouds' metadata
        "168.63.129.16/32",  # a public number, but inside Azure its metadata service
        "192.0.0.0/24",  # protocol assignments
        "192.88.99.0/24",  # 6to4 relays
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
        "2001::/23",  # protocol assignments; Teredo carries an IPv4 address
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4 carries an IPv4 address
        "3fff::/20",  # documentation
    )
]

# getaddrinfo takes no timeout, so it runs aside and may be left behind; bounded, so that names
# which never resolve cannot pile up threads.
_resolvers = ThreadPoolExecutor(max_workers=16, thread_name_prefix="resolve")


def is_public(address: IPAddress) -> bool:
    """Whether an address belongs to the public internet, under every reading of it.

    IPv6 forms that carry an IPv4 address (mapped, NAT64, 6to4, Teredo) are refused whole, since
    what they lead to depends on the network they are used in.
    """
    if address.version == 6 and (address not in _GLOBAL_UNICAST or address.scope_id):
        return False
    return address.is_global and not any(address in network for network in _NOT_PUBLIC)


def resolve(host: str, port: int) -> list[str]:
    """Ask the system for all addresses of a host, in its order of preference."""
    answers = getaddrinfo(host, port, type=SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in answers))


@dataclass(frozen=True, kw_only=True)
class FetchPolicy:
    """Whom to speak to. The default is the only safe one; tests use others to reach loopback."""

    allowed_ports: frozenset[int] = frozenset(_USUAL_PORTS.values())
    max_redirects: int = 3
    is_allowed: Callable[[IPAddress], bool] = is_public
    resolve: Callable[[str, int], list[str]] = resolve
    ssl_context: ssl.SSLContext | None = None  # None: httpcore's own, which verifies


PUBLIC_ONLY = FetchPolicy()


def fetch_image(
    url: str,
    *,
    limits: ImageLimits = VISITOR_LIMITS,
    timeout_seconds: float = 5.0,
    policy: FetchPolicy = PUBLIC_ONLY,
) -> bytes:
    """Download the picture that a stranger's web address leads to.

    Redirects are followed, each checked from the start as if it were the visitor's address; one
    from https down to http is refused.

    Args:
        url: http or https, on the usual ports, without a user name.
        limits: `max_bytes`, counted while they arrive, ends the download; the others are for
            `decode_image`.
        timeout_seconds: for all of it together: names, connections, redirects, body.
        policy: whom to speak to; only tests give another.

    Returns:
        The file, of a format that `decode_image` reads, whatever type the server says it has.

    Raises:
        FetchError: the address is refused, does not answer in time, or not with a picture.
    """
    deadline = _Deadline(timeout_seconds)
    try:
        for _ in range(policy.max_redirects + 1):
            target = _parse(url, policy)
            data, location = _get(target, limits.max_bytes, deadline, policy)
            if location is None:
                format_of(data)
                return data
            url = urljoin(url.strip(), location)
            if target.scheme == b"https" and not url.lower().startswith("https:"):
                raise FetchError("This web address leads from https to an unprotected one.")
    except FetchError:
        raise
    except ImageError as error:
        raise FetchError(
            f"This web address does not lead to a picture we can read: {READABLE} are."
        ) from error
    except (TimeoutError, httpcore.TimeoutException) as error:
        raise FetchError(
            f"This web address did not answer in full within {timeout_seconds:g} seconds."
        ) from error
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
        raise FetchError(
            "This web address does not answer as a web server should; "
            "save the picture and upload it instead."
        ) from error
    except ValueError as error:  # of urljoin, for a Location that is no address
        raise FetchError("This web address leads on to one that is not valid.") from error
    raise FetchError(f"This web address leads on more than {policy.max_redirects} times.")


class _Deadline:
    """One point in time that all steps share, so that dripping bytes cannot prolong it."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds left, above 0; TimeoutError when there are none."""
        seconds = self._end - time.monotonic()
        if seconds <= 0:
            raise TimeoutError
        return seconds


def _parse(url: str, policy: FetchPolicy) -> httpcore.URL:
    """Check an address by its text, and take it apart once and for all."""
    if not isinstance(url, str):  # what a program sent may be of any type
        raise FetchError("A web address is a text.")
    url = url.strip()
    if not url:
        raise FetchError("The web address is empty.")
    if len(url) > _MAX_URL_LENGTH:
        raise FetchError(f"A web address may have at most {_MAX_URL_LENGTH:,} characters.")
    invalid = "This is not a valid web address; one looks like https://example.com/picture.jpg."
    # Characters that parsers read differently, or drop, are no part of an address.
    if any(character <= " " or character in "\\\x7f" for character in url):
        raise FetchError(invalid)
    try:
        parts = urlsplit(url)
        port = parts.port
        host = (parts.hostname or "").encode("idna")
    except ValueError as error:  # UnicodeError is one
        raise FetchError(invalid) from error
    if parts.scheme not in ("http", "https"):
        raise FetchError("A web address starts with https:// or http://.")
    if "@" in parts.netloc:
        raise FetchError("A web address may not contain a user name or password.")
    if not host or b"%" in host:
        raise FetchError(invalid)
    port = _USUAL_PORTS[parts.scheme.encode()] if port is None else port
    if port not in policy.allowed_ports:
        usual = " and ".join(str(allowed) for allowed in sorted(policy.allowed_ports))
        raise FetchError(f"Only the usual ports of the web are allowed: {usual}.")
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._", errors="replace")
    query = quote(parts.query, safe="/%:@!$&'()*+,;=~-._?[]", errors="replace")
    target = f"{path}?{query}" if parts.query else path
    return httpcore.URL(
        scheme=parts.scheme.encode(), host=host, port=port, target=target.encode("ascii")
    )


def _get(
    url: httpcore.URL, max_bytes: int, deadline: _Deadline, policy: FetchPolicy
) -> tuple[bytes, str | None]:
    """One request: its body, or where it redirects to."""
    backend = _PinnedBackend(_checked_addresses(url, deadline, policy), deadline)
    host = b"[%b]" % url.host if b":" in url.host else url.host
    if url.port != _USUAL_PORTS[url.scheme]:
        host += b":%d" % (url.port or 0)
    headers = [(b"Host", host), *_HEADERS]
    with (
        httpcore.ConnectionPool(ssl_context=policy.ssl_context, network_backend=backend) as pool,
        pool.stream("GET", url, headers=headers) as response,
    ):
        answer = {name.lower(): value for name, value in response.headers}
        if response.status in _REDIRECTS and b"location" in answer:
            return b"", answer[b"location"].decode("utf-8", "replace")
        if response.status != 200:
            raise FetchError(f"This web address answers with status {response.status}, not 200.")
        if answer.get(b"content-encoding", b"identity").strip().lower() != b"identity":
            raise FetchError("This web address answers with a compressed file, not with a picture.")
        too_large = f"What this web address leads to is larger than {max_bytes:,} bytes."
        length = answer.get(b"content-length", b"")
        if length.isdigit() and int(length) > max_bytes:
            raise FetchError(too_large)
        body = bytearray()
        for chunk in response.iter_stream():
            body += chunk
            if len(body) > max_bytes:
                raise FetchError(too_large)
        return bytes(body), None


def _checked_addresses(url: httpcore.URL, deadline: _Deadline, policy: FetchPolicy) -> list[str]:
    """Resolve a host once; all of its addresses must be allowed, or none is used."""
    # One sentence for names that do not exist and names that lead inwards: a stranger learns
    # nothing of which names the inside knows.
    refusal = FetchError("This web address does not lead to a public web server.")
    future = _resolvers.submit(policy.resolve, url.host.decode("ascii"), url.port or 0)
    try:
        addresses = future.result(timeout=deadline.remaining())
        allowed = [policy.is_allowed(ip_address(address)) for address in addresses]
    except TimeoutError:
        future.cancel()
        raise
    except (OSError, ValueError) as error:
        raise refusal from error
    if not addresses or not all(allowed):
        raise refusal
    return addresses[:_MAX_ADDRESSES_TRIED]


@dataclass(eq=False)
class _PinnedBackend(httpcore.NetworkBackend):
    """Connects to addresses that were checked, whatever host it is asked for."""

    addresses: list[str]
    deadline: _Deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        failure: Exception = httpcore.ConnectError()
        for tried, address in enumerate(self.addresses):
            # an address that swallows packets leaves time for the next
            share = self.deadline.remaining() / (len(self.addresses) - tried)
            try:
                stream = _SOCKETS.connect_tcp(address, port, share, None, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _DeadlineStream(stream, self.deadline)
        raise failure


@dataclass(eq=False)
class _DeadlineStream(httpcore.NetworkStream):
    """A stream whose every step ends at the deadline, not at a timeout of its own."""

    stream: httpcore.NetworkStream
    deadline: _Deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self.stream.read(max_bytes, self.deadline.remaining())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.stream.write(buffer, self.deadline.remaining())

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        remaining = self.deadline.remaining()
        stream = self.stream.start_tls(ssl_context, server_hostname, remaining)
        return _DeadlineStream(stream, self.deadline)

    def close(self) -> None:
        self.stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self.stream.get_extra_info(info)
