"""The API's endpoint that says why a product was found."""

from typing import Any

import gradio as gr

from recommender.search.options import USUAL, Options, Ranking
from recommender.service.answers import Service
from recommender.service.worded import Json
from recommender.ui.parts.inputs import (
    IdInput,
    ObjectInput,
    PictureInput,
    RegionInput,
    named_picture,
)
from recommender.ui.server.origin import origin_of


def add_explain(service: Service, **settings: Any) -> None:
    """Within Blocks.

    Args:
        settings: of the event.
    """

    def explain(
        image: str | None,
        item_id: Any,
        url: str,
        region: Any,
        asks: Any,
        text: str,
        corrected: dict[str, str],
        ranking: Ranking,
        request: gr.Request,
    ) -> Json:
        """Why a product is like a picture or, where there is none, like another product.

        `words` says which `attributes` agree and which differ; `shares` are what looks and each
        attribute that counts make of the `score`; `heat` has of both pictures what each of its
        places gives to the share of looks, which they sum to, as rows of `cells` that lie evenly in
        a `box` of the picture.

        Args:
            image: the picture that asks: a file or its web address
            item_id: id of the product that was found
            url: the picture's web address, where there is no image
            region: part of the picture: auto, null for all, or [left, top, right, bottom] in shares
            asks: id of the product that asks, where no picture does
            text: what was to be otherwise than the picture shows, as "in black"
            corrected: an attribute -> what it is, where the picture is seen wrongly
            ranking: image for what pictures show alone, hybrid where attributes count too, or auto
        """
        options = Options(ranking=ranking, corrected=corrected)
        file, url = named_picture(image, url)
        asked: Json = {"url": url, "region": region, "asks": asks, "text": text}
        return service.explain(file, item_id, origin_of(request), options, **asked)

    gr.Button().click(
        explain,
        [
            PictureInput(label="image"),
            IdInput(None, label="item_id"),
            gr.Textbox("", label="url"),
            RegionInput('"auto"', label="region"),
            IdInput(None, label="asks"),
            gr.Textbox("", label="text"),
            ObjectInput({}, label="corrected"),
            gr.Textbox(USUAL.ranking, label="ranking"),
        ],
        gr.JSON(label="answer"),
        api_name="explain",
        **settings,
    )
