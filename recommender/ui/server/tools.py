"""What an assistant is told that uses the endpoints as tools (MCP): JSON, as any other program."""

import json
from functools import wraps
from importlib.util import find_spec
from typing import Any

HAS_MCP = find_spec("mcp") is not None
"""Whether `gradio[mcp]` is installed."""


def answer_tools_in_json() -> None:
    """Gradio would give them Python's own way to write what an endpoint answers."""
    if not HAS_MCP:
        return
    from gradio.mcp import GradioMCPServer  # only there with that extra

    usual = GradioMCPServer.postprocess_output_data
    if hasattr(usual, "__wrapped__"):
        return

    @wraps(usual)
    def in_json(self: Any, data: Any, root_url: str) -> list[Any]:
        told = (json.dumps(one) if isinstance(one, dict | list) else one for one in data)
        return usual(self, list(told), root_url)

    GradioMCPServer.postprocess_output_data = in_json  # type: ignore[method-assign]
