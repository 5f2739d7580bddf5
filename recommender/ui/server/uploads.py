"""Pictures that visitors show: where they lie, and that they do not stay."""

import asyncio
import contextlib
import math
import os
import re
import stat
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from gradio import routes
from gradio.route_utils import FileUploadProgress
from gradio.utils import get_upload_folder

from recommender.ui.server.lifespan import beside

_UPLOADED = re.compile(r"[/\\][0-9a-f]{64}[/\\][^/\\]+$")
"""Gradio puts a file into a folder that is named by its content."""

# Looked for every ten minutes and deleted when 40 old, so that none lives an hour.
SWEEP_EVERY_SECONDS = 600.0
DELETE_AFTER_SECONDS = 2400.0
_FOLLOWED = 1_000
"""Uploads whose progress is known at once."""


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

    uploads = Uploads(Path(get_upload_folder()))

    async def sweep() -> None:
        while True:
            await asyncio.to_thread(uploads.delete_old, DELETE_AFTER_SECONDS)
            await asyncio.sleep(SWEEP_EVERY_SECONDS)

    async with beside(sweep()):
        yield


def is_of_others(sent: Any) -> bool:
    """Whether what was sent names a file as it is named where it was uploaded, which was not here.

    >>> is_of_others([{"path": f"/elsewhere/{'0' * 64}/tee.jpg"}, 5])
    True
    >>> is_of_others([{"path": "/etc/passwd"}])
    False
    """
    if isinstance(sent, Mapping):
        path = sent.get("path")
        if isinstance(path, str) and _UPLOADED.search(path):
            # Of what lies elsewhere nobody learns whether it does.
            return not path.startswith(get_upload_folder())
        sent = list(sent.values())
    return isinstance(sent, list) and any(is_of_others(value) for value in sent)


class Uploads:
    """The files of a folder, and how long each has been there, whatever becomes of the clock.

    Of what was there before, the file system alone says since when, by a clock that may have been
    wrong. What came since the last look is no older than that look.
    """

    def __init__(self, folder: Path) -> None:
        """Args:
        folder: need not exist.
        """
        self._folder = folder
        self._since: dict[tuple[Path, float], float] = {}
        self._looked_at: float | None = None

    def delete_old(self, older_than_seconds: float) -> None:
        """Delete files that came a while ago, and folders left empty.

        Args:
            older_than_seconds: since a file came. Gradio touches the files that it uses but not
                the folder of their own that it gives them, so that the folder's age is theirs.
        """
        now, clock = time.monotonic(), time.time()
        longest = math.inf if self._looked_at is None else now - self._looked_at
        since = dict[tuple[Path, float], float]()
        for parent, folders, files in os.walk(self._folder, topdown=False):
            for name in files + folders:
                path = Path(parent, name)
                # In use, not empty, or gone by itself: the next sweep looks again.
                with contextlib.suppress(OSError):
                    came = path.lstat().st_ctime
                    if name in files and Path(parent) != self._folder:
                        came = min(came, Path(parent).stat().st_mtime)
                    age = min(abs(clock - came), longest)
                    key = path, came
                    since[key] = self._since.get(key, now - age)
                    if now - since[key] > older_than_seconds:
                        path.rmdir() if name in folders else path.unlink()
        self._since, self._looked_at = since, now


class UploadProgress(FileUploadProgress):
    """How far uploads are; of those whose visitor does not ask, nothing is known for good.

    Gradio remembers each name that an upload gives itself, and each that is asked for.
    """

    def track(self, upload_id: str) -> None:
        """Begin; the oldest of too many is forgotten."""
        super().track(upload_id)
        if len(self._statuses) > _FOLLOWED:
            self.stop_tracking(next(iter(self._statuses)))

    async def is_tracked(self, upload_id: str) -> bool:
        """Wait until it is begun; who gives up leaves nothing."""
        try:
            return await super().is_tracked(upload_id)
        finally:
            if upload_id not in self._statuses:
                self._signals.pop(upload_id, None)

    def stop_tracking(self, upload_id: str) -> None:
        """Forget one."""
        super().stop_tracking(upload_id)
        self._signals.pop(upload_id, None)


def forget_progress() -> None:
    """Let apps that are launched from now on keep nothing of uploads that are over."""
    routes.file_upload_statuses = UploadProgress()
