"""Where a visitor reaches the app; of what a request's head says of it, only what can be."""

import re

import gradio as gr
from starlette.types import ASGIApp, Receive, Scope, Send

from recommender.errors import SettingError
from recommender.ui.server.refusals import refusal

HERE = "."
"""The origin of what the page shows: its addresses are relative, wherever it is reached."""
NO_HOST = "The Host header of this request names no host."

_HOST = re.compile(r"(?:\w(?:[\w.-]{0,251}\w)?|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?", re.ASCII)
_SCHEME = re.compile("https?")
_WHOLE = re.compile("https?://")


def read_origin(setting: str) -> str:
    """Scheme and host that the app's owner says it has, or empty.

    Raises:
        SettingError: what is said is none.

    >>> read_origin("https://shop.example/"), read_origin("")
    ('https://shop.example', '')
    """
    origin = setting.rstrip("/")
    scheme, _, host = origin.partition("://")
    if origin and not (_SCHEME.fullmatch(scheme) and _HOST.fullmatch(host)):
        raise SettingError("FASHION_ORIGIN is a scheme and a host such as https://shop.example.")
    return origin


def origin_of(request: gr.Request) -> str:
    """Scheme, host and path under which the visitor reaches the app: `https://a-b.hf.space`.

    A proxy in front says so in its headers, as the Hub's does; `CheckOrigin` has seen them. A root
    path that is a whole address (`GRADIO_ROOT_PATH`) is the owner's word.
    """
    if request.request is None:
        raise ValueError("the request has no address")
    root = request.request.scope.get("root_path", "")
    if _WHOLE.match(root):
        return str(root).rstrip("/")
    headers, base = request.headers, request.request.base_url
    scheme = headers.get("x-forwarded-proto", base.scheme).split(",")[0].strip()
    host = headers.get("x-forwarded-host", base.netloc).split(",")[0].strip()
    return f"{scheme}://{host}{base.path.rstrip('/')}"


def origin_in_answers(request: gr.Request) -> str:
    """What the addresses of pictures in answers begin with: that, or `HERE` where nobody knows.

    A proxy that is told nothing, as nginx by itself, asks by HTTP/1.0 and as if it were at the
    app's own address: where it stands cannot be known.
    """
    origin = origin_of(request)
    scope = request.request.scope if request.request is not None else {}
    told = "x-forwarded-host" in request.headers or _WHOLE.match(scope.get("root_path", ""))
    return HERE if scope.get("http_version") == "1.0" and not told else origin


class CheckOrigin:
    """ASGI middleware: addresses are made of a request's head, so nothing else gets into them.

    A `Host` that is none is refused, what a proxy seems to say and cannot be is left out, and
    where the owner says the origin, that stands in its place.
    """

    def __init__(self, app: ASGIApp, origin: str = "") -> None:
        self.app = app
        scheme, _, host = origin.encode().partition(b"://")
        self.said = [(b"x-forwarded-proto", scheme), (b"x-forwarded-host", host)] if origin else []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        host = dict(scope["headers"]).get(b"host")
        if scope["type"] == "http" and host is not None and not _can_be(_HOST, host):
            await refusal(NO_HOST, 400)(scope, receive, send)
            return
        forms = {b"x-forwarded-host": _HOST, b"x-forwarded-proto": _SCHEME}
        kept = [
            (name, value)
            for name, value in scope["headers"]
            if name not in forms or (not self.said and _can_be(forms[name], value))
        ]
        await self.app({**scope, "headers": [*kept, *self.said]}, receive, send)


def _can_be(form: re.Pattern[str], value: bytes) -> bool:
    """Whether what a header says, of several proxies the first, is of a form."""
    return form.fullmatch(value.decode("latin-1").split(",")[0].strip()) is not None
