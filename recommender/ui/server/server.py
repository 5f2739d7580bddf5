"""What stands around the page: the pictures' route, limits on bodies, headers, launch settings."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import gradio as gr
from fastapi.exceptions import RequestValidationError
from gradio import processing_utils, routes
from gradio.route_utils import FnIndexInferError
from python_multipart.exceptions import FormParserError
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recommender.errors import RecommenderError, StoreError, UnknownItemError
from recommender.pictures.decode import VISITOR_LIMITS, format_of
from recommender.service.answers import Service
from recommender.service.examples import PHOTOGRAPHS
from recommender.service.live import Live
from recommender.service.memory import give_back
from recommender.service.sentences import sentence
from recommender.ui.server.calls import WRONG_BODY, Calls
from recommender.ui.server.door import OPEN, Door
from recommender.ui.server.downloads import download_route, shortlist_route
from recommender.ui.server.guard import NO_ENDPOINT, Guard
from recommender.ui.server.health import health_routes
from recommender.ui.server.lifespan import beside
from recommender.ui.server.logs import join_servers_logs
from recommender.ui.server.origin import CheckOrigin
from recommender.ui.server.page import WRONG_INPUTS
from recommender.ui.server.preview import Preview, preview_route
from recommender.ui.server.refusals import refusal
from recommender.ui.server.shares import Buckets, FairShare
from recommender.ui.server.tools import HAS_MCP
from recommender.ui.server.uploads import deleting_uploads

MAX_UPLOAD_BYTES = VISITOR_LIMITS.max_bytes
# A data URL of the largest picture is a third longer than it, and JSON goes around it.
MAX_BODY_BYTES = 15 * 2**20

NO_UPLOAD = "These are no files as a form sends them: multipart/form-data with a part `files` each."

_BY_NAME, _UPLOAD = "/gradio_api/call/v2/", "/gradio_api/upload"

_GIVE_BACK_SECONDS = 5.0
"""It takes milliseconds, in which nobody is given any."""

_SAFE_HEADERS = ((b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"same-origin"))
_A_DAY = {"cache-control": "public, max-age=86400"}
_NO_MCP = ".api-docs .snippets li.snippet:last-child { display: none; }"
"""Gradio's page of the API offers MCP, its last way in, whether it is there or not."""
_STYLE = Path(__file__).parents[1] / "style.css"


class LimitBodies:
    """ASGI middleware: refuse bodies past the limit, declared or streamed; add safe headers.

    Gradio limits uploaded files, but neither JSON nor the data URLs in it.
    """

    def __init__(self, app: ASGIApp) -> None:
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

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > MAX_BODY_BYTES:
                raise _BodyTooLargeError
            return message

        async def with_headers(message: Message) -> None:
            nonlocal answering
            if received > MAX_BODY_BYTES and not answering:
                return  # FastAPI takes the error for a body that it could not parse
            if message["type"] == "http.response.start":
                answering = True
                message["headers"] = [*message.get("headers", []), *_SAFE_HEADERS]
            await send(message)

        with contextlib.suppress(_BodyTooLargeError):
            await self.app(scope, counted, with_headers)
        if received > MAX_BODY_BYTES and not answering:
            await _too_large(scope, receive, send)


class _BodyTooLargeError(Exception):
    pass


async def _too_large(scope: Scope, receive: Receive, send: Send) -> None:
    sentence = f"The request is too large: a picture has at most {MAX_UPLOAD_BYTES >> 20} MB."
    await refusal(sentence, 413)(scope, receive, send)


def _refusing(sentence: str, status_code: int) -> Callable[..., Awaitable[Response]]:
    """What handles an exception; FastAPI's own answers would repeat what was sent."""

    async def handle(*_: object) -> Response:
        return refusal(sentence, status_code)

    return handle


async def _refuse_inputs(request: Request, error: Exception) -> Response:
    """Gradio takes parameters by name, and files, by functions that raise what they happen to."""
    path = request.url.path
    if path.startswith(_BY_NAME):
        return refusal(WRONG_INPUTS, 422)
    if path.startswith(_UPLOAD):
        return refusal(NO_UPLOAD, 400)
    raise error


class _Id(PathConvertor):
    """An item's id, which may hold slashes but is never nothing."""

    regex = ".+"


register_url_convertor("id", _Id())


def picture_route(live: Live) -> Route:
    """`/pictures/ID`: the bytes of an item's picture, as its source had them; `?view=2` gives the
    first of its further ones.

    A browser keeps them and asks each time whether they are still the same: an item may get
    another picture, and the same address another catalog.
    """

    async def picture(request: Request) -> Response:
        try:
            recommender = live.now
            item_id = recommender.items.id_in(request.path_params["item_id"])
            view = request.query_params.get("view", "1")
            number = int(view) if view.isascii() and view.isdigit() and len(view) < 9 else 0
            data = await asyncio.to_thread(recommender.picture_bytes, item_id, number)
            media_type = f"image/{format_of(data)}"
        except RecommenderError as error:
            status = 503 if isinstance(error, StoreError) else 404
            return PlainTextResponse(str(error), status_code=status)
        tag = f'"{sha256(data).hexdigest()[:32]}"'
        head = {"cache-control": "no-cache", "etag": tag}
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=head)
        return Response(data, media_type=media_type, headers=head)

    return Route("/pictures/{item_id:id}", picture)


