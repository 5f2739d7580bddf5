"""An object store: as much of S3 as pyarrow asks for, which drops connections where it is told."""

import re
import threading
from collections.abc import Iterator, Set
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape


class ObjectStore(ThreadingHTTPServer):
    """Objects in memory.

    Attributes:
        objects: `/bucket/key` -> content.
        dropping: each how manieth request is dropped; 0 for none.
        dropped: how many were.
        refused: methods that are not allowed.
    """

    daemon_threads = True

    def __init__(self, dropping: int, refused: Set[str]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.objects: dict[str, bytes] = {}
        self.parts: dict[str, dict[int, bytes]] = {}
        self.dropping, self.dropped, self.refused = dropping, 0, refused
        self.asked = count(1)

    def uri(self, folder: str) -> str:
        """The address of a folder, with what is secret."""
        place = f"scheme=http&endpoint_override=localhost:{self.server_address[1]}"
        return f"s3://key:sesame@{folder}?{place}&region=eu-central-1"


class _Handler(BaseHTTPRequestHandler):
    server: ObjectStore
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        key, query = self._asked()
        objects = self.server.objects
        if self._is_refused():
            return
        if "list-type" in query:
            self._answer(200, self._listed(f"{key.rstrip('/')}/", query["prefix"][0]))
        elif key not in objects:
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
        elif part := re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", "")):
            content = objects[key][int(part[1]) : int(part[2]) + 1]
            last = int(part[1]) + len(content) - 1
            told = f"bytes {part[1]}-{last}/{len(objects[key])}"
            self._answer(206, content, {"Content-Range": told})
        else:
            self._answer(200, objects[key])

    do_HEAD = do_GET  # noqa: N815

    def do_PUT(self) -> None:
        key, query = self._asked()
        body = self._body()
        if self._is_refused():
            return
        if "partNumber" in query:
            self.server.parts[key][int(query["partNumber"][0])] = body
        else:
            self.server.objects[key] = body
        self._answer(200)

    def do_POST(self) -> None:
        key, query = self._asked()
        self._body()
        if self._is_refused():
            return
        if "uploads" in query:
            self.server.parts[key] = {}
            told = "<InitiateMultipartUploadResult><UploadId>1</UploadId>{}"
            self._answer(200, told.format("</InitiateMultipartUploadResult>").encode())
        else:
            # A connection may be dropped once it is done: it is asked for again.
            if parts := self.server.parts.get(key):
                self.server.objects[key] = b"".join(parts[number] for number in sorted(parts))
            told = "<CompleteMultipartUploadResult><ETag>1</ETag>{}"
            self._answer(200, told.format("</CompleteMultipartUploadResult>").encode())

    def _asked(self) -> tuple[str, dict[str, list[str]]]:
        url = urlsplit(self.path)
        return unquote(url.path), parse_qs(url.query, keep_blank_values=True)

    def _is_refused(self) -> bool:
        """Whether it has been answered already, by nothing or by no."""
        store = self.server
        if store.dropping and next(store.asked) % store.dropping == 0:
            store.dropped += 1
            self.close_connection = True
            self.connection.close()
            return True
        if self.command in store.refused:
            self._answer(403, b"<Error><Code>AccessDenied</Code></Error>")
            return True
        return False

    def _body(self) -> bytes:
        """What was sent, without the two kinds of chunks that it may be cut into."""
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline().partition(b";")[0], 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if "aws-chunked" not in self.headers.get("Content-Encoding", ""):
            return body
        content = b""
        while body:
            head, _, body = body.partition(b"\r\n")
            length = int(head.partition(b";")[0], 16)
            if not length:
                break
            content, body = content + body[:length], body[length + 2 :]
        return content

    def _listed(self, bucket: str, prefix: str) -> bytes:
        objects = self.server.objects
        listed = "".join(
            f"<Contents><Key>{escape(name.removeprefix(bucket))}</Key><Size>{len(content)}</Size>"
            "<LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
            for name, content in sorted(objects.items())
            if name.startswith(bucket + prefix)
        )
        told = f"<IsTruncated>false</IsTruncated><KeyCount>{len(objects)}</KeyCount>{listed}"
        return f"<ListBucketResult>{told}</ListBucketResult>".encode()

    def _answer(
        self, status: int, content: bytes = b"", headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        modified = {"Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT", "ETag": '"1"'}
        for name, value in {**modified, **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


@contextmanager
def object_store(dropping: int = 0, refused: Set[str] = frozenset()) -> Iterator[ObjectStore]:
    """One that runs."""
    store = ObjectStore(dropping, refused)
    thread = threading.Thread(target=store.serve_forever)
    thread.start()
    yield store
    store.shutdown()
    store.server_close()
    thread.join()
