"""What the server writes of its work: one line of JSON an event, short, of nothing that was sent.

A message of an exception often repeats what a visitor sent, and a trace takes pages of it: a line
says the exception's kind and the place in the code where it came up.
"""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any

LONGEST = 500
"""Characters of a line."""


class JsonLines(logging.Formatter):
    """A record as one line, at most `LONGEST` characters."""

    def format(self, record: logging.LogRecord) -> str:
        """`time`, `level`, `logger` and `message`; what failed, as `error` and `at`."""
        said: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name[:60],
            **getattr(record, "fields", {}),
        }
        if record.exc_info and (error := record.exc_info[1]) is not None:
            said |= {"error": type(error).__name__[:60], "at": _place(error)}
        # Libraries put exceptions into what follows the first line of their message.
        message = record.getMessage().partition("\n")[0][:LONGEST]
        line = json.dumps({**said, "message": message}, ensure_ascii=False)
        if len(line) > LONGEST:  # each character that goes takes one or more of the line
            message = message[: LONGEST - len(line) - 1] + "…"
            line = json.dumps({**said, "message": message}, ensure_ascii=False)
        return line


def _place(error: BaseException) -> str:
    """File, line and function where an exception came up, without the folders above."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return "unknown"
    last = frames[-1]
    return f"{'/'.join(last.filename.split('/')[-2:])}:{last.lineno} in {last.name}"[-120:]


def write_logs() -> None:
    """Log from now on: sentences for whoever sits at a terminal, lines of JSON anywhere else."""
    handler = logging.StreamHandler()
    handler.setLevel(logging.INFO)  # whatever a library sets its own logger to
    at_terminal = sys.stderr.isatty()
    handler.setFormatter(logging.Formatter("%(message)s") if at_terminal else JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.captureWarnings(True)
    # It would write down every address that is asked for.
    logging.getLogger("httpx").setLevel(logging.WARNING)


def join_servers_logs() -> None:
    """Let what uvicorn logs go the same way; to be called when it has set up its own."""
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
