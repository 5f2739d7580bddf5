"""The API of a live server, called as programs call it: the contract, bad input, what stays."""

import base64
import io
import json
import os
import re
import socket
import struct
import tempfile
import threading
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import gradio_client
import httpx
import pytest
from conftest import ROWS, ClocksOf, build_store, draw_picture, open_store, write_archive
from gradio_client import handle_file
from gradio_client.exceptions import AppError
from PIL import Image
from serving import META, call, serve, shop, upload

from recommender.feedback.events import EventLog, read_lines
from recommender.search.options import Options
from recommender.search.recommender import Recommender
from recommender.service.answers import Service
from recommender.service.examples import PHOTOGRAPHS
from recommender.ui.server import server, uploads
from recommender.ui.server.door import Door

PICTURE = draw_picture(ROWS[0])
COLUMNS = {
    "productDisplayName": str,
    "gender": str,
    "masterCategory": str,
    "subCategory": str,
    "articleType": str,
    "baseColour": str,
    "season": str,
    "year": int,
    "usage": str,
}


@pytest.fixture(scope="module")
def client(live: str) -> gradio_client.Client:
    return gradio_client.Client(live, verbose=False, download_files=False)


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("picture") / "tee.jpg"
    path.write_bytes(PICTURE)
    return str(path)


def ids(answer: dict[str, Any]) -> list[int]:
    return [item["id"] for item in answer["results"]]


