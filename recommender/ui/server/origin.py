"""Where a visitor reaches the app."""

import gradio as gr


def origin_of(request: gr.Request) -> str:
    """Scheme and host under which the visitor reaches the app, such as `https://a-b.hf.space`.

    A proxy in front says so in its headers, as the Hub's does.
    """
    if request.request is None:
        raise ValueError("the request has no address")
    headers, base = request.headers, request.request.base_url
    scheme = headers.get("x-forwarded-proto", base.scheme).split(",")[0].strip()
    host = headers.get("x-forwarded-host", base.netloc).split(",")[0].strip()
    return f"{scheme}://{host}{base.path.rstrip('/')}"
