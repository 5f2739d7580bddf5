"""The API's endpoints that are no searches: of one product, picture or answer."""

from typing import Any

import gradio as gr
from gradio.events import api

from recommender.schema import Id
from recommender.search.options import USUAL, Options, Ranking
from recommender.service.answers import Service
from recommender.service.worded import Json
from recommender.ui.parts.inputs import (
    IdInput,
    IdsInput,
    ObjectInput,
    PictureInput,
    RawNumber,
    RegionInput,
    named_picture,
)
from recommender.ui.server.origin import origin_in_answers


def add_accounts(service: Service, **settings: Any) -> None:
    """Within Blocks.

    Args:
        settings: of the events of those that look at pictures.
    """

    def item(item_id: Id, request: gr.Request) -> Json:
        """One product of the catalog.

        Args:
            item_id: the product's id
        """
        return service.item(item_id, origin_in_answers(request))

    def complete_the_look(
        item_id: Id,
        request: gr.Request,
        passed: list[Id] = [],  # noqa: B006 - the API shows it as the default
    ) -> Json:
        """What goes with a product: at most five `slots`, each with a product of the same audience.

        Args:
            item_id: the product's id
            passed: ids that are not to be offered: another one comes in their place
        """
        return service.complete_the_look(item_id, origin_in_answers(request), passed)

    def feedback(answer_id: str, verdict: str, item_id: Id = "") -> Json:
        """What you think of an answer of the last hour, or of one of its products.

        Args:
            answer_id: the answer's `answer_id`
            verdict: up, down, or none to take it back
            item_id: the id of the product that is meant; the whole answer is if empty
        """
        return service.judge(answer_id, verdict, None if item_id == "" else item_id)

    def describe(image: str | None, url: str, region: Any) -> Json:
        """What is seen in a picture: each attribute's likeliest values and their probabilities.

        Args:
            image: the picture: a file or its web address
            url: the picture's web address, where there is no image
            region: part of the picture: auto, null for all, or [left, top, right, bottom] in shares
        """
        file, url = named_picture(image, url)
        return service.describe(file, url=url, region=region)

    def explain(
        image: str | None,
        item_id: Any,
        url: str,
        region: Any,
        asks: Any,
        text: str,
        corrected: dict[str, str],
        ranking: Ranking,
        liked: Any,
        disliked: Any,
        colour: Any,
        season: str,
        occasion: str,
        request: gr.Request,
    ) -> Json:
        """Why a product is like a picture or, where there is none, like another product.

        `words` says which `attributes` agree and which differ, and what else counts; `shares` are
        what looks, each attribute that counts, and what is liked, disliked or nudged by make of the
        `score`, which they sum to; `heat` has of both pictures what each of its places gives to the
        share of looks, which they sum to, as rows of `cells` that lie evenly in a `box` of the
        picture.

        Args:
            image: the picture that asks: a file or its web address
            item_id: id of the product that was found
            url: the picture's web address, where there is no image
            region: part of the picture: auto, null for all, or [left, top, right, bottom] in shares
            asks: id of the product that asks, where no picture does; none if empty
            text: what was to be otherwise than the picture shows, as "in black"
            corrected: an attribute -> what it is, where the picture is seen wrongly
            ranking: image for what pictures show alone, hybrid where attributes count too, or auto
            liked: ids of products that the results were to be more like
            disliked: ids of products that they were to be less like
            colour: 0 to 1, what the very colour of the garment counted
            season: for which season products were rather to be; any if empty
            occasion: for which usage; any if empty
        """
        options = Options(
            ranking=ranking,
            corrected=corrected,
            liked=liked,
            disliked=disliked,
            colour=colour,
            season=season,
            occasion=occasion,
        )
        file, url = named_picture(image, url)
        one = None if asks == "" else asks
        asked: Json = {"url": url, "region": region, "asks": one, "text": text}
        return service.explain(file, item_id, origin_in_answers(request), options, **asked)

    with gr.Row(visible=False):
        gr.Button().click(
            describe,
            [
                PictureInput(label="image"),
                gr.Textbox("", label="url"),
                RegionInput('"auto"', label="region"),
            ],
            gr.JSON(label="answer"),
            api_name="describe",
            **settings,
        )
        gr.Button().click(
            explain,
            [
                PictureInput(label="image"),
                IdInput(None, label="item_id"),
                gr.Textbox("", label="url"),
                RegionInput('"auto"', label="region"),
                IdInput('""', label="asks"),
                gr.Textbox("", label="text"),
                ObjectInput({}, label="corrected"),
                gr.Textbox(USUAL.ranking, label="ranking"),
                IdsInput([], label="liked"),
                IdsInput([], label="disliked"),
                RawNumber(USUAL.colour, label="colour"),
                gr.Textbox(USUAL.season, label="season"),
                gr.Textbox(USUAL.occasion, label="occasion"),
            ],
            gr.JSON(label="answer"),
            api_name="explain",
            **settings,
        )
    api(item, api_name="item")
    api(complete_the_look, api_name="complete_the_look")
    api(feedback, api_name="feedback")
