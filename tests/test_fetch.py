"""A stranger's address reaches public servers only, within a cap and a deadline.

The servers are real, on loopback. Where one has to be reached, the policy's seams name loopback
as the public internet and everything else as the inside.
"""

import gzip
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from io import BytesIO
from ipaddress import ip_address
from pathlib import Path

import pytest
from PIL import Image

from recommender.errors import FetchError, ImageError
from recommender.pictures.decode import ImageLimits
from recommender.pictures.fetch import PUBLIC_ONLY, FetchPolicy, fetch_image, is_public, resolve

Handler = Callable[[socket.socket, str], None]


def jpeg(side: int = 64) -> bytes:
    file = BytesIO()
    Image.effect_noise((side, side), 80).save(file, "JPEG")
    return file.getvalue()


PICTURE = jpeg()


def answer(
    body: bytes = PICTURE, *headers: str, status: str = "200 OK", length: int | None = None
) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}"]
    return "\r\n".join([*lines, *headers, "", ""]).encode() + body


class Server:
    """Answers each connection through `handler`, and remembers what it was asked."""

    def __init__(self, handler: Handler, context: ssl.SSLContext | None = None) -> None:
        self.requests: list[str] = []
        self._handler = handler
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with connection, suppress(OSError):
                    connection.settimeout(5)
                    self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        if self._context is not None:
            connection = self._context.wrap_socket(connection, server_side=True)
        with connection:
            request = b""
            while b"\r\n\r\n" not in request:
                received = connection.recv(4096)
                if not received:
                    return
                request += received
            self.requests.append(request.decode())
            self._handler(connection, request.split()[1].decode())

    def policy(self) -> FetchPolicy:
        """127.0.0.1 on this port is the internet."""
        return FetchPolicy(
            allowed_ports=frozenset({self.port}),
            is_allowed=lambda address: address == ip_address("127.0.0.1"),
        )

    def fetch(self, path: str = "/", seconds: float = 5.0, max_bytes: int = 100_000) -> bytes:
        return fetch_image(
            f"http://127.0.0.1:{self.port}{path}",
            limits=ImageLimits(max_bytes=max_bytes),
            timeout_seconds=seconds,
            policy=self.policy(),
        )

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept()
        self._listener.close()
        self._thread.join(5)


@contextmanager
def serving(handler: Handler | bytes, context: ssl.SSLContext | None = None) -> Iterator[Server]:
    if isinstance(handler, bytes):
        fixed = handler
        server = Server(lambda connection, _: connection.sendall(fixed), context)
    else:
        server = Server(handler, context)
    try:
        yield server
    finally:
        server.close()


def refused(url: str, policy: FetchPolicy = PUBLIC_ONLY, seconds: float = 2.0) -> str:
    started = time.monotonic()
    with pytest.raises(FetchError) as caught:
        fetch_image(url, timeout_seconds=seconds, policy=policy)
    assert time.monotonic() - started < seconds + 0.5
    message = str(caught.value)
    assert message.endswith(".")
    assert "127.0.0" not in message
    assert "inside" not in message
    return message


