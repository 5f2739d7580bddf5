"""Tab *Use it from code*: snippets that work as they stand, made from the app's own address."""

import json
import shlex
from typing import Literal

import gradio as gr

from recommender.schema import Id
from recommender.ui.parts.inputs import QUIET
from recommender.ui.server.origin import origin_of

LANGUAGES: dict[str, Literal["python", "shell", "javascript"]] = {
    "Python": "python",
    "curl": "shell",
    "JavaScript": "javascript",
}


def snippets(origin: str, item_id: Id) -> dict[str, str]:
    """Language -> a program that asks for items like an item, and prints them.

    Args:
        origin: scheme and host under which the app is reached.
        item_id: an item of the catalog.
    """
    filters = {"year": {"min": 2000}}
    python = f"""\
from urllib.request import urlretrieve

from gradio_client import Client, handle_file

client = Client("{origin}")
answer = client.predict({item_id!r}, k=5, filters={filters!r}, api_name="/recommend_by_id")
for item in answer["results"]:
    print(item["score"], item["productDisplayName"], item["image"])

# The same for a picture: a file of yours, or an address on the web as url="https://…". It is
# looked at where a garment is found: region=None takes all of it, and another part of it is
# region=[left, top, right, bottom], in shares of its sides.
picture, _ = urlretrieve(answer["results"][0]["image"])
answer = client.predict(handle_file(picture), k=5, api_name="/recommend")
print(answer["results"][0]["productDisplayName"])
"""
    body = json.dumps({"data": [item_id, 5, filters]})
    curl = f"""\
EVENT=$(curl -s "{origin}/gradio_api/call/recommend_by_id" \\
  -H "Content-Type: application/json" -d {shlex.quote(body)} | cut -d'"' -f4)
curl -sN "{origin}/gradio_api/call/recommend_by_id/$EVENT"
"""
    javascript = f"""\
const api = "{origin}/gradio_api/call/recommend_by_id";
const asked = await fetch(api, {{
  method: "POST",
  headers: {{ "Content-Type": "application/json" }},
  body: JSON.stringify({body}),
}});
const {{ event_id }} = await asked.json();
const events = await (await fetch(`${{api}}/${{event_id}}`)).text();
const [answer] = JSON.parse(events.split("data: ").pop());
for (const item of answer.results) {{
  console.log(item.score, item.productDisplayName, item.image);
}}
"""
    return {"Python": python, "curl": curl, "JavaScript": javascript}


def build_code_tab(example_id: Id, blocks: gr.Blocks) -> None:
    """Draw the tab; its snippets are filled when the page loads and its address is known.

    Args:
        example_id: an item of the catalog.
        blocks: the page.
    """
    gr.Markdown(
        "Everything that this page finds, your program finds too: the same call, the same ids. "
        "The link *Use via API* below lists every endpoint with its types."
    )
    boxes = []
    for language, syntax in LANGUAGES.items():
        with gr.Tab(language):
            boxes.append(gr.Code(language=syntax, interactive=False, label=language, lines=12))

    def fill(request: gr.Request) -> list[str]:
        return list(snippets(origin_of(request), example_id).values())

    blocks.load(fill, None, boxes, **QUIET)
