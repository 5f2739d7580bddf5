"""What counts beside being alike: colours that a store keeps, terms of a score, and their knobs."""

import io
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROWS, draw_picture, open_store
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from serving import call, upload
from test_ui import asking, drawn, tile
from test_updates import REPAINTED, change, index

from recommender.encoding.regions import Regions
from recommender.errors import QueryError, StoreError
from recommender.evaluation.likeness import draw_items, measure_contexts
from recommender.pictures.colour import ciede2000, lab_of, packshot_lab
from recommender.search.nudges import Nudged, colour_of
from recommender.search.options import Options
from recommender.search.query import Query
from recommender.search.recommender import Recommender
from recommender.store.colours import COLOURS
from recommender.store.manifest import MANIFEST_FILE, Manifest, load_manifest, write_manifest
from recommender.store.store import Store
from recommender.ui.find.place import address_of, read_address

IDS = [row[0] for row in ROWS]


# --- the store


def test_a_store_keeps_the_colours_and_an_update_reads_new_pictures_alone(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = shutil.copytree(store, tmp_path / "store")
    before = open_store(copy)
    colours = before.gallery.colours
    assert colours is not None
    row = before.row(1)
    assert ciede2000(colours[row], lab_of([[255, 0, 0]])[0]) < 3
    read = []
    monkeypatch.setattr(
        "recommender.store.colours.packshot_lab", lambda p: read.append(p) or packshot_lab(p)
    )
    change(copy, [REPAINTED], remove=[13])
    index(copy)
    assert len(read) == 1
    after = open_store(copy)
    kept = [after.row(item_id) for item_id in (1, 3, 12)]
    same = [before.row(item_id) for item_id in (1, 3, 12)]
    np.testing.assert_array_equal(after.gallery.colours[kept], colours[same])
    # Item 6 has the picture of another by now.
    apart = ciede2000(after.gallery.colours[after.row(6)], colours[before.row(6)])
    assert apart > 10
    assert len(list((copy / COLOURS.folder).iterdir())) == 1


def without_colours(store: Path, directory: Path) -> Path:
    """A store as it was built before colours were kept."""
    shutil.copytree(store, directory)
    manifest = load_manifest(directory)
    for name in [name for name in manifest.files if name.startswith(COLOURS.folder)]:
        del manifest.files[name]
    write_manifest(directory, manifest)
    return directory


def test_one_that_was_built_before_opens_all_the_same(store: Path, tmp_path: Path) -> None:
    old = open_store(without_colours(store, tmp_path / "old"))
    assert old.gallery.colours is None
    assert len(old.by_id(1)) == 5
    with pytest.raises(QueryError, match="colours of this catalog's garments are not known"):
        old.by_id(1, Options(colour=0.5))
    with drawn(old) as tab:
        assert not tab.settings.nudges.colour.visible
        assert tab.settings.nudges.season.visible
    place = read_address({"item": "1", "colour": "0.5"}, old)
    assert place.left_out
    assert place.options.colour == 0


def test_colours_of_other_items_are_refused(store: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(store, tmp_path / "store")
    change(copy, [ROWS[8]], remove=[13])
    index(copy)
    (theirs,) = (copy / COLOURS.folder).iterdir()
    (ours,) = (store / COLOURS.folder).iterdir()
    shutil.copyfile(ours, theirs)
    with pytest.raises(StoreError, match="changed after"):
        Store.open(copy)
    manifest = Manifest(**json.loads((copy / MANIFEST_FILE).read_text()))
    with pytest.raises(StoreError, match="colours are damaged"):
        _ = Store(copy, manifest).colours


# --- the score


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_the_best_are_those_of_brute_force(recommender: Recommender, data: st.DataObject) -> None:
    index, count = recommender.index, len(recommender)
    floats = st.floats(0, 1, width=32)
    extra = np.array(data.draw(st.lists(floats, min_size=count, max_size=count)), np.float32)
    kinds = None
    if data.draw(st.booleans()):  # what is added is then of a few kinds alone
        few = data.draw(st.lists(st.integers(0, 2), min_size=count, max_size=count))
        kinds, extra = np.array(few, np.int8), extra[few]
    allowed = np.array(data.draw(st.lists(st.booleans(), min_size=count, max_size=count)))
    mask = data.draw(st.sampled_from([None, allowed]))
    k, weight = data.draw(st.integers(1, count + 2)), data.draw(floats)
    query = index.vectors[data.draw(st.integers(0, count - 1))][None]
    scores, rows = Nudged(index, extra, weight, kinds).search(query, k, mask)
    every = np.float32(weight) * (index.vectors @ query[0]) + extra
    passing = np.arange(count) if mask is None else np.flatnonzero(mask)
    best = passing[np.lexsort((passing, -every[passing]))][:k]
    assert scores.shape == rows.shape == (1, len(best))
    np.testing.assert_allclose(scores[0], every[best], atol=1e-6)
    np.testing.assert_allclose(every[rows[0]], every[best], atol=1e-6)


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(IDS), st.floats(0, 1), st.sampled_from([None, "Men"]), st.booleans())
def test_knobs_keep_to_filters_and_to_what_a_score_is(
    believing: Recommender, item_id: int, colour: float, gender: str | None, winter: bool
) -> None:
    filters = {"gender": [gender]} if gender else None
    knobs: dict[str, Any] = {"colour": colour, "season": "Winter" if winter else ""}
    hits = believing.by_id(item_id, Options(k=13, filters=filters, **knobs))
    plain = believing.by_id(item_id, Options(k=13, filters=filters))
    assert set(hits.ids) == set(plain.ids)
    assert (np.diff(hits.scores) <= 0).all()
    assert (np.abs(hits.scores) <= 1 + 1e-6).all()
    if colour == 0 and not winter:
        assert hits.ids.tolist() == plain.ids.tolist()


def test_more_colour_brings_what_has_it(recommender: Recommender) -> None:
    colours = np.full((len(recommender), 3), 50, np.float32)
    colours[[recommender.row(1), recommender.row(9)]] = 20, 60, 40
    colours[recommender.row(13)] = np.nan
    gallery = replace(recommender.gallery, colours=colours)
    painted = Recommender(gallery, recommender.encoder)
    ranks, scores = [], []
    for colour in (0, 0.5, 1):
        hits = painted.by_id(1, Options(k=13, colour=colour))
        ranks.append(hits.ids.tolist().index(9))
        scores.append(float(hits.scores[hits.ids == 9][0]))
        assert len(hits) == 11, "one without a colour is found, too"
    assert ranks[0] > ranks[1] >= ranks[2] == 0
    assert scores == sorted(scores)


def test_what_is_said_of_the_colour_counts_instead(
    recommender: Recommender, believing: Recommender
) -> None:
    said = recommender.by_id(1, Options(k=12, colour=1), text="but in blue")
    plain = recommender.by_id(1, Options(k=12), text="but in blue")
    assert said.ids.tolist() == plain.ids.tolist()
    words = recommender.by_text("red tee", Options(k=12, colour=1))
    assert words.ids.tolist() == recommender.by_text("red tee", Options(k=12)).ids.tolist()
    picture = Image.open(io.BytesIO(draw_picture(ROWS[0]))).convert("RGB")
    tinted = believing.by_image(picture, Options(k=12, colour=1))
    assert tinted.scores.tolist() != believing.by_image(picture, Options(k=12)).scores.tolist()


def test_the_colour_of_a_photograph_is_that_within_its_region() -> None:
    pixels = np.full((80, 60, 3), (90, 60, 30), np.uint8)
    pixels[20:40, 15:45], pixels[50:70, 15:45] = (255, 0, 0), (0, 0, 255)
    mask = np.zeros((80, 60), np.float32)
    mask[20:40, 15:45] = mask[50:70, 15:45] = 1
    boxes = (0.2, 0.2, 0.8, 0.55), (0.2, 0.6, 0.8, 0.9)
    regions = [
        Regions(boxes=boxes, sureness=(1, 1), used=used, mask=mask, garment=1) for used in boxes
    ]
    shown = [Image.fromarray(pixels)] * 2
    query = Query(vectors=np.ones((2, 1), np.float32), regions=regions, shown=shown)
    seen = [colour_of(query, at) for at in (0, 1)]
    wanted = lab_of([[255, 0, 0], [0, 0, 255]])
    assert (ciede2000(seen, wanted) < 1).all()


def test_a_season_nudges_and_filters_nothing(recommender: Recommender) -> None:
    plain = recommender.by_id(1, Options(k=12))
    winter = recommender.by_id(1, Options(k=12, season="Winter"))
    assert set(winter.ids) == set(plain.ids)
    rank = {one: [h.ids.tolist().index(one) for h in (plain, winter)] for one in plain.ids.tolist()}
    for one in (5, 6):  # the two for winter
        before, after = rank[one]
        assert after <= before
    assert winter.scores[winter.ids == 5] > plain.scores[plain.ids == 5] * 0.9
    together = recommender.by_text("red", Options(k=12, occasion="Party"))
    assert len(together) == 12


# --- the knobs


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"colour": 2}, "colour is a number from 0 to 1"),
        ({"colour": None}, "colour is a number from 0 to 1"),
        ({"season": 3}, "The season is a word"),
        ({"occasion": ["Party"]}, "The occasion is a word"),
    ],
)
def test_knobs_that_cannot_be(wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(QueryError, match=sentence):
        Options(**wrong)


def test_the_api(live: str) -> None:
    usual = {}, False, "auto", "", "", {}, [], [], 0, False
    nudged = call(live, "recommend_by_id", 1, 5, *usual, 0.5, "Winter", "Casual")
    plain = call(live, "recommend_by_id", 1, 5, *usual)
    assert len(nudged["results"]) == 5
    assert nudged["results"][0]["score"] != plain["results"][0]["score"]
    for knobs, sentence in {
        (7,): "colour is a number from 0 to 1",
        (0, "Monsoon"): "The season is one of Fall, Spring, Summer, Winter",
        (0, "", "Gala"): "The occasion is one of Casual, Formal, Party",
    }.items():
        assert sentence in str(call(live, "recommend_by_id", 1, 5, *usual, *knobs))
    picture = upload(live, draw_picture(ROWS[0]))
    more = "", False, "auto", "auto", "", "", {}, False, [], [], 0, False
    seen = call(live, "recommend", picture, 5, {}, *more, 1, "Summer", "")
    assert seen["results"][0]["id"] in (1, 2)
    scores = [result["score"] for result in seen["results"]]
    uncoloured = call(live, "recommend", picture, 5, {}, *more, 0, "Summer", "")
    assert scores != [result["score"] for result in uncoloured["results"]]
    few = {}, False, "auto", "", [], [], 0, False
    both = call(live, "recommend_batch", [picture], 5, *few, 1, "Summer", "")["answers"][0]
    assert scores == [result["score"] for result in both["results"]]
    assert "number from 0" in str(call(live, "recommend", picture, 5, {}, *more, "x", "", ""))


def test_the_page_keeps_them_in_its_address(recommender: Recommender) -> None:
    knobs: dict[str, Any] = {"colour": 0.3, "season": "Winter", "occasion": "Party"}
    with drawn(recommender) as tab:
        panel = tab.settings.nudges
        values = asking(tab) | panel.show(Options(**knobs))
        assert {name: getattr(tab.settings.read(values), name) for name in knobs} == knobs
        view = tab.on_example(values, tile(1))[tab.trail].view
    address = address_of(view)
    assert "colour=0.3&season=Winter&occasion=Party" in address.replace("%20", " ")
    parts = {"item": "1", "colour": "0.3", "season": "Winter", "occasion": "Party"}
    place = read_address(parts, recommender)
    assert not place.left_out
    assert {name: getattr(place.options, name) for name in knobs} == knobs
    for wrong in ({"colour": "2"}, {"colour": "x"}, {"season": "Monsoon"}, {"occasion": "1"}):
        place = read_address(parts | wrong, recommender)
        assert place.left_out, wrong


def test_contexts_are_measured(believing: Recommender) -> None:
    rows = draw_items(believing, split="train", count=13)
    report = measure_contexts(believing, rows, Options(k=10))
    assert set(report) == {"season", "occasion"}
    assert report["season"]["on"]["suited"][0] >= report["season"]["off"]["suited"][0]