# --- addresses by their text: nothing is asked of any network


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "empty"),
        (5, "is a text"),
        (["https://example.com/a.jpg"], "is a text"),
        ("  ", "empty"),
        ("ftp://example.com/a.jpg", "https://"),
        ("file:///etc/passwd", "https://"),
        ("data:image/png;base64,iVBORw0KGgo=", "https://"),
        ("javascript:alert(1)", "https://"),
        ("gopher://example.com/", "https://"),
        ("//example.com/a.jpg", "https://"),
        ("example.com/a.jpg", "https://"),
        ("http://", "not a valid"),
        ("http:///a.jpg", "not a valid"),
        ("http:/example.com/", "not a valid"),
        ("http://user@example.com/", "user name"),
        ("http://user:secret@example.com/", "user name"),
        ("http://example.com@127.0.0.1/", "user name"),
        ("http://@example.com/", "user name"),
        ("http://example.com:22/", "80 and 443"),
        ("http://example.com:8080/", "80 and 443"),
        ("http://example.com:0/", "80 and 443"),
        ("http://example.com:99999/", "not a valid"),
        ("http://example.com:port/", "not a valid"),
        ("http://[::1/", "not a valid"),
        ("http://[fe80::1%25eth0]/", "not a valid"),
        ("http://exa mple.com/", "not a valid"),
        ("http://example.com\\@127.0.0.1/", "not a valid"),
        ("http://example.com/\r\nHost: inside", "not a valid"),
        ("http://example.com/\tx", "not a valid"),
        ("http://exa\0mple.com/", "not a valid"),
        ("http://a..b/", "not a valid"),
        ("http://" + "a" * 64 + ".com/", "not a valid"),
        ("http://\ud800.com/", "not a valid"),
        ("https://example.com/" + "a" * 2048, "2,048 characters"),
    ],
)
def test_addresses_refused_by_their_text(url: str, says: str) -> None:
    def never(host: str, port: int) -> list[str]:
        raise AssertionError("must not be resolved")

    message = refused(url, FetchPolicy(resolve=never))
    assert says in message
    assert "secret" not in message


# --- addresses by where they lead


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f.1",
        "0x7f000001",
        "017700000001",
        "0.0.0.0",
        "0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "100.100.100.200",
        "168.63.129.16",
        "224.0.0.1",
        "255.255.255.255",
        "[::]",
        "[::1]",
        "[::127.0.0.1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:8.8.8.8]",
        "[2002:7f00:1::]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b:1::1]",
        "[2001::7f00:1]",
        "[fe80::1]",
        "[fd00::1]",
        "[ff02::1]",
        "localhost",
        "localhost.",
        "LOCALHOST",
        "１２７.0.0.1",  # full-width digits, which IDNA folds
        "127。0。0。1",  # ideographic full stops
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_every_spelling_of_the_inside_is_refused(scheme: str, host: str) -> None:
    message = refused(f"{scheme}://{host}/latest/meta-data/")
    assert message == "This web address does not lead to a public web server."


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "2a00:1450:4001:80b::200e"]
)
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "240.0.0.1",
        "2001:db8::1",
        "2001:10::1",
        "3fff::1",
        "5f00::1",
        "100::1",
        "fec0::1",
        "2606:4700::1111%1",
        "::ffff:0:8.8.8.8",
        "::8.8.8.8",
    ],
)
def test_special_addresses_are_not(address: str) -> None:
    assert not is_public(ip_address(address))


def test_one_private_address_among_public_ones_refuses_the_host() -> None:
    policy = FetchPolicy(resolve=lambda host, port: ["8.8.8.8", "10.0.0.1"])
    assert "public" in refused("http://both.test/", policy)


def test_names_that_do_not_resolve_sound_like_names_that_lead_inwards() -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "inside.test not known")

    def nothing(host: str, port: int) -> list[str]:
        return []

    inwards = refused("http://127.0.0.1/")
    assert refused("http://no.test/", FetchPolicy(resolve=unknown)) == inwards
    assert refused("http://no.test/", FetchPolicy(resolve=nothing)) == inwards


def test_a_rebinding_name_is_resolved_once_and_the_connection_pinned() -> None:
    with serving(answer()) as server:
        answers = iter([["127.0.0.1"], ["10.0.0.1"], ["10.0.0.1"]])
        policy = replace(server.policy(), resolve=lambda host, port: next(answers))
        # the name exists nowhere: only the pinned address can have been reached
        url = f"http://rebinding.invalid:{server.port}/"
        assert fetch_image(url, policy=policy) == PICTURE
        assert next(answers) == ["10.0.0.1"]  # the second answer was never asked for
        assert f"Host: rebinding.invalid:{server.port}\r\n" in server.requests[0]


