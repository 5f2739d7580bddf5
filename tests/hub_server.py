"""A Hub on loopback: the part of its HTTP API that pushing and pulling use, and faults to order.

Repos are lists of commits, a commit a whole tree; large files go by LFS into a store of blobs. What
is asked is what `huggingface_hub` asks for, to the letter of its requests.
"""

import base64
import hashlib
import json
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from huggingface_hub import close_session, constants

TOKENS = {"hf_write": ("shop", True), "hf_read": ("shop", False), "hf_other": ("other", True)}
"""Token -> whose it is, and whether it may write."""

Handler = BaseHTTPRequestHandler
Fault = Callable[["_Handler"], bool]
"""Called before a request is served; True if it has answered instead."""


@dataclass
class Repo:
    """A commit's tree is path -> bytes, as `resolve` serves them."""

    private: bool
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    head: str = ""
    variables: dict[str, str] = field(default_factory=dict)

    def commit(self, tree: dict[str, bytes]) -> str:
        digest = hashlib.sha1(f"{self.head}{len(self.commits)}".encode())  # noqa: S324
        self.head = digest.hexdigest()
        self.commits[self.head] = tree
        return self.head


@dataclass
class Hub:
    """Everything that the server holds.

    Attributes:
        repos: "datasets/OWNER/NAME" -> Repo.
        blobs: sha256 -> bytes of what was uploaded by LFS.
        faults: (pattern of "METHOD path", how often, what happens).
        asked: every "METHOD path" so far.
    """

    repos: dict[str, Repo] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    faults: list[list[Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    address: str = ""
    lock: Lock = field(default_factory=Lock)

    def fail(self, pattern: str, fault: Fault, times: int = 1) -> None:
        """Let the next requests that match go wrong."""
        self.faults.append([re.compile(pattern), times, fault])

    def tree(self, repo: str) -> dict[str, bytes]:
        """What the repo's main branch holds."""
        found = self.repos[repo]
        return found.commits[found.head]


def answer(status: int, headers: dict[str, str] | None = None) -> Fault:
    """A fault: this status and nothing else."""

    def fault(handler: "_Handler") -> bool:
        handler.reply(status, {"error": "ordered"}, headers)
        return True

    return fault


def echo(status: int) -> Fault:
    """A fault: this status, and whose question it was, as a careless proxy would say it."""

    def fault(handler: "_Handler") -> bool:
        told = dict(handler.headers.items())
        handler.reply(status, {"error": json.dumps(told)}, {"X-Error-Message": json.dumps(told)})
        return True

    return fault


def cut(handler: "_Handler") -> bool:
    """A fault: half of what is asked for comes, then the connection is gone."""
    handler.cut = True
    return False


def spoil(handler: "_Handler") -> bool:
    """A fault: as many bytes as there should be, others."""
    handler.spoil = True
    return False


def hang_up(handler: "_Handler") -> bool:
    """A fault: the connection is gone before any answer."""
    handler.close_connection = True
    handler.connection.close()
    return True


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub
    cut = spoil = False

    def log_message(self, *_: object) -> None:
        pass

    def reply(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def serve(self) -> None:
        self.cut = self.spoil = False
        length = int(self.headers.get("Content-Length", 0))
        self.body = self.rfile.read(length) if length else self._chunks()
        self.path_only = unquote(urlsplit(self.path).path)
        asked = f"{self.command} {self.path_only}"
        with self.hub.lock:
            self.hub.asked.append(asked)
            ordered = [f for f in self.hub.faults if f[1] > 0 and f[0].search(asked)][:1]
            for fault in ordered:
                fault[1] -= 1
        if any(fault[2](self) for fault in ordered):
            return
        for pattern, method in _ROUTES:
            if found := re.fullmatch(pattern, asked):
                method(self, *found.groups())
                return
        self.reply(404, {"error": f"no route: {asked}"})

    do_GET = do_POST = do_PUT = do_HEAD = serve  # noqa: N815

    def _chunks(self) -> bytes:
        """A body of unknown length, which a file is sent as."""
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return b""
        data = b""
        while size := int(self.rfile.readline(), 16):
            data += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return data

    # Who asks, and for which repo.

    def _who(self) -> tuple[str | None, bool]:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        return TOKENS.get(token, (None, False))

    def _repo(self, name: str, *, to_write: bool = False) -> Repo | None:
        """The repo, or None once it has been answered why not."""
        who, writes = self._who()
        repo = self.hub.repos.get(name)
        owner = name.split("/")[1]
        if repo is None or (repo.private and who != owner):
            self.reply(401 if who is None else 404, {}, {"X-Error-Code": "RepoNotFound"})
            return None
        if to_write and (who != owner or not writes):
            message = "Invalid username or password." if who is None else "You have no right"
            self.reply(401 if who is None else 403, {}, {"X-Error-Message": message})
            return None
        return repo

    def _revision(self, repo: Repo, revision: str) -> str | None:
        commit = repo.head if revision == "main" else revision
        if commit not in repo.commits:
            self.reply(404, {}, {"X-Error-Code": "RevisionNotFound"})
            return None
        return commit

    # The API.

    def create(self) -> None:
        asked = json.loads(self.body)
        who, writes = self._who()
        name = f"{asked.get('type') or 'model'}s/{asked['organization']}/{asked['name']}"
        if who is None:
            self.reply(401, {}, {"X-Error-Message": "Invalid username or password."})
        elif who != asked["organization"] or not writes:
            self.reply(403, {}, {"X-Error-Message": "You have no right to create this"})
        elif name in self.hub.repos:
            self.reply(409, {"url": f"{self.hub.address}/{name}"})
        else:
            private = asked.get("visibility") == "private" or bool(asked.get("private"))
            self.hub.repos[name] = repo = Repo(private)
            repo.commit({".gitattributes": b"*.parquet filter=lfs\n"})
            self.reply(200, {"url": f"{self.hub.address}/{name}"})

    def validate(self) -> None:
        self.reply(200, {"errors": [], "warnings": []})

    def info(self, kind: str, name: str, revision: str | None) -> None:
        if (repo := self._repo(f"{kind}/{name}")) is None:
            return
        if (commit := self._revision(repo, revision or "main")) is None:
            return
        siblings = [{"rfilename": path} for path in repo.commits[commit]]
        self.reply(200, {"id": name, "sha": commit, "private": repo.private, "siblings": siblings})

    def tree(self, kind: str, name: str, revision: str) -> None:
        if (repo := self._repo(f"{kind}/{name}")) is None:
            return
        if (commit := self._revision(repo, revision)) is None:
            return
        entries = [
            {"type": "file", "path": path, "size": len(data), "oid": _git_hash(data)}
            for path, data in repo.commits[commit].items()
        ]
        self.reply(200, entries)

    def preupload(self, kind: str, name: str, revision: str) -> None:
        if (repo := self._repo(f"{kind}/{name}", to_write=True)) is None:
            return
        tree = repo.commits[repo.head]
        self.reply(
            200, {"files": [self._mode(kind, f, tree) for f in json.loads(self.body)["files"]]}
        )

    def _mode(self, kind: str, file: dict[str, Any], tree: dict[str, bytes]) -> dict[str, Any]:
        large = kind != "spaces" and re.search(r"\.(parquet|safetensors|faiss|npy)$", file["path"])
        old = tree.get(file["path"])
        oid = None
        if old is not None:
            oid = hashlib.sha256(old).hexdigest() if large else _git_hash(old)
        mode = "lfs" if large else "regular"
        return {"path": file["path"], "uploadMode": mode, "shouldIgnore": False, "oid": oid}

    def batch(self, name: str) -> None:
        if self._repo(name if name.count("/") == 2 else f"models/{name}", to_write=True) is None:
            return
        objects = []
        for wanted in json.loads(self.body)["objects"]:
            answer: dict[str, Any] = {"oid": wanted["oid"], "size": wanted["size"]}
            if wanted["oid"] not in self.hub.blobs:
                href = f"{self.hub.address}/blobs/{wanted['oid']}"
                answer["actions"] = {"upload": {"href": href, "header": {}}}
            objects.append(answer)
        self.reply(200, {"transfer": "basic", "objects": objects})

    def put_blob(self, oid: str) -> None:
        if hashlib.sha256(self.body).hexdigest() != oid:
            self.reply(400, {"error": "other bytes"})
            return
        self.hub.blobs[oid] = self.body
        self.reply(200, {})

    def commit(self, kind: str, name: str, revision: str) -> None:
        if (repo := self._repo(f"{kind}/{name}", to_write=True)) is None:
            return
        lines = [json.loads(line) for line in self.body.splitlines()]
        parent = lines[0]["value"].get("parentCommit")
        if parent not in (None, repo.head):
            self.reply(412, {"error": "the branch has moved"})
            return
        tree = dict(repo.commits[repo.head])
        for line in lines[1:]:
            value = line["value"]
            if line["key"] == "file":
                tree[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                tree[value["path"]] = self.hub.blobs[value["oid"]]
            elif line["key"] == "deletedFile":
                del tree[value["path"]]
        oid = repo.commit(tree)
        self.reply(200, {"commitUrl": f"{self.hub.address}/{name}/commit/{oid}", "commitOid": oid})

    def resolve(self, kind: str | None, name: str, revision: str, path: str) -> None:
        if (repo := self._repo(f"{kind or 'models'}/{name}")) is None:
            return
        if (commit := self._revision(repo, revision)) is None:
            return
        if (data := repo.commits[commit].get(path)) is None:
            self.reply(404, {}, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": commit})
            return
        etag = hashlib.sha256(data).hexdigest()
        headers = {"X-Repo-Commit": commit, "ETag": f'"{etag}"', "Accept-Ranges": "bytes"}
        status = 200
        if asked := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            start, end = int(asked[1]), min(int(asked[2] or len(data)), len(data) - 1)
            headers["Content-Range"] = f"bytes {start}-{end}/{len(data)}"
            data, status = data[start : end + 1], 206
        if self.spoil:
            data = bytes(len(data))
        if self.cut:
            self.send_response(status)
            for header, value in {**headers, "Content-Length": str(len(data))}.items():
                self.send_header(header, value)
            self.end_headers()
            self.wfile.write(data[: len(data) // 2])
            self.close_connection = True
            return
        self.reply(status, data, {**headers, "Content-Type": "application/octet-stream"})

    def variable(self, name: str) -> None:
        if (repo := self._repo(f"spaces/{name}", to_write=True)) is None:
            return
        asked = json.loads(self.body)
        repo.variables[asked["key"]] = asked["value"]
        self.reply(200, {k: {"value": v, "updatedAt": None} for k, v in repo.variables.items()})


_KIND, _NAME = "(models|datasets|spaces)", "([^/]+/[^/]+)"
_ROUTES = [
    ("POST /api/repos/create", _Handler.create),
    ("POST /api/validate-yaml", _Handler.validate),
    (f"GET /api/{_KIND}/{_NAME}(?:/revision/(.+))?", _Handler.info),
    (f"GET /api/{_KIND}/{_NAME}/tree/([^/]+)/?", _Handler.tree),
    (f"POST /api/{_KIND}/{_NAME}/preupload/(.+)", _Handler.preupload),
    (r"POST /((?:datasets/|spaces/)?[^/]+/[^/]+)\.git/info/lfs/objects/batch", _Handler.batch),
    ("PUT /blobs/([0-9a-f]{64})", _Handler.put_blob),
    (f"POST /api/{_KIND}/{_NAME}/commit/(.+)", _Handler.commit),
    (f"POST /api/spaces/{_NAME}/variables", _Handler.variable),
    (f"(?:GET|HEAD) /(?:(datasets|spaces)/)?{_NAME}/resolve/([^/]+)/(.+)", _Handler.resolve),
]


def _git_hash(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()  # noqa: S324


@contextmanager
def hub_server() -> Iterator[Hub]:
    """Serve an empty Hub until the block ends."""
    hub = Hub()
    handler = type("BoundHandler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    hub.address = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def no_token_told(caplog: pytest.LogCaptureFixture, folder: Path) -> Iterator[None]:
    """See that no token is in what an app and its libraries log, nor in a file of a folder."""
    caplog.set_level(logging.INFO)
    yield
    said = [logging.Formatter().format(record) for record in caplog.get_records("call")]
    files = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    for token in TOKENS:
        assert not [line for line in said if token in line]
        assert not [data for data in files if token.encode() in data]


@contextmanager
def reached_hub(patch: pytest.MonkeyPatch, home: Path) -> Iterator[Hub]:
    """The same, as `huggingface_hub` reaches it where nobody has logged in.

    The tests' own switches say offline; plain LFS takes the place of Xet's binary protocol.
    """
    patch.setattr(constants, "HF_HUB_OFFLINE", False)
    patch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    patch.setattr(constants, "HF_HUB_CACHE", str(home / "cache"))
    patch.setattr(constants, "HF_TOKEN_PATH", str(home / "no token"))
    with hub_server() as served:
        yield served
        close_session()
