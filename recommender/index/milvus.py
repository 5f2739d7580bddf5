"""A collection of Milvus: where it is, what a row has, and what can be asked of it."""

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args
from urllib.parse import urlsplit

import numpy as np

from recommender.errors import ClusterError, SettingError
from recommender.index.embeddings import Floats
from recommender.index.milvus_said import why
from recommender.index.milvus_schema import FIELDS, KEY, Field, is_of, schema_of
from recommender.index.protocol import Condition

LITE_FILE = "milvus.db"
"""Milvus Lite's folder in a store, where no address is set."""
Kind = Literal["FLAT", "HNSW", "IVF_FLAT", "IVF_SQ8"]

MOST = 16_384
"""So many rows Milvus answers at once."""
_WRITE_SECONDS = 120.0
_SETTLED_SECONDS = 30.0
"""After so long whoever searches sees what was there, however a server keeps its copies: usually
it is five (`common.gracefulTime`)."""
_LARGEST, _LARGEST_KEY = float(np.finfo(np.float64).max), 2**63 - 1
_BUILT = {
    "FLAT": {},
    "HNSW": {"M": 32, "efConstruction": 256},
    "IVF_FLAT": {"nlist": 1024},
    "IVF_SQ8": {"nlist": 1024},
}
_LEAST_EF, _PROBED = 256, 64

T = TypeVar("T")


def _unless(is_done: Callable[[], Any], do: Callable[..., None], *args: Any) -> None:
    """Do something that another process may be doing too: one of both is refused."""
    try:
        do(*args)
    except Exception:
        if not is_done():
            raise


@dataclass(frozen=True, kw_only=True)
class MilvusConfig:
    """Where Milvus is.

    `uri` is the address of a server, or a path that ends in `.db`, which Milvus Lite keeps.
    `certificate` is a file of the authority that a server's TLS is to be checked by, where the
    system does not know it. `kind` is of the index that a new collection gets: `FLAT` is exact.
    """

    uri: str
    token: str = field(default="", repr=False)
    certificate: str = ""
    collection: str = "fashion"
    kind: Kind = "FLAT"
    timeout_seconds: float = 10.0

    def __post_init__(self) -> None:
        if not (_is_address(self.uri) if self.is_server else self.uri.endswith(".db")):
            raise SettingError(
                "FASHION_MILVUS_URI is the address of a server, such as https://milvus.example, or "
                "a path that ends in .db."
            )
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,99}", self.collection):
            raise SettingError(
                "FASHION_MILVUS_COLLECTION is a name of letters, digits and _, at most 100."
            )
        if self.certificate and not Path(self.certificate).is_file():
            raise SettingError("FASHION_MILVUS_CERTIFICATE is no file that can be read.")
        if self.kind not in get_args(Kind):
            raise SettingError(f"The index of a collection is one of {', '.join(get_args(Kind))}.")

    @classmethod
    def read(cls, environment: Mapping[str, str], store: Path, **settings: Any) -> "MilvusConfig":
        """Of `FASHION_MILVUS_URI`, `_TOKEN`, `_CERTIFICATE` and `_COLLECTION`.

        Args:
            environment: the variables.
            store: the folder that Milvus Lite's file is in where no address is set.
            settings: the others.

        Raises:
            SettingError: one of them cannot be.
        """
        names = ("token", "certificate", "collection")
        # Of a file of secrets, the end of a line comes along.
        said = {n: environment.get(f"FASHION_MILVUS_{n.upper()}", "").strip() for n in names}
        uri = environment.get("FASHION_MILVUS_URI", "").strip() or str(store / LITE_FILE)
        settings |= {name: value for name, value in said.items() if value}
        return cls(uri=uri, **settings)

    @classmethod
    def found(cls, environment: Mapping[str, str], store: Path) -> "MilvusConfig | None":
        """The same where an address is set or the store has been loaded into a file; else None."""
        config = cls.read(environment, store)
        return config if config.is_server or Path(config.uri).exists() else None

    @property
    def is_server(self) -> bool:
        """Whether it is a server, not a file."""
        return "://" in self.uri

    @property
    def place(self) -> str:
        """What it is called: without whatever of the address is secret."""
        return urlsplit(self.uri).netloc.rpartition("@")[2] if self.is_server else self.uri