def test_a_second_address_is_tried_where_the_first_is_closed() -> None:
    with serving(answer()) as server:
        policy = FetchPolicy(
            allowed_ports=frozenset({server.port}),
            is_allowed=lambda address: address.is_loopback,
            resolve=lambda host, port: ["127.0.0.2", "127.0.0.1"],
        )
        assert fetch_image(f"http://two.test:{server.port}/", policy=policy) == PICTURE


def test_a_name_that_takes_too_long_to_resolve() -> None:
    release = threading.Event()

    def slow(host: str, port: int) -> list[str]:
        release.wait(5)
        return ["127.0.0.1"]

    try:
        message = refused("http://slow.test/", FetchPolicy(resolve=slow), seconds=0.2)
    finally:
        release.set()
    assert "within 0.2 seconds" in message


# --- a well-behaved server


def test_a_picture_comes_back_whole_and_the_request_tells_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    with serving(answer(PICTURE, "Content-Type: image/jpeg", "Set-Cookie: a=b")) as server:
        assert server.fetch("/a%20b.jpg?size=1&x=[2]#part") == PICTURE
        request = server.requests[0]
    assert request.startswith("GET /a%20b.jpg?size=1&x=[2] HTTP/1.1\r\n")
    assert "Accept-Encoding: identity\r\n" in request
    assert "User-Agent: fashion-recommender" in request
    for word in ("cookie", "authorization", "referer"):
        assert word not in request.lower()


def test_non_ascii_addresses() -> None:
    with serving(answer()) as server:
        policy = replace(
            server.policy(),
            resolve=lambda host, port: ["127.0.0.1"] if host == "xn--bcher-kva.test" else [],
        )
        url = f"  http://bücher.test:{server.port}/blå/röd.jpg?färg=ö\n"
        assert fetch_image(url, policy=policy) == PICTURE
        assert server.requests[0].startswith("GET /bl%C3%A5/r%C3%B6d.jpg?f%C3%A4rg=%C3%B6 HTTP")


@pytest.mark.parametrize("kind", ["text/html", "application/octet-stream", "image/svg+xml"])
def test_the_bytes_tell_the_type_not_the_header(kind: str) -> None:
    with serving(answer(PICTURE, f"Content-Type: {kind}")) as server:
        assert server.fetch() == PICTURE


@pytest.mark.parametrize("body", [b"<html>a page</html>", b"", b"<svg/>", b"%PDF-1.7"])
def test_a_page_that_claims_to_be_a_picture_is_refused(body: bytes) -> None:
    with (
        serving(answer(body, "Content-Type: image/png")) as server,
        pytest.raises(FetchError, match="does not lead to a picture we can read"),
    ):
        server.fetch()


@pytest.mark.parametrize("status", ["404 Not Found", "500 Oops", "204 No Content", "304 Same"])
def test_other_statuses(status: str) -> None:
    with (
        serving(answer(b"", status=status)) as server,
        pytest.raises(FetchError, match=f"status {status[:3]}"),
    ):
        server.fetch()


# --- redirects


def redirect(location: str, status: str = "302 Found") -> bytes:
    return answer(b"", f"Location: {location}", status=status)


@pytest.mark.parametrize("status", ["301 M", "302 F", "303 S", "307 T", "308 P"])
def test_three_redirects_are_followed(status: str) -> None:
    def hop(connection: socket.socket, path: str) -> None:
        step = int(path[1:])
        connection.sendall(redirect(f"/{step + 1}", status) if step < 3 else answer())

    with serving(hop) as server:
        assert server.fetch("/0") == PICTURE
        assert len(server.requests) == 4


def test_a_loop_ends_after_three() -> None:
    with serving(redirect("/again")) as server:
        with pytest.raises(FetchError, match="more than 3 times"):
            server.fetch()
        assert len(server.requests) == 4


