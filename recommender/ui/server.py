"""What stands around the page: the pictures' route, limits on bodies, headers, launch settings."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

import gradio as gr
from gradio import processing_utils
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from recommender.engine import Recommender
from recommender.errors import UnknownItemError

MAX_UPLOAD_BYTES = 10 * 2**20
# A data URL of the largest picture is a third longer than it, and JSON goes around it.
MAX_BODY_BYTES = 15 * 2**20

_STYLE = Path(__file__).with_name("style.css")
_MAGIC = {
    b"\xff\xd8": "image/jpeg",
    b"\x89P": "image/png",
    b"GI": "image/gif",
    b"RI": "image/webp",
    b"BM": "image/bmp",
}

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class LimitBodies:
    """ASGI middleware: refuse bodies past the limit, declared or streamed; add safe headers.

    Gradio limits uploaded files, but neither JSON nor the data URLs in it.
    """

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if not declared.isdigit() or int(declared) > MAX_BODY_BYTES:
            await _too_large(scope, receive, send)
            return
        received, answering = 0, False

        async def counted() -> MutableMapping[str, Any]:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > MAX_BODY_BYTES:
                raise _BodyTooLargeError
            return message

        async def with_headers(message: MutableMapping[str, Any]) -> None:
            nonlocal answering
            if message["type"] == "http.response.start":
                answering = True
                message["headers"] = [
                    *message.get("headers", []),
                    (b"x-content-type-options", b"nosniff"),
                    (b"referrer-policy", b"same-origin"),
                ]
            await send(message)

        try:
            await self.app(scope, counted, with_headers)
        except _BodyTooLargeError:
            if not answering:
                await _too_large(scope, receive, send)


class _BodyTooLargeError(Exception):
    pass


async def _too_large(scope: Scope, receive: Receive, send: Send) -> None:
    sentence = f"The request is too large: a picture has at most {MAX_UPLOAD_BYTES >> 20} MB."
    response = JSONResponse({"error": sentence, "detail": sentence}, status_code=413)
    await response(scope, receive, send)


def picture_route(recommender: Recommender) -> Route:
    """`/pictures/ID`: the bytes of an item's picture, as its source had them."""

    async def picture(request: Request) -> Response:
        try:
            item_id = request.path_params["item_id"]
            data = await asyncio.to_thread(recommender.picture_bytes, item_id)
        except UnknownItemError as error:
            return PlainTextResponse(str(error), status_code=404)
        kind = _MAGIC.get(data[:2], "image/avif" if data[4:8] == b"ftyp" else "image/jpeg")
        headers = {"cache-control": "public, max-age=86400"}
        return Response(data, media_type=kind, headers=headers)

    return Route("/pictures/{item_id:int}", picture)


def refuse_url_downloads() -> None:
    """Close Gradio's own road for URL inputs, which has no limit on what it fetches.

    A file of any input may name a URL, in whatever component, so the one function that they all
    end in is replaced. `images.fetch_image` is the only road to a web address.
    """

    def refuse(*_: object, **__: object) -> str:
        message = "A file cannot be a web address here: give it as `url` instead."
        raise gr.Error(message, print_exception=False)

    async def refuse_later(*_: object, **__: object) -> str:
        return refuse()

    processing_utils.async_ssrf_protected_download = refuse_later
    processing_utils.ssrf_protected_download = refuse
    processing_utils.save_url_to_cache = refuse
    processing_utils.unsafe_download = refuse


def launch_settings(recommender: Recommender) -> dict[str, Any]:
    """Keyword arguments of `Blocks.launch` that belong to this app wherever it runs."""
    font = ["system-ui", "-apple-system", "Segoe UI", "sans-serif"]
    return {
        "theme": gr.themes.Base(
            primary_hue="rose",
            neutral_hue="stone",
            font=font,
            font_mono=["ui-monospace", "Menlo", "monospace"],
            radius_size="lg",
        ),
        "css_paths": _STYLE,
        "app_kwargs": {
            "routes": [picture_route(recommender)],
            "middleware": [Middleware(LimitBodies)],
        },
        "max_file_size": MAX_UPLOAD_BYTES,
        "footer_links": ["api", "settings"],
        "run_history": False,
        "enable_monitoring": False,
        "ssr_mode": False,
        "share": False,
    }