def _is_address(uri: str) -> bool:
    try:
        parts = urlsplit(uri)
        known = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        return bool(known) and not uri.endswith(".db")  # which pymilvus takes for a path
    except ValueError:  # a port or an IPv6 address that is none
        return False


class Collection:
    """A collection of Milvus. Thread-safe; connects when it is first asked something."""

    def __init__(
        self,
        config: MilvusConfig,
        made_by: str,
        dim: int,
        fields: Sequence[Field],
        key_of: Callable[[Any], int],
    ) -> None:
        """Args:
        config: where it is.
        made_by: whose items it has: the fingerprint of what made the vectors, and of what store.
        dim: their length.
        fields: the columns of an item.
        key_of: what a value that is no number is known by there.
        """
        self.config, self.dim, self.key_of = config, dim, key_of
        self.fields = {one.column: one for one in fields}
        # Items of another encoder, store or of other columns are in another collection.
        made_of = repr((made_by, dim, [(one.name, one.number) for one in fields]))
        self.name = f"{config.collection}_{blake2b(made_of.encode(), digest_size=6).hexdigest()}"
        self._client: Any = None
        self._kind, self._settled_at = "", 0.0
        self._lock = threading.Lock()

    def make(self) -> None:
        """Make it, with an index of each field, unless it is there.

        Raises:
            ClusterError: Milvus is away or refuses.
        """
        self._ask(self._make)

    def _make(self, client: Any) -> None:
        """Each step where it lacks: whoever made it may have been killed, or be at it beside us."""
        if not client.has_collection(self.name):
            _unless(lambda: client.has_collection(self.name), self._create, client)
        self._check_schema(client)
        kind = self.config.kind
        asked = {"index_type": kind, "metric_type": "IP", "params": _BUILT[kind]}
        indexes = dict.fromkeys(FIELDS, asked)
        indexes |= {one.name: {"index_type": "INVERTED"} for one in self.fields.values()}
        for name, settings in indexes.items():
            there = partial(client.list_indexes, self.name, name)
            if not there():
                params = client.prepare_index_params(name, index_name=name, **settings)
                # Of no rows yet; pymilvus would wait for half a second.
                _unless(there, partial(client.create_index, sync=False), self.name, params)
        self._have_loaded(client)

    def _create(self, client: Any) -> None:
        schema = client.create_schema(auto_id=False, enable_dynamic_field=False)
        for name, (kind, settings) in schema_of(self.fields.values(), self.dim).items():
            schema.add_field(name, kind, **settings)
        client.create_collection(self.name, schema=schema)

    def _check_schema(self, client: Any) -> None:
        found = client.describe_collection(self.name)["fields"]
        if not is_of(found, schema_of(self.fields.values(), self.dim)):
            raise ClusterError(
                f"Milvus at {self.config.place} has a collection {self.name} of another schema: "
                "drop that, or name ours otherwise by FASHION_MILVUS_COLLECTION."
            )

    def _have_loaded(self, client: Any) -> None:
        """Let it be searched, which after a start of Milvus Lite it may not be."""
        if "NotLoad" in str(client.get_load_state(self.name).get("state")):
            client.load_collection(self.name)

    def keys(self) -> Iterator[list[int]]:
        """The keys of all rows, some at a time.

        Raises:
            ClusterError: Milvus is away or refuses.
        """
        rows = self._ask(
            lambda client: client.query_iterator(self.name, batch_size=MOST, output_fields=[KEY])
        )
        try:
            while found := self._ask(lambda _: rows.next()):
                yield [row[KEY] for row in found]
        finally:
            rows.close()

    def holds(self, key: int) -> bool:
        """Whether there is a row of a key, as of now, and the collection can be searched.

        Raises:
            ClusterError: Milvus is away or refuses.
        """

        def look(client: Any) -> bool:
            if not client.has_collection(self.name):
                return False
            self._check_schema(client)
            named = [client.list_indexes(self.name, name) for name in FIELDS]
            if not all(named):
                return False  # whoever makes it is not that far
            self._kind = client.describe_index(self.name, named[0][0])["index_type"]
            self._have_loaded(client)
            found = client.query(
                self.name, ids=[key], output_fields=[KEY], consistency_level="Strong"
            )
            first = time.monotonic() + _SETTLED_SECONDS
            self._settled_at = (self._settled_at or first) if found else 0.0
            return bool(found)

        return self._ask(look)

    def upsert(self, rows: list[dict[str, Any]]) -> None:
        """Put rows there; those of keys that are there already are replaced.

        Raises:
            ClusterError: Milvus is away or refuses.
        """
        self._ask(lambda client: client.upsert(self.name, rows, timeout=_WRITE_SECONDS))

    def delete(self, keys: list[int]) -> None:
        """Take rows away, as far as they are there.

        Raises:
            ClusterError: Milvus is away or refuses.
        """
        self._ask(lambda client: client.delete(self.name, ids=keys, timeout=_WRITE_SECONDS))

    def flush(self) -> None:
        """Have what was put there written to segments, which are indexed.

        Raises:
            ClusterError: Milvus is away or refuses.
        """
        self._ask(lambda client: client.flush(self.name, timeout=_WRITE_SECONDS))

    def nearest(
        self, name: str, queries: Floats, limit: int, where: str
    ) -> list[list[tuple[int, float]]]:
        """For each query keys and products of the nearest rows, best first.

        Args:
            name: which vectors.
            queries: float32 of shape (q, dim).
            limit: how many, at most `MOST`.
            where: an expression that they meet; none if empty.

        Raises:
            ClusterError: Milvus is away or refuses.
        """
        params: dict[str, Any] = {}
        if self._kind == "HNSW":
            params = {"ef": max(_LEAST_EF, 2 * limit)}
        elif self._kind.startswith("IVF"):
            params = {"nprobe": _PROBED}
        # What was written a moment ago a search may not see yet, unless it waits for it.
        settled = time.monotonic() >= self._settled_at
        found = self._ask(
            lambda client: client.search(
                self.name,
                data=list(queries),
                anns_field=name,
                limit=limit,
                filter=where,
                output_fields=[KEY],
                search_params={"metric_type": "IP", "params": params},
                consistency_level="Bounded" if settled else "Strong",
                timeout=self.config.timeout_seconds,
            )
        )
        return [[(hit[KEY], hit["distance"]) for hit in hits] for hits in found]

    def expression(self, conditions: Sequence[Condition]) -> str:
        """Conditions as Milvus reads them: names of fields and numbers alone, whatever was asked.

        An item that meets the conditions meets the expression; of those that meet it, one may fail
        them, where two values have one key.
        """
        return " and ".join(self._term(self.fields[one.column], one) for one in conditions)

    def value(self, one: Field, value: Any) -> int | float | None:
        """How the collection holds a value of a column."""
        if value is None:
            return None
        if one.number:
            return float(max(-_LARGEST, min(_LARGEST, value)))
        if not isinstance(value, str):  # ids, and bounds of them, of which one may be infinite
            value = int(max(-_LARGEST_KEY, min(_LARGEST_KEY, value)))
        return self.key_of(value)

    def _term(self, one: Field, condition: Condition) -> str:
        if condition.bounds is not None:
            least, most = (self.value(one, bound) for bound in condition.bounds)
            return f"({one.name} >= {least!r} and {one.name} <= {most!r})"
        values = [self.value(one, value) for value in condition.values if value is not None]
        terms = [f"{one.name} in [{', '.join(map(repr, values))}]"] if values else []
        terms += [f"{one.name} is null"] if None in condition.values else []
        return f"({' or '.join(terms)})"

    def close(self) -> None:
        """Let go of the server or the file."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _ask(self, ask: Callable[[Any], T]) -> T:
        """What Milvus says, or one sentence of why it says nothing."""
        try:
            import grpc
            from pymilvus import MilvusException
        except ImportError as error:
            raise ClusterError(
                "Milvus takes more packages: run `pip install -r requirements-scale.txt`."
            ) from error
        for name in ("pymilvus", "milvus_lite", "grpc._server"):
            # They log each error with a trace, which is said here in a sentence.
            logging.getLogger(name).setLevel(logging.CRITICAL)
        try:
            return ask(self._connected())
        except (MilvusException, grpc.RpcError, OSError) as error:
            self.close()
            file = None if self.config.is_server else Path(self.config.uri)
            raise ClusterError(why(error, self.config.place, self.name, file)) from error

    def _connected(self) -> Any:
        from pymilvus import MilvusClient

        with self._lock:
            if self._client is None:
                config = self.config
                secure = {"server_pem_path": config.certificate} if config.certificate else {}
                self._client = MilvusClient(
                    config.uri, token=config.token, timeout=config.timeout_seconds, **secure
                )
            return self._client
