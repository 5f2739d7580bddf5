"""What an assistant is told that uses the endpoints as tools."""

import asyncio
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from gradio.mcp import GradioMCPServer
from serving import serve

from recommender.search.recommender import Recommender
from recommender.ui.server import tools


def test_tools_answer_in_json(recommender: Recommender, tmp_path: Path) -> None:
    pytest.importorskip("mcp")
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    async def asked(address: str) -> tuple[dict, str]:
        where = f"{address}/gradio_api/mcp/"
        async with (
            streamable_http_client(where) as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            found = await session.call_tool("recommend_by_text", {"text": "red tee", "k": 2})
            none = await session.call_tool("item", {"item_id": 999_999})
        assert none.isError
        return json.loads(found.content[0].text), none.content[0].text

    with serve(recommender, tmp_path / "uploads") as address:
        found, none = asyncio.run(asked(address))
    assert len(found["results"]) == 2
    assert none == "The catalog has no item with this id."


def test_what_gradio_writes_of_an_answer_is_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "HAS_MCP", True)
    usual = GradioMCPServer.postprocess_output_data
    monkeypatch.setattr(GradioMCPServer, "postprocess_output_data", usual)
    for _ in range(2):  # as of two pages in one process
        tools.answer_tools_in_json()
    server = object.__new__(GradioMCPServer)
    server.types = SimpleNamespace(TextContent=SimpleNamespace)
    answer = {"message": "it's", "match": None, "good": True}
    (told,) = server.postprocess_output_data([answer], "http://127.0.0.1")
    assert json.loads(told.text) == answer
    (told,) = server.postprocess_output_data(["words"], "http://127.0.0.1")
    assert told.text == "words"