def png(width: int, height: int) -> bytes:
    """A PNG that declares a size and holds no pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(10_000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def saved(picture: Image.Image, kind: str, **settings: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **settings)
    return file.getvalue()


def data_url(data: bytes, kind: str = "image/jpeg") -> dict[str, Any]:
    return {"url": f"data:{kind};base64,{base64.b64encode(data).decode()}", "meta": META}


def assert_sentence(answer: dict[str, Any], expected: str = "") -> None:
    """One sentence for people: no trace, no path, nothing that was sent."""
    text = answer["error"]
    assert isinstance(text, str)
    assert text[0].isupper() or text.split()[0] in {"k", "filters", *COLUMNS}
    assert text.endswith(".")
    assert len(text) < 300
    assert not re.search(r"Traceback|Exception|Error\b|/tmp|/etc|passwd|<|\bNone\b|0x", text)
    assert expected in text


# The contract.


def test_answer_has_the_shape_of_the_contract(client: gradio_client.Client, picture: str) -> None:
    answer = client.predict(handle_file(picture), k=4, api_name="/recommend")
    assert list(answer) == ["schema_version", "query", "match", "results", "message", "timings_ms"]
    assert answer["match"] == {"sureness": None, "good": True}
    assert answer["schema_version"] == 1
    assert answer["query"] == {"attributes": {}, "beliefs": {}, "region": None, "regions": []}
    assert answer["message"] == ""
    assert list(answer["timings_ms"]) == ["decode", "encode", "search", "rank", "total"]
    assert all(isinstance(ms, float) and ms >= 0 for ms in answer["timings_ms"].values())
    assert len(answer["results"]) == 4
    for rank, item in enumerate(answer["results"], 1):
        assert set(item) == {"rank", "id", "score", "image", *COLUMNS}
        assert item["rank"] == rank
        assert isinstance(item["id"], int)
        assert isinstance(item["score"], float)
        for name, kind in COLUMNS.items():
            assert item[name] is None or isinstance(item[name], kind), name
    scores = [item["score"] for item in answer["results"]]
    assert scores == sorted(scores, reverse=True)
    assert answer["results"][0]["id"] == 1
    assert scores[0] == pytest.approx(1, abs=1e-3)


def test_an_item_in_words(live: str) -> None:
    answer = httpx.get(f"{live}/captions/1")
    assert answer.text == "Ako Red Tee: tshirts in red for men, Summer 2011."
    for unknown, status in ((99, 404), ("a", 404), (10**30, 404)):
        assert httpx.get(f"{live}/captions/{unknown}").status_code == status


def test_missing_values_are_null(client: gradio_client.Client) -> None:
    item = client.predict(13, api_name="/item")["item"]
    assert item["season"] is None
    assert item["year"] is None


def test_item(client: gradio_client.Client, live: str) -> None:
    answer = client.predict(5, api_name="/item")
    assert answer == {
        "schema_version": 1,
        "item": {
            "id": 5,
            "gender": "Men",
            "masterCategory": "Footwear",
            "subCategory": "Shoes",
            "articleType": "Casual Shoes",
            "baseColour": "Black",
            "season": "Winter",
            "year": 2012,
            "usage": "Casual",
            "productDisplayName": "Dor Run",
            "image": f"{live}/pictures/5",
        },
    }


def test_why_an_item_is_like_a_picture_takes_no_more_than_both(
    client: gradio_client.Client, picture: str
) -> None:
    told = client.predict(handle_file(picture), 3, api_name="/explain")
    assert told["item"]["id"] == 3
    assert told["score"] <= 1
    own = client.predict(None, 3, asks=3, api_name="/explain")
    assert own["score"] == pytest.approx(1, abs=1e-3)


def test_the_item_that_asks_is_told_and_never_a_result(client: gradio_client.Client) -> None:
    answer = client.predict(3, k=100, api_name="/recommend_by_id")
    assert (
        answer["query"]["attributes"]
        == client.predict(3, api_name="/item")["item"]
        | {"image": answer["query"]["attributes"].get("image", None)}
        or "image" not in answer["query"]["attributes"]
    )
    assert answer["query"]["attributes"]["articleType"] == "Tshirts"
    assert 3 not in ids(answer)
    assert len(ids(answer)) == 11  # of 13: not itself, and of 11 and 12 only one
    assert len(ids(client.predict(3, k=100, repeats=True, api_name="/recommend_by_id"))) == 12


def test_image_urls_serve_the_exact_bytes(client: gradio_client.Client) -> None:
    for item in client.predict(1, k=3, api_name="/recommend_by_id")["results"]:
        served = httpx.get(item["image"])
        row = next(row for row in ROWS if row[0] == item["id"])
        assert served.content == draw_picture(row)
        assert served.headers["content-type"] == "image/jpeg"


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_photographs_are_served_and_can_be_asked(live: str, name: str) -> None:
    served = httpx.get(f"{live}/photographs/{name}")
    assert served.headers["content-type"] == "image/jpeg"
    assert served.content == PHOTOGRAPHS[name].read_bytes()
    answer = call(live, "recommend", upload(live, served.content), 5)
    assert len(answer["results"]) == 5


@pytest.mark.parametrize(
    "name", ["README.md", "..%2Ffashion-demo.zip", "none.jpg", "%2Fetc%2Fhosts"]
)
def test_no_other_file_is_a_photograph(live: str, name: str) -> None:
    assert httpx.get(f"{live}/photographs/{name}").status_code == 404


def test_same_ids_as_the_engine(
    client: gradio_client.Client, recommender: Recommender, picture: str
) -> None:
    hits = recommender.by_image(Image.open(picture).convert("RGB"), Options(k=6))
    answer = client.predict(handle_file(picture), k=6, api_name="/recommend")
    assert ids(answer) == hits.ids.tolist()
    assert ids(client.predict(7, k=6, api_name="/recommend_by_id")) == (
        recommender.by_id(7, Options(k=6)).ids.tolist()
    )


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"gender": ["Women"]}, {3, 4, 7, 9}),
        ({"gender": ["Women"], "baseColour": ["Red", "Green"]}, {7, 9}),
        ({"year": {"min": 2015, "max": 2016}}, {7, 8, 9}),
        ({"year": {"min": 2017}}, {11}),
        ({"year": [2012, 2013], "articleType": ["Shirts", "Tshirts"]}, {2, 3, 4, 10}),
        ({"season": [None]}, {13}),
        ({}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13}),
    ],
)
def test_filters_are_exact(live: str, filters: dict[str, Any], expected: set[int]) -> None:
    one = upload(live, PICTURE)
    found = set(ids(call(live, "recommend", one, 100, filters, "", False)))
    assert {11 if item_id == 12 else item_id for item_id in found} == expected


def test_few_and_no_matches_are_told(live: str) -> None:
    one = upload(live, PICTURE)
    few = call(live, "recommend", one, 5, {"gender": ["Boys"]}, "", False)
    assert few["message"] == "Only 1 item passes these filters."
    none = call(live, "recommend", one, 5, {"gender": ["Boys"], "usage": ["Party"]}, "", False)
    assert none["results"] == []
    assert none["message"] == "No item passes these filters: widen or clear one of them."


def test_only_these_endpoints_are_public_and_documented(client: gradio_client.Client) -> None:
    endpoints = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert sorted(endpoints) == [
        "/complete_the_look",
        "/describe",
        "/explain",
        "/feedback",
        "/item",
        "/recommend",
        "/recommend_batch",
        "/recommend_by_id",
        "/recommend_by_text",
        "/trends",
    ]
    settings = {
        "k": (5, "int"),
        "filters": ({}, "dict"),
        "repeats": (False, "bool"),
        "ranking": ("auto", "str"),
        "sort": ("", "str"),
        "text": ("", "str"),
        "corrected": ({}, "dict"),
        "liked": ([], "list"),
        "disliked": ([], "list"),
        "diversity": (0, "float"),
        "fold": (False, "bool"),
        "colour": (0, "float"),
        "season": ("", "str"),
        "occasion": ("", "str"),
    }
    of_pictures = {"url": ("", "str"), "region": ("auto", "'auto'"), "spread": (False, "bool")}
    by = {"": "image", "_by_id": "item_id", "_by_text": "text", "_batch": "images"}
    for name, required in ((f"/recommend{by_what}", what) for by_what, what in by.items()):
        assert len(endpoints[name]["description"]) > 40
        parameters = {p["parameter_name"]: p for p in endpoints[name]["parameters"]}
        expected = settings | (of_pictures if name == "/recommend" else {})
        if required in ("text", "images"):
            expected = {o: what for o, what in expected.items() if o not in ("text", "corrected")}
        assert set(parameters) == {required, *expected}
        assert not parameters[required]["parameter_has_default"]
        for parameter, (default, kind) in expected.items():
            assert parameters[parameter]["parameter_has_default"]
            assert parameters[parameter]["parameter_default"] == default
            assert kind in parameters[parameter]["python_type"]["type"]
            assert len(parameters[parameter]["type"]["description"]) > 10, (name, parameter)
    # An assistant may leave out the picture where an address or an id asks.
    for name in ("/recommend", "/describe", "/explain"):
        [picture] = [p for p in endpoints[name]["parameters"] if p["parameter_name"] == "image"]
        assert {"type": "null"} in picture["type"]["anyOf"]
    # Every tool of an MCP server fails whose schema has a type that is none.
    kinds = [p["type"] for endpoint in endpoints.values() for p in endpoint["parameters"]]
    assert all(isinstance(kind.get("type"), str) or kind.get("anyOf") for kind in kinds)
    trends = {p["parameter_name"]: p for p in endpoints["/trends"]["parameters"]}
    assert list(trends) == ["filters", "tables", "before", "after", "attribute", "own"]
    assert [p["parameter_default"] for p in trends.values()] == [{}, [], {}, {}, "baseColour", ""]
    info = httpx.get(f"{client.src}gradio_api/info").json()
    assert info["unnamed_endpoints"] == {}


def test_what_is_seen_in_a_picture_is_said(
    believing: Recommender, picture: str, tmp_path: Path
) -> None:
    with serve(believing, tmp_path) as address:
        client = gradio_client.Client(address, verbose=False, download_files=False)
        described = client.predict(handle_file(picture), api_name="/describe")
        answer = client.predict(handle_file(picture), api_name="/recommend")
        by_image = client.predict(handle_file(picture), ranking="image", api_name="/recommend")
    assert described["schema_version"] == 1
    assert set(described["beliefs"]) == {"gender", "articleType"}
    for ranked in described["beliefs"].values():
        shares = [entry["probability"] for entry in ranked]
        assert len(ranked) == 3
        assert shares == sorted(shares, reverse=True)
        assert 0 < sum(shares) <= 1.001
    assert answer["query"]["beliefs"] == described["beliefs"]
    assert answer["query"]["attributes"] == {
        label: ranked[0]["value"] for label, ranked in described["beliefs"].items()
    }
    shown = Image.open(io.BytesIO(PICTURE))
    assert ids(answer) == believing.by_image(shown, Options(ranking="hybrid")).ids.tolist()
    assert ids(by_image) == believing.by_image(shown, Options(ranking="image")).ids.tolist()


def test_without_heads_nothing_is_said(live: str, client: gradio_client.Client) -> None:
    one = upload(live, PICTURE)
    answer = call(live, "describe", one, "")
    assert answer["beliefs"] == {}
    assert "says nothing of attributes" in answer["message"]
    assert_sentence(call(live, "describe", None, ""), "Show a picture first")
    refused = call(live, "recommend", one, 5, {}, "", False, "hybrid")
    assert_sentence(refused, "can be ranked by image only")
    assert_sentence(call(live, "recommend_by_id", 1, 5, {}, False, ["x"]), "The ranking is one of")


def test_the_queue_cannot_be_passed_by(live: str) -> None:
    for road in ("run", "api"):
        answer = httpx.post(f"{live}/gradio_api/{road}/item", json={"data": [1]})
        assert answer.status_code == 404


# Pictures: those that are read, and those that are not.

_GRADIENT = Image.linear_gradient("L").resize((60, 80))
READABLE = {
    "animated GIF": saved(
        Image.new("P", (60, 80)), "GIF", save_all=True, append_images=[Image.new("P", (60, 80), 9)]
    ),
    "CMYK JPEG": saved(Image.new("CMYK", (60, 80)), "JPEG"),
    "16-bit PNG": saved(Image.new("I;16", (60, 80), 40_000), "PNG"),
    "transparent PNG": saved(Image.new("RGBA", (60, 80), (255, 0, 0, 80)), "PNG"),
    "palette PNG": saved(_GRADIENT.convert("P"), "PNG", transparency=3),
    "grey WebP": saved(_GRADIENT, "WEBP"),
    "1×1": saved(Image.new("RGB", (1, 1)), "PNG"),
    "1×10000": saved(Image.new("RGB", (1, 10_000)), "PNG"),
    "renamed": saved(_GRADIENT, "PNG"),
}
UNREADABLE = {
    "text": (b"not a picture at all", "not a picture we can read"),
    "empty": (b"", "is empty"),
    "truncated": (PICTURE[:400], "damaged or cut short"),
    "bomb": (png(30_000, 30_000), "are read"),
    "large bomb": (png(10_000, 10_000), "megapixels"),
    "SVG": (b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "not a picture"),
    "HTML": (b"<!doctype html><script>alert(1)</script>", "not a picture"),
    "PDF": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "not a picture"),
}


@pytest.mark.parametrize("name", READABLE)
def test_pictures_of_every_kind_are_read(live: str, name: str) -> None:
    answer = call(live, "recommend", upload(live, READABLE[name]), 3, {}, "", False)
    assert len(answer["results"]) == 3


@pytest.mark.parametrize("name", UNREADABLE)
@pytest.mark.parametrize("road", ["file", "data URL"])
def test_what_is_no_picture_gets_a_sentence(live: str, name: str, road: str) -> None:
    data, expected = UNREADABLE[name]
    file = upload(live, data, f"{name}.jpg") if road == "file" else data_url(data)
    assert_sentence(call(live, "recommend", file, 3, {}, "", False), expected)
    assert len(call(live, "recommend_by_id", 1, 3, {}, False)["results"]) == 3


def test_the_client_reads_the_sentence(client: gradio_client.Client, tmp_path: Path) -> None:
    path = tmp_path / "<b>words.jpg"
    path.write_bytes(b"words")
    with pytest.raises(AppError, match=r"^This file is not a picture we can read: JPEG, .* are\.$"):
        client.predict(handle_file(str(path)), api_name="/recommend")
    with pytest.raises(AppError, match=r"^Show a picture first: upload one, take one or paste one"):
        client.predict(None, api_name="/recommend")


def test_a_sentence_arrives_as_it_is(tmp_path: Path) -> None:
    odd = 'Rock & "Roll" <3'
    rows = [(*ROWS[0][:8], odd, ROWS[0][9]), *ROWS[1:4]]
    build_store(tmp_path / "store", write_archive(tmp_path / "odd.zip", rows))
    with serve(open_store(tmp_path / "store"), tmp_path / "uploads") as address:
        sentence = f"usage has no such value; it has Casual, Formal, {odd}."
        answer = call(address, "recommend_by_id", 1, 5, {"usage": ["x"]})
        assert answer["error"] == sentence
        assert answer["visible"] is False, "a page would render it as HTML"
        client = gradio_client.Client(address, verbose=False, download_files=False)
        with pytest.raises(AppError, match=f"^{re.escape(sentence)}$"):
            client.predict({"usage": ["x"]}, api_name="/trends")


def test_a_data_url_is_a_picture(live: str) -> None:
    answer = call(live, "recommend", data_url(PICTURE), 3, {}, "", False)
    assert ids(answer)[0] == 1


def test_a_data_url_in_lines_is_one(live: str) -> None:
    lines = base64.encodebytes(PICTURE).decode()
    sent = {"url": f"data:image/jpeg;base64,{lines}", "meta": META}
    assert lines.count("\n") > 5
    assert ids(call(live, "recommend", sent, 3, {}, "", False))[0] == 1


@pytest.mark.parametrize("form", ["path", "url"])
@pytest.mark.parametrize("meta", [{}, {"meta": META}])
def test_a_file_may_be_a_web_address(live: str, form: str, meta: dict[str, Any]) -> None:
    with shop(PICTURE) as address:
        sent = {form: f"{address}/tee", **meta}
        assert ids(call(live, "recommend", sent, 3, {}, "", False))[0] == 1
        assert_sentence(call(live, "describe", {form: f"{address}/none", **meta}))


def test_a_program_may_hand_over_an_address(client: gradio_client.Client) -> None:
    with shop(PICTURE) as address:
        answer = client.predict(handle_file(f"{address}/tee"), api_name="/recommend")
    assert ids(answer)[0] == 1


@pytest.mark.parametrize("repeats", ["false", "true", 1, 0, [], {}])
def test_what_is_neither_true_nor_false(live: str, repeats: Any) -> None:
    answer = call(live, "recommend", upload(live, PICTURE), 3, {}, "", repeats)
    assert_sentence(answer, "true or false")
    assert_sentence(call(live, "recommend_by_id", 1, 3, {}, repeats), "true or false")


def test_a_year_is_a_number(live: str) -> None:
    answer = call(live, "recommend_by_id", 1, 3, {"year": ["2012"]})
    assert_sentence(answer, "without quotes")


def test_identical_pictures_are_named_as_such(live: str) -> None:
    everything = call(live, "recommend_by_id", 1, 100)
    assert everything["message"] == (
        "The catalog has only 12 other items; one of them has a picture that is shown already."
    )
    assert call(live, "recommend_by_id", 1, 100, {}, True)["message"] == (
        "The catalog has only 12 other items."
    )
    assert call(live, "recommend_by_id", 11, 100)["message"] == (
        "The catalog has only 12 other items; one of them has this very picture."
    )
    assert call(live, "recommend_by_id", 11, 3)["message"] == "1 more has this very picture."


def test_a_picture_is_kept_and_asked_about(live: str) -> None:
    first = httpx.get(f"{live}/pictures/1")
    assert first.headers["cache-control"] == "no-cache"
    tag = {"if-none-match": first.headers["etag"]}
    assert httpx.get(f"{live}/pictures/1", headers=tag).status_code == 304
    other = httpx.get(f"{live}/pictures/2", headers=tag)
    assert (other.status_code, other.content) == (200, draw_picture(ROWS[1]))


@pytest.mark.parametrize(
    "url",
    ["data:image/png;base64,no base64!", "data:image/png;base64,A", "data:,", "data:", "data:text"],
)
def test_a_broken_data_url_gets_a_sentence(live: str, url: str) -> None:
    assert_sentence(call(live, "recommend", {"url": url, "meta": META}, 3, {}, "", False))


def test_a_large_data_url_gets_a_sentence(live: str) -> None:
    large = data_url(PICTURE + bytes(server.MAX_UPLOAD_BYTES))
    assert_sentence(call(live, "recommend", large, 3, {}, "", False), "at most 10 MB")


def test_a_large_upload_is_refused(live: str) -> None:
    data = PICTURE + bytes(server.MAX_UPLOAD_BYTES)
    answer = httpx.post(f"{live}/gradio_api/upload", files={"files": ("a.jpg", data)})
    assert answer.status_code == 413
    assert len(answer.text) < 200


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_past_the_limit_is_refused(live: str, declared: bool) -> None:
    size = server.MAX_BODY_BYTES + 1

    def chunks() -> Iterator[bytes]:
        for _ in range(0, size, 2**16):
            yield bytes(2**16)

    answer = httpx.post(
        f"{live}/gradio_api/call/recommend",
        content=bytes(size) if declared else chunks(),
        headers={"Content-Type": "application/json"},
        timeout=30,
    )
    assert answer.status_code == 413
    assert_sentence(answer.json(), "at most 10 MB")


@pytest.mark.parametrize(
    "file",
    [
        {"path": "/etc/passwd"},
        {"path": "/etc/passwd", "meta": META},
        {"path": "../../../../../../etc/passwd"},
        {"path": "../../../../../../etc/passwd", "meta": META},
        {"path": "{folder}/../../../../../../etc/passwd"},
        {"path": "{folder}/../../../../../../etc/passwd", "meta": META},
        {"path": "{folder}", "meta": META},
        {"path": "{folder}/none.jpg", "meta": META},
        {"path": "http://127.0.0.1:9/x.jpg"},
        {"path": "http://127.0.0.1:9/x.jpg", "meta": META},
        {"path": "https://169.254.169.254/x", "meta": META},
        {"url": "http://127.0.0.1:9/x.jpg", "meta": META},
        {"path": "\0", "meta": META},
        {"path": "a" * 5000, "meta": META},
        {"path": 5, "meta": META},
        {"path": None, "url": None},
        {},
        "text",
        [],
        ["text"],
        5,
        True,
    ],
    ids=lambda file: json.dumps(file)[:50],
)
def test_only_uploads_are_files(live: str, file: Any) -> None:
    folder = str(Path(upload(live, PICTURE)["path"]).parent)
    if isinstance(file, dict) and isinstance(file.get("path"), str):
        file = file | {"path": file["path"].replace("{folder}", folder)}
    assert_sentence(call(live, "recommend", file, 3, {}, "", False))


def test_a_picture_elsewhere_on_the_server_is_not_read(live: str, picture: str) -> None:
    for file in ({"path": picture}, {"path": picture, "meta": META}):
        assert_sentence(call(live, "recommend", file, 3, {}, "", False), "uploaded here")


# Numbers, ids, filters, names.


@pytest.mark.parametrize(
    "k", [0, -1, 10**9, "abc", float("nan"), float("inf"), None, 2.5, True, [1], {}, 2**70]
)
def test_k_is_checked(live: str, k: Any) -> None:
    sentence = "k is a whole number from 1 to 100."
    file = upload(live, PICTURE)
    assert_sentence(call(live, "recommend", file, k, {}, "", False), sentence)
    assert_sentence(call(live, "recommend_by_id", 1, k, {}, False), sentence)


WRONG_REGION = 'A region is null for the whole picture, "auto", or'


@pytest.mark.parametrize(
    ("region", "expected"),
    [
        ("whole", WRONG_REGION),
        ("[0, 0, 1, 1]", WRONG_REGION),
        ([], WRONG_REGION),
        ([0.1, 0.1, 0.9], WRONG_REGION),
        ([0.1, 0.1, 0.9, 0.9, 0.9], WRONG_REGION),
        ([0.1, 0.1, "0.9", 0.9], WRONG_REGION),
        ([0.1, 0.1, None, 0.9], WRONG_REGION),
        ([0.1, 0.1, True, 0.9], WRONG_REGION),
        ([0.1, 0.1, float("nan"), 0.9], WRONG_REGION),
        ([0.1, 0.1, float("inf"), 0.9], WRONG_REGION),
        ([[0.1, 0.1], [0.9, 0.9]], WRONG_REGION),
        ({"left": 0.1, "<b>": 1}, WRONG_REGION),
        (5, WRONG_REGION),
        (True, WRONG_REGION),
        ([0.5, 0.1, 0.5, 0.9], "no area within the picture"),
        ([1.2, 0.1, 1.7, 0.9], "no area within the picture"),
        ([-9, -9, 0, 0], "no area within the picture"),
    ],
    ids=lambda value: json.dumps(value)[:30],
)
def test_regions_are_checked(live: str, region: Any, expected: str) -> None:
    file = upload(live, PICTURE)
    asked = call(live, "recommend", file, 3, {}, "", False, "auto", region)
    assert_sentence(asked, expected)
    assert_sentence(call(live, "describe", file, "", region), expected)


@pytest.mark.parametrize(
    ("region", "read"),
    [
        ([0.9, 0.8, 0.2, 0.1], [0.2, 0.1, 0.9, 0.8]),
        ([-3, 0.25, 0.5, 7], [0, 0.25, 0.5, 1]),
    ],
)
def test_the_nearest_sensible_region_is_said(
    client: gradio_client.Client, picture: str, region: list[float], read: list[float]
) -> None:
    file = handle_file(picture)
    answer = client.predict(file, k=3, region=region, api_name="/recommend")
    assert answer["query"]["region"] == read
    assert answer["message"] == f"The region is read as {read}."
    right = client.predict(file, k=3, region=read, api_name="/recommend")
    assert right["message"] == ""
    assert ids(right) == ids(answer)
    for whole in (None, [0, 0, 1, 1]):
        assert ids(client.predict(file, k=3, region=whole, api_name="/recommend"))[0] == 1


@pytest.mark.parametrize(
    ("item_id", "expected"),
    [
        (999_999, "has no item with this id"),
        (-1, "has no item with this id"),
        (2**70, "has no item with this id"),
        ("abc", "whole number"),
        ("1", "whole number"),
        (None, "whole number"),
        (True, "whole number"),
        (1.5, "whole number"),
        (float("nan"), "whole number"),
        ([1], "whole number"),
        ({"path": "/etc/passwd", "meta": META}, "inputs do not fit"),
    ],
)
def test_ids_are_checked(live: str, item_id: Any, expected: str) -> None:
    assert_sentence(call(live, "item", item_id), expected)
    assert_sentence(call(live, "recommend_by_id", item_id, 5, {}, False), expected)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"price": [5]}, "There is no such column"),
        ({"<script>": [5]}, "There is no such column"),
        ({"gender": ["<script>"]}, "it has Boys, Girls, Men, Unisex, Women"),
        ({"gender": "Men"}, "list of allowed values"),
        ({"gender": {"min": 1}}, "list of allowed values"),
        ({"gender": [["Men"]]}, "no such value"),
        ({"year": {"min": "2011"}}, "numbers min and max"),
        ({"year": {"min": 2015, "max": 2011}}, "min first"),
        ({"year": {"from": 2015}}, "numbers min and max"),
        ({"year": {"min": float("nan")}}, "numbers min and max"),
        ("gender", "filters are an object"),
        (["gender"], "filters are an object"),
        (5, "filters are an object"),
        ({"path": "/etc/passwd", "meta": META}, "inputs do not fit"),
        ({"gender": [{"path": "/etc/passwd", "meta": META}]}, "inputs do not fit"),
        ({"gender": {"path": "http://127.0.0.1:9/", "meta": META}}, "web address"),
    ],
    ids=lambda value: json.dumps(value)[:50],
)
def test_filters_are_checked(live: str, filters: Any, expected: str) -> None:
    file = upload(live, PICTURE)
    assert_sentence(call(live, "recommend", file, 5, filters, "", False), expected)
    assert_sentence(call(live, "recommend_by_id", 1, 5, filters, False), expected)


def test_parameters_that_are_left_out_have_defaults(live: str) -> None:
    assert len(call(live, "recommend_by_id", 1)["results"]) == 5
    assert len(call(live, "recommend_by_id", 1, 3)["results"]) == 3
    assert len(call(live, "recommend", upload(live, PICTURE))["results"]) == 5


def test_too_few_parameters_get_a_sentence(live: str) -> None:
    assert_sentence(call(live, "recommend"), "/gradio_api/info")
    assert_sentence(call(live, "item"), "/gradio_api/info")


def test_unknown_endpoints_get_a_sentence(live: str, client: gradio_client.Client) -> None:
    answer = httpx.post(f"{live}/gradio_api/call/nothing", json={"data": []})
    assert answer.status_code == 404
    assert_sentence(answer.json(), "no such endpoint")
    with pytest.raises(ValueError, match="Cannot find a function"):
        client.predict(api_name="/nothing")


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"data": 5}', b'{"data": "<b>"}', b"5", b""])
def test_bodies_that_are_no_call_get_a_sentence(live: str, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = httpx.post(f"{live}/gradio_api/call/item", content=body, headers=headers)
    assert answer.status_code == 422
    assert_sentence(answer.json(), "The body is JSON")


@pytest.mark.parametrize("path", ["999999", "-1", "abc", "../x", "%2e%2e%2fx", "1/..", "1" * 300])
def test_unknown_pictures_are_not_found(live: str, path: str) -> None:
    answer = httpx.get(f"{live}/pictures/{path}")
    assert answer.status_code == 404
    assert len(answer.text) < 100


@pytest.mark.parametrize("path", ["", "pictures/1", "pictures/999", "config", "gradio_api/info"])
def test_every_answer_has_safe_headers(live: str, path: str) -> None:
    headers = httpx.get(f"{live}/{path}").headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize("host", ['evil.example"><script>', "a b", "user@shop", "[", "x" * 300, ""])
def test_a_host_that_is_none_is_refused(live: str, host: str) -> None:
    for path in ("", "pictures/1", "gradio_api/info"):
        answer = httpx.get(f"{live}/{path}", headers={"host": host})
        assert answer.status_code == 400
        assert answer.json()["error"] == "The Host header of this request names no host."
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("head", "origin"),
    [
        ({"x-forwarded-host": "shop.example"}, "http://shop.example"),
        ({"x-forwarded-host": "a.b, c", "x-forwarded-proto": "https,http"}, "https://a.b"),
        ({"x-forwarded-host": 'evil.example"><script>'}, ""),
        ({"x-forwarded-host": "user@evil.example"}, ""),
        ({"x-forwarded-host": ""}, ""),
        ({"x-forwarded-proto": "javascript"}, ""),
    ],
)
def test_of_what_a_proxy_says_only_an_origin_is_believed(
    live: str, head: dict[str, str], origin: str
) -> None:
    assert item_address(live, head) == f"{origin or live}/pictures/3"
    page = httpx.get(live, headers=head).text
    assert not re.search("evil|javascript:", page)


def test_where_a_proxy_says_nothing_addresses_are_relative(
    live: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As nginx asks without a line of its own: by HTTP/1.0, as if the app were at its address."""
    monkeypatch.setattr(HTTPConnection, "_http_vsn", 10)
    monkeypatch.setattr(HTTPConnection, "_http_vsn_str", "HTTP/1.0")
    for head, image in (
        ({}, "./pictures/3"),
        ({"x-forwarded-host": "a.b"}, "http://a.b/pictures/3"),
    ):
        answers = []
        for path, body in (("item", b'{"data": [3]}'), ("item/{}", None)):
            proxied = HTTPConnection(live.partition("//")[2])
            event = json.loads(answers[0])["event_id"] if answers else ""
            headers = {"Content-Type": "application/json", **head}
            method = "POST" if body else "GET"
            proxied.request(method, f"/gradio_api/call/{path.format(event)}", body, headers)
            answers.append(proxied.getresponse().read().decode())
            proxied.close()
        assert json.loads(answers[1].split("data: ")[1])[0]["item"]["image"] == image


