"""What is refused before Gradio sees it: a sentence as JSON."""

from collections.abc import Mapping

from starlette.responses import JSONResponse


def refusal(
    sentence: str, status_code: int, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """The sentence where programs look for it, as `error` and, as FastAPI says it, as `detail`."""
    content = {"error": sentence, "detail": sentence}
    return JSONResponse(content, status_code=status_code, headers=headers)
