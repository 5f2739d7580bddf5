"""What went wrong in Milvus, as one sentence: its clients say it in many, and some not at all."""

import os
from pathlib import Path
from typing import Any

_LOADING = "run `python -m scripts.load_milvus`"


def why(error: BaseException, place: str, collection: str, file: Path | None) -> str:
    """What is wrong, by the words of an error and of what led to it.

    Args:
        error: of pymilvus, gRPC or the system.
        place: what the server or the file is called.
        collection: that was asked.
        file: of Milvus Lite; None of a server.
    """
    said = _said(error)
    # A client that was refused at the door says that nobody answers, and why as the cause.
    words = " ".join(map(_said, _with_causes(error))).casefold()
    if any(word in words for word in ("no space", "quota", "disk", "memory limit")):
        return f"Milvus at {place} takes no more: its disk, memory or quota is full."
    if any(word in words for word in ("permission deny", "permission_denied", "privilege")):
        return f"Milvus at {place} refuses: the token may not do that with {collection}."
    if any(word in words for word in ("auth check", "authenticat", "credential")):
        return f"Milvus at {place} refuses the token: see FASHION_MILVUS_TOKEN."
    if "certificate" in words:
        return f"Milvus at {place} shows a certificate that does not fit: {_AUTHORITY}."
    if file is not None and any(word in words for word in ("lock", "open local")):
        return _unopened(file)
    if any(word in words for word in ("connect", "unavailable", "deadline", "timeout")):
        return f"Milvus at {place} does not answer."
    return f"Milvus at {place} refuses: {' '.join(said.split())[:200].rstrip('.')}."


_AUTHORITY = "FASHION_MILVUS_CERTIFICATE is a file of the authority that vouches for it"


def _with_causes(error: BaseException) -> list[BaseException]:
    found, next_one = list[BaseException](), error.__cause__ or error.__context__
    while next_one is not None and next_one not in [error, *found]:  # gRPC's may be its own cause
        found.append(next_one)
        next_one = next_one.__cause__ or next_one.__context__
    return [error, *found]


def _said(error: BaseException) -> str:
    """The words of an error, of gRPC's without what it adds for its own people."""
    if callable(details := getattr(error, "details", None)):
        code: Any = getattr(error, "code", lambda: "")()
        return f"{getattr(code, 'name', '')} {details() or ''}".strip()
    return str(getattr(error, "message", error))


def _unopened(file: Path) -> str:
    """Why Milvus Lite does not open its file, a folder, which it does not say."""
    if not file.parent.is_dir():
        return f"{file} cannot be made: there is no folder {file.parent}."
    if file.exists() and not file.is_dir():
        return f"{file} is nothing that Milvus Lite 3 made: move it away and {_LOADING}."
    if not os.access(file if file.exists() else file.parent, os.W_OK):
        return f"{file} cannot be opened: it may not be written."
    return (
        f"{file} cannot be opened: one process at a time can have Milvus Lite's file; if none has "
        f"it, it is damaged: move it away and {_LOADING}."
    )
