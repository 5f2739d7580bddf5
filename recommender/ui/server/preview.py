"""What a link to the app shows of it where it is shared: a title, a sentence and a picture.

Gradio's page says its own there; who draws such a preview runs no script, so the server says ours.
"""

import html
import re
from pathlib import Path
from urllib.parse import quote

import gradio as gr
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recommender.errors import UnknownItemError
from recommender.service.live import Live
from recommender.service.sentences import TITLE, UNNAMED, invitation, sentence
from recommender.ui.server.origin import origin_of

_PICTURE = Path(__file__).parents[1] / "screenshots" / "find-1280.png"
_A_DAY = {"cache-control": "public, max-age=86400"}
_HTML = (b"content-type", b"text/html; charset=utf-8")
_GRADIOS = re.compile(r'<meta\s+(?:property="og:|name="twitter:)[^>]*>')


def preview_route() -> Route:
    """`/preview.png`: the app as it looks after a search."""

    async def preview(request: Request) -> Response:
        return FileResponse(_PICTURE, headers=_A_DAY)

    return Route("/preview.png", preview)


class Preview:
    """ASGI middleware: the page's head tells of the app or, in a link to an item, of the item."""

    def __init__(self, app: ASGIApp, live: Live) -> None:
        self.app, self.live = app, live

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or not _is_page(scope):
            await self.app(scope, receive, send)
            return
        start: Message = {}
        body = b""

        async def rewritten(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                start = message
                return
            body += message.get("body", b"")
            if message.get("more_body"):
                return
            headers = [pair for pair in start["headers"] if pair[0] != b"content-length"]
            if start["status"] == 200 and _HTML in headers:
                body = self._with_preview(body, scope)
            length = (b"content-length", str(len(body)).encode())
            await send({**start, "headers": [*headers, length]})
            await send({"type": "http.response.body", "body": body})

        await self.app(scope, receive, rewritten)

    def _with_preview(self, page: bytes, scope: Scope) -> bytes:
        request = Request(scope)
        tags = meta_tags(
            self.live, request.query_params.get("item"), origin_of(gr.Request(request))
        )
        # Scripts hold the catalog's texts and the page's: only what stands before them is the head.
        head, script, rest = page.decode().partition("<script>")
        return (_GRADIOS.sub("", head) + tags + script + rest).encode()


def meta_tags(live: Live, item: str | None, origin: str) -> str:
    """What tells of the app, or of an item.

    Args:
        live: what is served.
        item: the id that a link names, as it stands there.
        origin: scheme and host under which the app is reached.
    """
    recommender = live.now
    title, said, address = TITLE, invitation(len(recommender)), f"{origin}/"
    picture, card = f"{origin}/preview.png", "summary_large_image"
    if item:
        try:
            known = recommender.item(recommender.items.id_in(item))
        except UnknownItemError:
            pass  # the page says so
        else:
            title, said = known["productDisplayName"] or UNNAMED, sentence(known)
            its = quote(str(known["id"]), safe="")
            address, card = f"{origin}/?item={its}", "summary"
            picture = f"{origin}/pictures/{its}"
    properties = {"type": "website", "site_name": TITLE, "title": title, "description": said}
    properties |= {"url": address, "image": picture, "image:alt": said}
    tags = [
        f'<meta property="og:{name}" content="{html.escape(value)}">'
        for name, value in properties.items()
    ]
    tags.append(f'<meta name="twitter:card" content="{card}">')
    tags.append(f'<meta name="description" content="{html.escape(said)}">')
    return "".join(tags)


def _is_page(scope: Scope) -> bool:
    """Whether it is the page that is asked for, under whatever path the app is mounted."""
    return scope["path"].removeprefix(scope.get("root_path", "")) in ("", "/")