def item_address(live: str, head: dict[str, str]) -> str:
    asked = f"{live}/gradio_api/call/item"
    event = httpx.post(asked, json={"data": [3]}, headers=head).json()["event_id"]
    told = httpx.get(f"{asked}/{event}", headers=head).text
    return json.loads(told.split("data: ")[1])[0]["item"]["image"]


def test_the_origin_that_the_owner_says_is_the_one(
    recommender: Recommender, tmp_path: Path
) -> None:
    with serve(recommender, tmp_path, door=Door(origin="https://shop.example:8443")) as live:
        for head in ({}, {"x-forwarded-host": "evil.example", "x-forwarded-proto": "http"}):
            assert item_address(live, head) == "https://shop.example:8443/pictures/3"


# A picture by its address.


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://localhost/x.jpg", "does not lead to a public web server"),
        ("http://127.0.0.1/x.jpg", "does not lead to a public web server"),
        ("http://[::1]/x.jpg", "does not lead to a public web server"),
        ("http://169.254.169.254/latest", "does not lead to a public web server"),
        ("http://100.64.0.1/", "does not lead to a public web server"),
        ("http://10.0.0.1/", "does not lead to a public web server"),
        ("http://2130706433/", "does not lead to a public web server"),
        ("http://127.0.0.1:8080/", "usual ports"),
        ("file:///etc/hosts", "starts with https://"),
        ("https://user:word@example.org/", "user name"),
        ("javascript:alert(1)", "starts with https://"),
        ("x" * 5000, "2,048 characters"),
    ],
)
def test_addresses_that_lead_inwards_are_refused(live: str, url: str, expected: str) -> None:
    assert_sentence(call(live, "recommend", None, 5, {}, url, False), expected)


