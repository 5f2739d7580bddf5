"""No request ends in a trace, and of Gradio's routes only those are open that the app uses."""

import logging

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recommender.files import is_disk_full
from recommender.ui.server.refusals import refusal

NO_ENDPOINT = "There is no such endpoint: /gradio_api/info lists those there are."
FAILED = "Something went wrong here, which is not your fault; it is in the log. Try it once more."

DISK_FULL = "The server's disk takes nothing more right now: nothing is lost. Try it again later."

log = logging.getLogger(__name__)

_CLOSED = (
    "/gradio_api/component_server",
    "/gradio_api/custom_component",
    "/gradio_api/process_recording",
    "/gradio_api/proxy=",
    "/gradio_api/stream/",
    "/gradio_api/vibe-",
    "/monitoring",
)
"""Ways into components that the page does not have."""


class Guard:
    """ASGI middleware: what an app raises is one line of the log and, where it can be, a sentence.

    Who leaves before an upload ends is no error.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if scope["path"].startswith(_CLOSED):
            await refusal(NO_ENDPOINT, 404)(scope, receive, send)
            return
        answering = False

        async def noted(message: Message) -> None:
            nonlocal answering
            answering = True
            await send(message)

        try:
            await self.app(scope, receive, noted)
        except ClientDisconnect:
            return
        except Exception as error:
            # Gradio looks for an event when its stream has begun: too late to refuse it.
            if not isinstance(error.__cause__, HTTPException):
                log.exception("a request failed")
            if answering:
                await send({"type": "http.response.body", "body": b""})
            elif is_disk_full(error):
                await refusal(DISK_FULL, 507)(scope, receive, send)
            else:
                await refusal(FAILED, 500)(scope, receive, send)