@pytest.mark.parametrize(
    ("location", "says"),
    [
        ("http://127.0.0.2:{port}/", "public"),
        ("http://localhost6.test:{port}/", "public"),
        ("http://[::1]:{port}/", "public"),
        ("//169.254.169.254:{port}/latest/meta-data/", "public"),
        ("http://127.0.0.1:22/", "ports"),
        ("http://user:secret@127.0.0.1:{port}/", "user name"),
        ("file:///etc/passwd", "https://"),
        ("gopher://127.0.0.1/", "https://"),
        ("http://[", "not valid"),
        ("http://:{port}/", "valid web address"),
    ],
)
def test_each_redirect_is_checked_from_the_start(location: str, says: str) -> None:
    with serving(lambda connection, _: None) as server:
        target = location.format(port=server.port)
        with serving(redirect(target)) as first:
            policy = FetchPolicy(
                allowed_ports=frozenset({first.port, server.port}),
                is_allowed=lambda address: address == ip_address("127.0.0.1"),
                resolve=lambda host, port: (
                    ["127.0.0.2"] if host == "localhost6.test" else resolve(host, port)
                ),
            )
            assert says in refused(f"http://127.0.0.1:{first.port}/", policy)
        assert server.requests == []


# --- servers that cheat


def drip(before: bytes, piece: bytes, pause: float = 0.02) -> Handler:
    def handler(connection: socket.socket, path: str) -> None:
        connection.sendall(before)
        if not piece:
            connection.recv(1)  # silent until the other side closes
        while piece:  # until the other side closes
            connection.sendall(piece)
            time.sleep(pause)

    return handler


@pytest.mark.parametrize(
    ("before", "piece"),
    [
        pytest.param(b"", b"", id="silence"),
        pytest.param(b"HTTP/1.1 200 OK\r\n", b"X", id="one header, byte by byte"),
        pytest.param(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n", id="header after header"),
        pytest.param(b"", b"HTTP/1.1 100 Continue\r\n\r\n", id="continue for ever"),
        pytest.param(answer(b"", length=90_000), b"x", id="body"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", id="chunks"
        ),
    ],
)
def test_dripping_ends_at_the_deadline(before: bytes, piece: bytes) -> None:
    with serving(drip(before, piece)) as server:
        started = time.monotonic()
        with pytest.raises(FetchError, match=r"within 0.3 seconds"):
            server.fetch(seconds=0.3)
        assert time.monotonic() - started < 0.8


def test_redirects_share_one_deadline() -> None:
    def slow(connection: socket.socket, path: str) -> None:
        time.sleep(0.15)
        connection.sendall(redirect("/again"))

    with serving(slow) as server, pytest.raises(FetchError, match=r"within 0.3 seconds"):
        server.fetch(seconds=0.3)


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(answer(b"", length=1000), id="claims less"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\n", id="claims nothing"),
        pytest.param(b"HTTP/1.0 200 OK\r\n\r\n", id="old"),
    ],
)
def test_a_body_that_never_ends_is_capped(head: bytes) -> None:
    with serving(drip(head + PICTURE, bytes(5000), pause=0)) as server:
        started = time.monotonic()
        if b"1000" in head:  # what goes beyond the length it claims is no part of the answer
            assert server.fetch() == PICTURE[:1000]
        else:
            with pytest.raises(FetchError, match="larger than 100,000 bytes"):
                server.fetch()
        assert time.monotonic() - started < 2


def test_chunks_are_capped() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    piece = b"1000\r\n" + bytes(4096) + b"\r\n"
    with serving(drip(head, piece, 0)) as server, pytest.raises(FetchError, match="larger than"):
        server.fetch()


def test_a_claim_of_too_much_is_refused_before_the_body() -> None:
    def claim(connection: socket.socket, path: str) -> None:
        connection.sendall(answer(b"", length=10**12))
        connection.recv(1)  # waits until the other side closes

    with serving(claim) as server, pytest.raises(FetchError, match="larger than"):
        server.fetch(seconds=3)


