"""The API's endpoints: names and parameters keep their meaning once they have shipped."""

from functools import partial
from typing import Any

import gradio as gr
from gradio.data_classes import ImageData
from gradio.events import api

from recommender.errors import ImageError
from recommender.schema import Id
from recommender.search.options import USUAL, Options, Ranking
from recommender.service.answers import Named, Service
from recommender.service.sentences import NOT_SENT
from recommender.service.trends import Question
from recommender.service.worded import Json
from recommender.ui.accounts import add_accounts
from recommender.ui.parts.inputs import (
    IdsInput,
    ObjectInput,
    PictureInput,
    RawNumber,
    RegionInput,
    named_picture,
)
from recommender.ui.server.origin import origin_in_answers


def add_endpoints(service: Service) -> None:
    """Within Blocks; the page itself calls none of them."""

    def recommend(
        image: str | None,
        k: int,
        filters: dict[str, Any],
        url: str,
        repeats: bool,
        ranking: Ranking,
        region: Any,
        sort: str,
        text: str,
        corrected: dict[str, str],
        spread: bool,
        liked: Any,
        disliked: Any,
        diversity: Any,
        fold: bool,
        colour: Any,
        season: str,
        occasion: str,
        request: gr.Request,
    ) -> Json:
        """Products that look like a picture.

        The answer's `match` is how sure it is that the picture shows what the catalog has, 0 to 1
        or null where nobody knows, as `sureness`, and whether that is `good` enough: where it is
        not, the results are only the nearest there are.

        Args:
            image: the picture: a file or its web address
            k: how many products, 1 to 100
            filters: a column -> its allowed values, or of numbers {"min": 2010, "max": 2012}
            url: the picture's web address, where there is no image
            repeats: whether products with identical pictures are all shown
            ranking: image for what pictures show alone, hybrid where attributes count too, or auto
            region: part of the picture: auto, null for all, or [left, top, right, bottom] in shares
            sort: a column of numbers that orders the results, such as price, or -price
            text: what shall be otherwise than the picture shows, as "in black"
            corrected: an attribute -> what it is, where the picture is seen wrongly
            spread: whether products of each likely type are shown where the type is in doubt
            liked: ids of products that the results shall be more like, which are not found again
            disliked: ids of products that the results shall be less like, which do not return
            diversity: 0 to 1, the more the less the results look like each other
            fold: whether of products with one name or picture the best alone is shown
            colour: 0 to 1, what the very colour of the garment counts, beside a picture or product
            season: for which season products shall rather be, such as Winter; any if empty
            occasion: for which usage products shall rather be, such as Party; any if empty
        """
        options = Options(
            k=k,
            filters=filters,
            repeats=repeats,
            ranking=ranking,
            sort=sort,
            corrected=corrected,
            spread=spread,
            liked=liked,
            disliked=disliked,
            diversity=diversity,
            fold=fold,
            colour=colour,
            season=season,
            occasion=occasion,
        )
        file, url = named_picture(image, url)
        asked: Json = {"url": url, "region": region, "text": text}
        return service.recommend(file, origin_in_answers(request), options, **asked)

    def recommend_by_id(
        item_id: Id,
        request: gr.Request,
        k: int = USUAL.k,
        filters: dict[str, Any] = {},  # noqa: B006 - the API shows it as the default
        repeats: bool = USUAL.repeats,
        ranking: str = USUAL.ranking,
        sort: str = USUAL.sort,
        text: str = "",
        corrected: dict[str, str] = {},  # noqa: B006
        liked: list[Id] = [],  # noqa: B006
        disliked: list[Id] = [],  # noqa: B006
        diversity: float = USUAL.diversity,
        fold: bool = USUAL.fold,
        colour: float = USUAL.colour,
        season: str = USUAL.season,
        occasion: str = USUAL.occasion,
    ) -> Json:
        """Products that look like a product of the catalog, which is never among them.

        Args:
            item_id: the product's id
            k: how many products, 1 to 100
            filters: a column -> its allowed values, or of numbers {"min": 2010, "max": 2012}
            repeats: whether products with identical pictures are all shown
            ranking: image for what pictures show alone, hybrid where attributes count too, or auto
            sort: a column of numbers that orders the results, such as price, or -price
            text: what shall be otherwise than that product is, as "in black"
            corrected: an attribute -> what is sought in place of the product's own
            liked: ids of products that the results shall be more like, which are not found again
            disliked: ids of products that the results shall be less like, which do not return
            diversity: 0 to 1, the more the less the results look like each other
            fold: whether of products with one name or picture the best alone is shown
            colour: 0 to 1, what the very colour of the garment counts, beside a picture or product
            season: for which season products shall rather be, such as Winter; any if empty
            occasion: for which usage products shall rather be, such as Party; any if empty
        """
        # Options refuse what is no ranking.
        ranked: Json = {"ranking": ranking, "sort": sort, "corrected": corrected}
        kinds: Json = {"liked": liked, "disliked": disliked, "diversity": diversity, "fold": fold}
        kinds |= {"colour": colour, "season": season, "occasion": occasion}
        options = Options(k=k, filters=filters, repeats=repeats, **ranked, **kinds)
        return service.recommend_by_id(item_id, origin_in_answers(request), options, text=text)

    def recommend_by_text(
        text: str,
        request: gr.Request,
        k: int = USUAL.k,
        filters: dict[str, Any] = {},  # noqa: B006 - the API shows it as the default
        repeats: bool = USUAL.repeats,
        ranking: str = USUAL.ranking,
        sort: str = USUAL.sort,
        liked: list[Id] = [],  # noqa: B006
        disliked: list[Id] = [],  # noqa: B006
        diversity: float = USUAL.diversity,
        fold: bool = USUAL.fold,
        colour: float = USUAL.colour,
        season: str = USUAL.season,
        occasion: str = USUAL.occasion,
    ) -> Json:
        """Products that are as a text says: "red kurta for women", "nike shoes under 3000".

        The answer's `query` says what was understood: `stated` holds the columns' values and bounds
        with the words that state them, and the text without those; `ruled_out` the same of what
        is not wanted ("not black", "without collar", "-red"); `mended` the words that were
        misspelt; `unknown` those that say nothing here. What is all that is stated comes first.

        Args:
            text: what is sought, in words
            k: how many products, 1 to 100
            filters: a column -> its allowed values, or of numbers {"min": 2010, "max": 2012}
            repeats: whether products with identical pictures are all shown
            ranking: image for what pictures show alone, hybrid where attributes count too, or auto
            sort: a column of numbers that orders the results, such as price, or -price
            liked: ids of products that the results shall be more like, which are not found again
            disliked: ids of products that the results shall be less like, which do not return
            diversity: 0 to 1, the more the less the results look like each other
            fold: whether of products with one name or picture the best alone is shown
            colour: 0 to 1, what the very colour of the garment counts, beside a picture or product
            season: for which season products shall rather be, such as Winter; any if empty
            occasion: for which usage products shall rather be, such as Party; any if empty
        """
        ranked: Json = {"ranking": ranking, "sort": sort}
        kinds: Json = {"liked": liked, "disliked": disliked, "diversity": diversity, "fold": fold}
        kinds |= {"colour": colour, "season": season, "occasion": occasion}
        options = Options(k=k, filters=filters, repeats=repeats, **ranked, **kinds)
        return service.recommend_by_text(text, origin_in_answers(request), options)

    def recommend_batch(
        images: list[Any],
        request: gr.Request,
        k: int = USUAL.k,
        filters: dict[str, Any] = {},  # noqa: B006 - the API shows it as the default
        repeats: bool = USUAL.repeats,
        ranking: str = USUAL.ranking,
        sort: str = USUAL.sort,
        liked: list[Id] = [],  # noqa: B006
        disliked: list[Id] = [],  # noqa: B006
        diversity: float = USUAL.diversity,
        fold: bool = USUAL.fold,
        colour: float = USUAL.colour,
        season: str = USUAL.season,
        occasion: str = USUAL.occasion,
    ) -> Json:
        """Products that look like each of up to 64 pictures: files, or their web addresses.

        `answers` has one a picture, in their order: as of `recommend` or, where a picture cannot be
        used, its `error`.

        Args:
            images: the pictures: files, or their web addresses
            k: how many products, 1 to 100
            filters: a column -> its allowed values, or of numbers {"min": 2010, "max": 2012}
            repeats: whether products with identical pictures are all shown
            ranking: image for what pictures show alone, hybrid where attributes count too, or auto
            sort: a column of numbers that orders the results, such as price, or -price
            liked: ids of products that the results shall be more like, which are not found again
            disliked: ids of products that the results shall be less like, which do not return
            diversity: 0 to 1, the more the less the results look like each other
            fold: whether of products with one name or picture the best alone is shown
            colour: 0 to 1, what the very colour of the garment counts, beside a picture or product
            season: for which season products shall rather be, such as Winter; any if empty
            occasion: for which usage products shall rather be, such as Party; any if empty
        """
        ranked: Json = {"ranking": ranking, "sort": sort}
        kinds: Json = {"liked": liked, "disliked": disliked, "diversity": diversity, "fold": fold}
        kinds |= {"colour": colour, "season": season, "occasion": occasion}
        options = Options(k=k, filters=filters, repeats=repeats, **ranked, **kinds)
        sent = images if isinstance(images, list) else []
        pictures = [partial(_read, picture, image) for image in sent]
        return service.recommend_batch(pictures, origin_in_answers(request), options)

    def trends(
        filters: dict[str, Any] = {},  # noqa: B006 - the API shows them as the defaults
        tables: list[str] = [],  # noqa: B006
        before: dict[str, int] = {},  # noqa: B006
        after: dict[str, int] = {},  # noqa: B006
        attribute: str = "baseColour",
        own: str = "",
    ) -> Json:
        """The tables of the trends, of the items that pass the filters.

        Args:
            filters: a column -> its allowed values, or of numbers {"min": 2010, "max": 2012}
            tables: those that are wanted; all if empty, but style_map, which has a row an item
            before: the years to compare with, such as {"min": 2010, "max": 2011}
            after: the years that are compared, in the same form
            attribute: what style_map tells of each item
            own: the column of the catalog's own that the tables own_… tell of; its prices if empty
        """
        question = Question.of(filters, before, after, attribute=attribute, own=own)
        return service.trends.tables(tables, question)

    search: Json = {"concurrency_id": "search"}
    with gr.Row(visible=False):
        picture = PictureInput(label="image")
        gr.Button().click(
            recommend,
            [
                picture,
                RawNumber(USUAL.k, label="k", precision=0),
                ObjectInput({}, label="filters"),
                gr.Textbox("", label="url"),
                gr.Checkbox(USUAL.repeats, label="repeats"),
                gr.Textbox(USUAL.ranking, label="ranking"),
                RegionInput('"auto"', label="region"),
                gr.Textbox(USUAL.sort, label="sort"),
                gr.Textbox("", label="text"),
                ObjectInput({}, label="corrected"),
                gr.Checkbox(USUAL.spread, label="spread"),
                IdsInput([], label="liked"),
                IdsInput([], label="disliked"),
                RawNumber(USUAL.diversity, label="diversity"),
                gr.Checkbox(USUAL.fold, label="fold"),
                RawNumber(USUAL.colour, label="colour"),
                gr.Textbox(USUAL.season, label="season"),
                gr.Textbox(USUAL.occasion, label="occasion"),
            ],
            gr.JSON(label="answer"),
            api_name="recommend",
            **search,
        )
    add_accounts(service, **search)
    api(recommend_by_id, api_name="recommend_by_id", **search)
    api(recommend_by_text, api_name="recommend_by_text", **search)
    api(recommend_batch, api_name="recommend_batch", **search)
    api(trends, api_name="trends")


def _read(picture: PictureInput, sent: Any) -> Named:
    """One of several pictures, as one that comes alone.

    Raises:
        ImageError: it is neither a file that was uploaded nor an address.
    """
    data = {"url": sent} if isinstance(sent, str) else sent
    try:
        payload = ImageData(**picture.unmarked(data))
        return named_picture(picture.preprocess(payload), "")
    except (TypeError, ValueError, gr.Error) as error:
        raise ImageError(NOT_SENT) from error
