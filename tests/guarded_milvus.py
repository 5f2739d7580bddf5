"""Milvus' protocol over TLS, for those who show a token. Imported where its packages are there."""

import base64
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
from milvus_lite.adapter.grpc.servicer import MilvusServicer
from milvus_lite.db import MilvusLite
from pymilvus.grpc_gen import milvus_pb2_grpc

WRITER, READER = "root:all", "bob:reads"


class Guard(grpc.ServerInterceptor):
    """Says what Milvus' proxy says to those who may not do what they ask."""

    def intercept_service(self, go: Any, details: Any) -> Any:
        sent = dict(details.invocation_metadata).get("authorization", "")
        token, asked = base64.b64decode(sent).decode(), details.method.rpartition("/")[2]
        if token not in (WRITER, READER):
            code, said = grpc.StatusCode.UNAUTHENTICATED, "auth check failure, please check"
        elif token == READER and asked in ("CreateCollection", "Upsert", "Delete"):
            code, said = grpc.StatusCode.PERMISSION_DENIED, f"Privilege{asked}: permission deny"
        else:
            return go(details)
        return grpc.unary_unary_rpc_method_handler(lambda _, context: context.abort(code, said))


@contextmanager
def guarded_milvus(folder: Path) -> Iterator[tuple[str, Path]]:
    """One that runs: its address, and the certificate that it shows."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    named = ["-nodes", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command = [*made, *named, "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    database = MilvusLite(str(folder / "guarded.db"))
    served = grpc.server(ThreadPoolExecutor(4), interceptors=[Guard()])
    milvus_pb2_grpc.add_MilvusServiceServicer_to_server(MilvusServicer(database), served)
    secret = grpc.ssl_server_credentials([(key.read_bytes(), certificate.read_bytes())])
    port = served.add_secure_port("localhost:0", secret)
    served.start()
    try:
        yield f"https://localhost:{port}", certificate
    finally:
        served.stop(grace=0).wait()
        database.close()