@pytest.fixture
def web() -> Iterator[str]:
    with shop(PICTURE) as address:
        yield address


def test_a_public_address_is_a_picture(live: str, web: str) -> None:
    answer = call(live, "recommend", None, 3, {}, f"{web}/tee", False)
    assert ids(answer)[0] == 1
    assert_sentence(
        call(live, "recommend", None, 3, {}, f"{web}/page", False), "does not lead to a picture"
    )


def test_addresses_can_be_turned_off(recommender: Recommender, tmp_path: Path, web: str) -> None:
    with serve(recommender, tmp_path, fetch_urls=False) as closed:
        answer = call(closed, "recommend", None, 3, {}, f"{web}/tee", False)
        assert_sentence(answer, "turned off here")
        boxes = [
            part["props"]
            for part in httpx.get(f"{closed}/config").json()["components"]
            if part["props"].get("elem_id") == "address"
        ]
        assert [box["visible"] for box in boxes] == [False]


# Many at once, and what stays behind.


def test_a_bad_call_fails_alone(live: str) -> None:
    good, bad = upload(live, PICTURE), upload(live, b"words", "words.jpg")

    def ask(number: int) -> dict[str, Any]:
        return call(live, "recommend", bad if number == 7 else good, 3, {}, "", False)

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(ask, range(16)))
    assert_sentence(answers.pop(7), "not a picture")
    assert len({tuple(ids(answer)) for answer in answers}) == 1


