"""The log of events, pushed to a private dataset on the Hub every few minutes.

Each log has a folder of its own there, by a name that lies beside it: a Space that starts anew on
an empty disk begins a new one, and what was pushed before stays.
"""

import atexit
import logging
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from huggingface_hub import CommitInfo, CommitScheduler, HfApi

from recommender.errors import HubError
from recommender.hub.hub import Address, plain_errors

log = logging.getLogger(__name__)

NAME_FILE = "pushed-as"
_EVERY_MINUTES = 5.0
_LAST_SECONDS = 3.0


class LogPush(CommitScheduler):
    """A scheduler whose Hub may fail: that is said once, and what it lacks is pushed later.

    It works in threads that end with the process, which waits for the last push, and not for long.
    """

    def __init__(self, **settings: Any) -> None:
        """Begin; see `CommitScheduler`."""
        self._one, self._failing = Lock(), False
        super().__init__(**settings)
        atexit.unregister(self._push_to_hub)
        atexit.register(self.end)

    def trigger(self) -> Future[CommitInfo | None]:
        """Push now, in the thread that asks."""
        pushed: Future[CommitInfo | None] = Future()
        pushed.set_result(self._push_to_hub())
        return pushed

    def end(self) -> None:
        """Push what is new by the end of the process, if the Hub is quick."""
        last = Thread(target=self._push_to_hub, daemon=True)
        last.start()
        last.join(_LAST_SECONDS)
        self.stop()

    def push_to_hub(self) -> CommitInfo | None:
        """The commit, or None where nothing is new or nothing could be pushed."""
        with self._one:
            try:
                with plain_errors(self.repo_id, "pushed"):
                    pushed: CommitInfo | None = super().push_to_hub()
            except HubError as error:
                if not self._failing:
                    log.warning("events are not on the Hub yet: %s", error)
                self._failing = True
                return None
            self._failing = False
            return pushed


def start_pushing(
    folder: Path,
    repo: str,
    *,
    every_minutes: float = _EVERY_MINUTES,
    token: str | None = None,
    endpoint: str | None = None,
) -> LogPush:
    """Push a log now, every few minutes, and when the process ends.

    Args:
        folder: the log's; it may lie in wait for its first event.
        repo: `OWNER/NAME` of a dataset, which is made, private, where it is not there.
        every_minutes: between two pushes, each of the files that changed.
        token: of the Hub; the one that is logged in with if None.
        endpoint: the Hub's address; the usual one if None.

    Raises:
        HubError: the Hub refuses or cannot be reached, or everyone can read the repo.
        OSError: the folder cannot be written.
    """
    repo = Address.parse(repo).repo
    api = HfApi(endpoint=endpoint, token=token)
    with plain_errors(repo, "pushed"):
        api.create_repo(repo, repo_type="dataset", private=True, exist_ok=True)
        if not api.repo_info(repo, repo_type="dataset").private:
            raise HubError(f"{repo} can be read by everyone: make it private, or name another.")
        return LogPush(
            repo_id=repo,
            repo_type="dataset",
            private=True,
            folder_path=folder,
            path_in_repo=_name_of(folder),
            allow_patterns="*.jsonl",
            every=every_minutes,
            hf_api=api,
        )


def keep_pushing(
    folder: Path, repo: str, *, start: Callable[[Path, str], Any] = start_pushing
) -> Thread:
    """The same, begun beside all else, and tried again until the Hub is there."""

    def begin() -> None:
        said = ""
        while True:
            try:
                start(folder, repo)
                return
            except (HubError, OSError) as error:
                if (why := str(error)) != said:
                    log.warning("events are not pushed to the Hub yet: %s", why)
                said = why
            time.sleep(_EVERY_MINUTES * 60)

    thread = Thread(target=begin, name="log-push", daemon=True)
    thread.start()
    return thread


def _name_of(folder: Path) -> str:
    """Under which name a log goes; the same for as long as its folder lasts."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / NAME_FILE
    with suppress(FileExistsError), path.open("x", encoding="utf-8") as file:
        file.write(uuid.uuid4().hex)
    name = path.read_text(encoding="utf-8")
    if not name.isalnum():
        raise OSError(f"{path} does not say under which name this log is pushed: remove it")
    return name