def test_a_body_of_exactly_the_cap_passes() -> None:
    with serving(answer()) as server:
        assert server.fetch(max_bytes=len(PICTURE)) == PICTURE
        with pytest.raises(FetchError, match="larger than"):
            server.fetch(max_bytes=len(PICTURE) - 1)


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(answer(PICTURE, length=len(PICTURE) + 500), id="shorter than it claims"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"SSH-2.0-OpenSSH_9.6\r\n", id="another protocol"),
        pytest.param(answer(PICTURE, length=-1), id="negative length"),
        pytest.param(answer(PICTURE, "Content-Length: 7"), id="two lengths"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 300_000, id="endless header"),
    ],
)
def test_broken_answers(reply: bytes) -> None:
    with serving(reply) as server, pytest.raises(FetchError, match="as a web server should"):
        server.fetch()


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "br", "identity, gzip"])
def test_compressed_answers_are_refused_unread(encoding: str) -> None:
    bomb = gzip.compress(bytes(10**7))
    with (
        serving(answer(bomb, f"Content-Encoding: {encoding}")) as server,
        pytest.raises(FetchError, match="compressed"),
    ):
        server.fetch()


def test_a_closed_port() -> None:
    with serving(answer()) as server:
        policy = server.policy()
    assert "as a web server should" in refused(f"http://127.0.0.1:{server.port}/", policy)


def test_a_fetch_error_is_an_image_error() -> None:
    with pytest.raises(ImageError):
        fetch_image("")


# --- TLS

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    names = ["-subj", "/CN=pictures.test", "-addext", "subjectAltName=DNS:pictures.test"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command.split(), *names, *files], check=True, capture_output=True)
    return key, certificate


@contextmanager
def serving_tls(certificate: tuple[Path, Path], reply: bytes) -> Iterator[tuple[Server, list[str]]]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate[1], certificate[0])
    asked: list[str] = []
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    with serving(reply, context) as server:
        yield server, asked


def policy_of(server: Server, trusted: Path | None, *ports: int) -> FetchPolicy:
    return FetchPolicy(
        allowed_ports=frozenset({server.port, *ports}),
        is_allowed=lambda address: address == ip_address("127.0.0.1"),
        resolve=lambda host, port: ["127.0.0.1"],
        ssl_context=trusted and ssl.create_default_context(cafile=str(trusted)),
    )


@needs_openssl
def test_tls_asks_for_and_verifies_the_name_not_the_address(
    certificate: tuple[Path, Path],
) -> None:
    with serving_tls(certificate, answer()) as (server, asked):
        policy = policy_of(server, certificate[1])
        assert fetch_image(f"https://pictures.test:{server.port}/", policy=policy) == PICTURE
        assert asked == ["pictures.test"]
        for host in ("other.test", "127.0.0.1"):
            refused(f"https://{host}:{server.port}/", policy)
        assert len(server.requests) == 1


@needs_openssl
def test_a_self_signed_server_is_refused_by_default(certificate: tuple[Path, Path]) -> None:
    with serving_tls(certificate, answer()) as (server, _):
        refused(f"https://pictures.test:{server.port}/", policy_of(server, None))
        assert server.requests == []


@needs_openssl
def test_a_redirect_from_https_to_http_is_refused(certificate: tuple[Path, Path]) -> None:
    with serving(answer()) as plain:
        reply = redirect(f"http://pictures.test:{plain.port}/")
        with serving_tls(certificate, reply) as (server, _):
            policy = policy_of(server, certificate[1], plain.port)
            message = refused(f"https://pictures.test:{server.port}/", policy)
        assert "unprotected" in message
        assert plain.requests == []


def test_a_handshake_that_never_comes_ends_at_the_deadline() -> None:
    with serving(answer()) as server:  # reads what it takes for a request, and waits for more
        policy = policy_of(server, None)
        message = refused(f"https://pictures.test:{server.port}/", policy, seconds=0.4)
        assert "within 0.4 seconds" in message