def test_addresses_that_answer_slowly_leave_room_for_others(
    live: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight wait for strangers' servers, more are told so at once, and others are answered."""
    go, waiting = threading.Event(), []

    def slowly(url: str) -> bytes:
        waiting.append(url)
        go.wait(60)
        return PICTURE

    monkeypatch.setattr("recommender.service.addresses.fetch_image", slowly)
    shown = upload(live, PICTURE)
    with ThreadPoolExecutor(9) as pool:
        named = ("recommend", None, 3, {}, "http://shop.example/tee.jpg", False)
        slow = [pool.submit(call, live, *named) for _ in range(8)]
        while len(waiting) < 8:
            time.sleep(0.01)
        assert_sentence(call(live, *named), "try again in a few seconds")
        answer = call(live, "recommend", shown, 3, {}, "", False)
        assert not any(future.done() for future in slow)
        go.set()
        assert all(ids(future.result()) == ids(answer) for future in slow)
    assert ids(call(live, *named)) == ids(answer)


def test_what_visitors_show_is_deleted(
    recommender: Recommender, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "SWEEP_EVERY_SECONDS", 0.2)
    left = tmp_path / "left" / "by a killed process.jpg"
    left.parent.mkdir()
    left.write_bytes(PICTURE)
    with serve(recommender, tmp_path) as live:
        file = upload(live, PICTURE)
        call(live, "recommend", file, 3, {}, "", False)
        call(live, "recommend", data_url(PICTURE), 3, {}, "", False)
        break_off_upload(live)
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert left in files
        assert Path(file["path"]) in files
        assert len(files) == 4
        monkeypatch.setattr(uploads, "DELETE_AFTER_SECONDS", 0.0)
        deadline = time.monotonic() + 30
        while any(tmp_path.rglob("*")) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert list(tmp_path.rglob("*")) == []
        monkeypatch.setattr(uploads, "DELETE_AFTER_SECONDS", 1000.0)
        assert_sentence(call(live, "recommend", file, 3, {}, "", False), "cannot be opened")
        assert ids(call(live, "recommend", upload(live, PICTURE), 3, {}, "", False))[0] == 1


def break_off_upload(live: str) -> None:
    host, port = live.removeprefix("http://").split(":")
    head = (
        f"POST /gradio_api/upload HTTP/1.1\r\nHost: {host}:{port}\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 100000\r\n\r\n"
        '--x\r\nContent-Disposition: form-data; name="files"; filename="a.jpg"\r\n\r\n'
    )
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(head.encode() + bytes(50_000))
        time.sleep(0.3)


def test_a_fresh_file_stays_and_an_old_one_goes_however_often_it_was_used(tmp_path: Path) -> None:
    old, used, fresh = (tmp_path / name / "picture" for name in ("old", "used", "fresh"))
    for path in (old, used):
        path.parent.mkdir()
        path.write_bytes(b"x")
    time.sleep(0.3)
    os.utime(used)
    fresh.parent.mkdir()
    fresh.write_bytes(b"x")
    uploads.Uploads(tmp_path).delete_old(0.2)
    assert not old.exists()
    assert not used.exists()
    assert fresh.exists()
    uploads.Uploads(tmp_path / "missing").delete_old(0.2)


@pytest.mark.parametrize("jump_seconds", [-86_400.0, 86_400.0])
def test_how_long_a_file_is_kept_whatever_becomes_of_the_clock(
    tmp_path: Path, clocks_of: ClocksOf, jump_seconds: float
) -> None:
    kept, clock, now = uploads.Uploads(tmp_path), time.time(), time.monotonic()
    clocks = clocks_of(uploads)
    before, between, after = (tmp_path / name / "picture" for name in ("one", "two", "three"))

    def look(picture: Path, minute: float) -> None:
        picture.parent.mkdir(exist_ok=True)
        picture.write_bytes(b"x")
        look_again(minute)

    def look_again(minute: float) -> None:
        clocks.monotonic = lambda: now + 60 * minute
        kept.delete_old(2400.0)

    look(before, 0)
    clocks.time = lambda: clock + jump_seconds
    look(between, 10)
    look(after, 20)
    assert all(picture.exists() for picture in (before, between, after))
    look_again(41)
    # What came when the clock jumped is as old as the look before.
    assert [picture.exists() for picture in (before, between, after)] == [False, False, True]
    look_again(51)
    assert not after.exists()
    look_again(100)
    assert list(tmp_path.iterdir()) == [], "nor folders that are empty"
    # Of what was there before, the clock alone tells.
    look(before, 101)
    uploads.Uploads(tmp_path).delete_old(2400.0)
    assert not before.exists()


def test_what_use_leaves_behind_names_nobody(
    recommender: Recommender,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    who = ("anna", "203.0.113.77")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    exif = Image.Exif()
    exif[0x013B] = "Anna Smith"
    taken = saved(Image.open(io.BytesIO(PICTURE)), "JPEG", exif=exif)
    headers = {"user-agent": "Anna", "x-forwarded-for": who[1], "referer": "http://x/anna"}
    with (
        serve(
            recommender, tmp_path / "uploads", events=EventLog(tmp_path / "events"), learns=True
        ) as live,
        httpx.Client(base_url=live, headers=headers, timeout=60) as client,
    ):
        sent = client.post("/gradio_api/upload", files={"files": ("anna.jpg", taken)})
        picture = {"path": sent.json()[0], "meta": META}
        for name, *data in (
            ("recommend", picture, 3, {}, "", False),
            ("recommend", data_url(taken), 3, {"gender": ["anna"]}, "", False),
            ("recommend", None, 3, {}, "http://127.0.0.1/anna", False),
            ("recommend_by_id", 1, 3, {}),
            ("describe", picture),
            ("trends", {}, []),
            ("feedback", "anna", "up"),
        ):
            asked = client.post(f"/gradio_api/call/{name}", json={"data": data})
            client.get(f"/gradio_api/call/{name}/{asked.json()['event_id']}")
        name = call(live, "recommend_by_id", 1)["answer_id"]
        for verdict, item in (("up", ""), ("down", 2), ("anna", ""), ("up", "anna")):
            call(live, "feedback", name, verdict, item)
        client.get("/?item=1&from=anna")
        client.get("/trends/colours.csv", params={"ask": '{"filters": {"gender": ["anna"]}}'})
        # As the thumbs of a page do, whose session is told.
        page = Service(recommender, events=EventLog(tmp_path / "events"))
        page.judge(page.recommend_by_id(1, "")["answer_id"], "down", by=f"{who[0]} {who[1]}")
        uploads.Uploads(tmp_path / "uploads").delete_old(0.0)
        left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert tmp_path / "events" / "events.jsonl" in left
    told = [*read_lines(tmp_path / "events" / "events.jsonl")]
    assert {event["kind"] for event in told if event} >= {"search", "answer", "up", "down"}
    kept = {"at", "kind", "item", "answer", "context", "ranking", "propensities"}
    assert all(event and event.keys() <= kept for event in told)
    for path in left:
        told = str(path.relative_to(tmp_path)).encode() + path.read_bytes()
        assert not [name for name in who if name.encode() in told.lower()], path
    logged = [record.getMessage() for record in caplog.records if record.name != "httpx"]
    assert not [line for line in logged for name in who if name in line.lower()]


# Words, and many pictures.


def test_words_are_answered(client: gradio_client.Client) -> None:
    answer = client.predict("addidas red tee for men qqqq", k=3, api_name="/recommend_by_text")
    assert list(answer) == ["schema_version", "query", "match", "results", "message", "timings_ms"]
    assert sorted(ids(answer)[:1]) in ([1], [2])
    query = answer["query"]
    assert query["text"] == "addidas red tee for men qqqq"
    assert query["stated"][0] == {
        "column": "baseColour",
        "values": ["Red"],
        "words": ["red"],
        "without": "addidas tee for men qqqq",
    }
    assert query["unknown"] == ["addidas", "qqqq"]
    assert "Not understood: addidas, qqqq." in answer["message"]
    bounded = client.predict("tee since 2012", api_name="/recommend_by_text")["query"]["stated"]
    assert {"column": "year", "values": [], "min": 2012, "words": ["since", "2012"]}.items() <= (
        bounded[1].items()
    )


def test_words_beside_a_picture_and_an_item(client: gradio_client.Client, picture: str) -> None:
    seen = client.predict(handle_file(picture), k=2, text="in blue", api_name="/recommend")
    assert {item["baseColour"] for item in seen["results"]} == {"Blue"}
    assert seen["query"]["stated"][0]["values"] == ["Blue"]
    like = client.predict(1, k=2, text="in blue", api_name="/recommend_by_id")
    assert {item["baseColour"] for item in like["results"]} == {"Blue"}


@pytest.mark.parametrize(
    "text",
    ["", "   ", "\x00\x1b[2J", "👗", "中文字", "<script>alert(1)</script>", "x" * 10_000, None, 5],
)
def test_no_words_get_a_sentence(live: str, text: Any) -> None:
    assert_sentence(call(live, "recommend_by_text", text, 3))


@pytest.mark.parametrize(
    "text",
    ["red' OR 1=1 --", "${red}", "{{red}}", "red\x00tee", "RED " * 2500, "black white red tee"],
)
def test_odd_words_are_words(live: str, text: str) -> None:
    assert len(call(live, "recommend_by_text", text, 3)["results"]) == 3


def test_many_pictures_at_once(live: str, client: gradio_client.Client, picture: str) -> None:
    sent = [handle_file(picture), handle_file(picture)]
    answers = client.predict(sent, k=3, api_name="/recommend_batch")["answers"]
    alone = client.predict(handle_file(picture), k=3, api_name="/recommend")
    assert [ids(answer) for answer in answers] == [ids(alone), ids(alone)]
    good, bad = upload(live, PICTURE), upload(live, b"words", "bad.jpg")
    odd: list[Any] = [bad, {"path": "/etc/passwd"}, "/etc/passwd", 5, None, data_url(PICTURE)]
    with shop(PICTURE) as address:
        answers = call(live, "recommend_batch", [good, *odd, f"{address}/tee"], 2)["answers"]
    assert [("error" in answer) for answer in answers] == [False, *[True] * 5, False, False]
    for answer in answers[1:6]:
        assert_sentence(answer)
    assert all(ids(answers[at])[0] == 1 for at in (0, 6, 7))


@pytest.mark.parametrize("sent", [[], ["x"] * 200, "x", None, {}])
def test_a_batch_of_none_or_too_many(live: str, sent: Any) -> None:
    assert_sentence(call(live, "recommend_batch", sent, 2))
