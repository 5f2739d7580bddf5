"""What is derived from the list of columns: a column that is added there is added everywhere."""

import gradio as gr
import pytest
from serving import closing_loops

from recommender.evaluation.committed import SLICE_NOUNS, SLICES
from recommender.schema import ATTRIBUTES, COLUMNS, LABELS, NOUNS, SCHEMA, TITLES
from recommender.search.recommender import Recommender
from recommender.ui.find.seen import seen_html
from recommender.ui.find.view import View, item_html
from recommender.ui.parts.filters import FilterBoxes


def test_names_and_nouns_are_told_apart() -> None:
    assert len(set(COLUMNS)) == len(set(TITLES.values())) == len(SCHEMA)
    assert set(LABELS) < set(ATTRIBUTES) < set(NOUNS) < set(COLUMNS)


def test_every_label_has_a_box(recommender: Recommender) -> None:
    values = recommender.filters.values
    assert set(values) == set(COLUMNS)
    with closing_loops(), gr.Blocks(analytics_enabled=False):
        filters = FilterBoxes(recommender.filters, prefix="x")
    boxes = {box.elem_id: box for box in filters.boxes}
    assert {(f"x-{n}", TITLES[n]) for n in LABELS} <= {(i, box.label) for i, box in boxes.items()}
    chosen = {boxes[f"x-{name}"]: values[name][:1] for name in LABELS}
    nothing = dict.fromkeys(filters.boxes)
    assert filters.read(nothing | chosen) == {name: values[name][:1] for name in LABELS}


def test_a_card_says_every_attribute_once() -> None:
    card = item_html({name: f"its {name}" for name in (*COLUMNS, "image")} | {"year": 2012})
    for name in ATTRIBUTES:
        assert card.count(f"<dt>{TITLES[name]}</dt>") == 1, name


@pytest.mark.parametrize("label", LABELS)
def test_a_guess_is_shown_under_its_noun(label: str) -> None:
    beliefs = {label: [{"value": "this", "probability": 0.9}]}
    answer = {"query": {"beliefs": beliefs}, "match": {"good": True}, "results": [], "message": ""}
    shown = seen_html(View.of(answer, "it"))
    assert (TITLES[label] in shown) != (label in ("subCategory", "masterCategory"))


def test_slices_have_nouns() -> None:
    assert set(SLICES) < set(SLICE_NOUNS)
    assert set(SLICES) < set(ATTRIBUTES)
