"""Files of a store and of reports: hashed, and written whole or not at all."""

import hashlib
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

logger = logging.getLogger(__name__)


def hash_files(paths: Sequence[Path]) -> list[str]:
    """sha256 of each file, in hex."""

    def sha256(path: Path) -> str:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    with ThreadPoolExecutor() as pool:
        return list(pool.map(sha256, paths))
