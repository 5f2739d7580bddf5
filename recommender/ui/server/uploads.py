"""Pictures that visitors show: where they lie, and that they do not stay."""

import asyncio
import contextlib
import os
import stat
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

from gradio.utils import get_upload_folder

# Looked for every ten minutes and deleted when 40 old, so that none lives an hour.
SWEEP_EVERY_SECONDS = 600.0
DELETE_AFTER_SECONDS = 2400.0


def use_own_folder() -> None:
    """Keep uploads apart from those of other Gradio apps; to be called before one is built."""
    os.environ.setdefault("GRADIO_TEMP_DIR", str(_own_folder()))


def _own_folder() -> Path:
    """A folder that this user alone can read: the same at every start, where nobody else has it."""
    user = os.getuid() if hasattr(os, "getuid") else ""
    own = Path(tempfile.gettempdir()) / f"fashion-recommender-{user}"
    with contextlib.suppress(FileExistsError):
        own.mkdir(mode=0o700)
    there = own.lstat()
    if stat.S_ISDIR(there.st_mode) and user in ("", there.st_uid):
        return own
    return Path(tempfile.mkdtemp(prefix="fashion-recommender-"))


@contextlib.asynccontextmanager
async def deleting_uploads(_: object) -> AsyncIterator[None]:
    """Lifespan of the server: delete old uploads, at once and then again and again.

    Not by Gradio's `delete_cache`: that knows nothing of uploads that broke off nor of what a
    killed process left behind, and ends for good when an upload comes while it looks.
    """

    async def sweep() -> None:
        while True:
            await asyncio.to_thread(delete_old, Path(get_upload_folder()), DELETE_AFTER_SECONDS)
            await asyncio.sleep(SWEEP_EVERY_SECONDS)

    task = asyncio.create_task(sweep())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def delete_old(folder: Path, older_than_seconds: float) -> None:
    """Delete files of a folder that came a while ago, and folders left empty.

    Args:
        folder: need not exist.
        older_than_seconds: since a file came. Gradio touches the files that it uses but not the
            folder of their own that it gives them, so that the folder's age is theirs. What came
            that long after now goes as well: the clock was set back since.
    """
    now = time.time()
    for parent, folders, files in os.walk(folder, topdown=False):
        for name in files + folders:
            path = Path(parent, name)
            # In use, not empty, or gone by itself: the next sweep looks again.
            with contextlib.suppress(OSError):
                came = path.lstat().st_ctime
                if name in files and Path(parent) != folder:
                    came = min(came, Path(parent).stat().st_mtime)
                if abs(now - came) > older_than_seconds:
                    path.rmdir() if name in folders else path.unlink()