def caption_route(live: Live) -> Route:
    """`/captions/ID`: an item in words, which the style map shows under the pointer."""

    async def caption(request: Request) -> Response:
        try:
            recommender = live.now
            item = recommender.item(recommender.items.id_in(request.path_params["item_id"]))
        except UnknownItemError as error:
            return PlainTextResponse(str(error), status_code=404)
        return PlainTextResponse(sentence(item))

    return Route("/captions/{item_id:id}", caption)


def photograph_route() -> Route:
    """`/photographs/NAME`: one of the examples."""

    async def photograph(request: Request) -> Response:
        path = PHOTOGRAPHS.get(request.path_params["name"])
        if path is None:
            return PlainTextResponse("There is no such photograph.", status_code=404)
        return FileResponse(path, headers=_A_DAY)

    return Route("/photographs/{name}", photograph)


def refuse_url_downloads() -> None:
    """Close Gradio's own road for URL inputs, which has no limit on what it fetches.

    A file of any input may name a URL, in whatever component, and so may the address of a file, so
    the functions that they all end in are replaced. `fetch_image` is the only road to a web
    address.
    """

    def refuse(*_: object, **__: object) -> str:
        message = "A file cannot be a web address here: give it as `url` instead."
        raise gr.Error(message, print_exception=False)

    async def refuse_later(*_: object, **__: object) -> str:
        return refuse()

    setattr(routes, "secure_url_stream_response", _refusing(NO_ENDPOINT, 404))  # noqa: B010
    processing_utils.async_ssrf_protected_download = refuse_later
    processing_utils.ssrf_protected_download = refuse
    processing_utils.save_url_to_cache = refuse
    processing_utils.unsafe_download = refuse


@contextlib.asynccontextmanager
async def giving_back_memory() -> AsyncIterator[None]:
    """Lifespan of the server: what answers took and left is not kept until there is ever more."""

    async def again_and_again() -> None:
        while True:
            await asyncio.sleep(_GIVE_BACK_SECONDS)
            await asyncio.to_thread(give_back)

    async with beside(again_and_again()):
        yield


@contextlib.asynccontextmanager
async def _running(app: object) -> AsyncIterator[None]:
    """Lifespan of the server."""
    join_servers_logs()
    async with deleting_uploads(app), giving_back_memory():
        yield


def launch_settings(service: Service, door: Door = OPEN) -> dict[str, Any]:
    """Keyword arguments of `Blocks.launch` that belong to this app wherever it runs.

    Args:
        service: whose pictures and trends are served; the one that the page asks.
        door: how strangers come in.
    """
    theme = gr.themes.Base(
        primary_hue="rose",
        neutral_hue="stone",
        font=["system-ui", "-apple-system", "Segoe UI", "sans-serif"],
        font_mono=["ui-monospace", "Menlo", "monospace"],
        radius_size="lg",
    ).set(
        # Gradio's own greys and rose are too pale to be read by everyone.
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_300",
        block_label_text_color="*neutral_600",
        block_label_text_color_dark="*neutral_300",
        input_placeholder_color="*neutral_500",
        input_placeholder_color_dark="*neutral_300",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        button_primary_background_fill_dark="*primary_600",
        button_primary_background_fill_hover_dark="*primary_700",
    )
    share = []
    if door.share is not None:
        share = [Middleware(FairShare, buckets=Buckets(door.share), trusted=door.trusted)]
    return {
        "theme": theme,
        "css_paths": _STYLE,
        "css": "" if HAS_MCP else _NO_MCP,
        # Gradio would ask for the page first, and give up where a busy machine takes three seconds.
        "_frontend": False,
        "app_kwargs": {
            "routes": [
                picture_route(service.live),
                caption_route(service.live),
                photograph_route(),
                preview_route(),
                download_route(service),
                shortlist_route(service),
                *health_routes(service.live),
                *Calls().routes(),
            ],
            "middleware": [
                Middleware(Guard),
                Middleware(LimitBodies),
                Middleware(CheckOrigin, origin=door.origin),
                *share,
                Middleware(Preview, live=service.live),
            ],
            "exception_handlers": {
                FnIndexInferError: _refusing(NO_ENDPOINT, 404),
                KeyError: _refusing(NO_ENDPOINT, 404),  # of an endpoint by number
                TypeError: _refuse_inputs,
                FormParserError: _refusing(NO_UPLOAD, 400),
                RequestValidationError: _refusing(WRONG_BODY, 422),
            },
            "lifespan": _running,
        },
        "max_file_size": MAX_UPLOAD_BYTES,
        "footer_links": ["api", "settings"],
        "run_history": False,
        "enable_monitoring": False,
        "ssr_mode": False,
        "share": False,
        # Its tools are the API's endpoints, where `gradio[mcp]` is installed.
        "mcp_server": HAS_MCP,
    }
