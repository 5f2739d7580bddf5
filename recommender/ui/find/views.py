"""What is asked -> the view of what was found, or of why nothing was."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from recommender.errors import RecommenderError
from recommender.search.options import Options
from recommender.service.answers import Service
from recommender.service.sentences import (
    GONE,
    LEFT_OUT,
    YOUR_PART,
    YOUR_PICTURE,
    but_as_said,
    shortlisted,
)
from recommender.service.worded import Json
from recommender.ui.find.panels import QueryPanel, SettingsPanel
from recommender.ui.find.place import Place, find_picture
from recommender.ui.find.taste import TastePanel
from recommender.ui.find.view import View
from recommender.ui.parts.inputs import Values
from recommender.ui.server.origin import HERE


class Views:
    """Makes views of what the tab's components hold; none of its errors ends in a trace."""

    def __init__(
        self, service: Service, query: QueryPanel, settings: SettingsPanel, taste: TastePanel
    ) -> None:
        """Args:
        service: what answers.
        query: where the picture that asks lies.
        settings: how to search.
        taste: what was liked and disliked, which no view keeps.
        """
        self._service, self._query, self._settings = service, query, settings
        self._taste = taste

    def of_place(self, place: Place, values: Values) -> View:
        """What an address asks for; what it says of what fits nothing comes after the rest."""
        values = {**values, **self._settings.show(place.options)}
        view = View(options=place.options, text=place.text)
        if place.item is not None:
            view = self.like_item(place.item, values, view)
        elif place.picture is not None:
            folder = Path(self._query.picture.GRADIO_CACHE)
            if picture := find_picture(place.picture, folder):
                values[self._query.picture] = picture
                view = self.like_picture(values, replace(view, region=place.region))
            else:
                view = replace(view, status=GONE)
        elif place.shortlist:
            there = tuple(self._service.known(place.shortlist))
            if there:
                status = shortlisted(len(there))
                view = replace(view, query="shortlist", ids=there, status=status)
        elif place.text:
            view = self.like_words(values, view)
        # What the API takes and no box says, such as a text within a choice, is no filter here.
        gone = self._settings.read(values).filters != (place.options.filters or {})
        gone |= bool(place.shortlist) and not view.ids
        if view.query != "nothing":
            opened = self._service.known([place.opened] if place.opened is not None else [])
            gone |= place.opened is not None and not opened
            if opened or place.closed:
                view = replace(view, opened=next(iter(opened), None))
        if place.left_out or gone:
            view = replace(view, status=f"{view.status} {LEFT_OUT}")
        return view

    def again(self, view: View, values: Values) -> View:
        """What a view asks for, with the settings of now."""
        if view.query in ("nothing", "shortlist") or (
            view.query == "picture" and values[self._query.picture] is None
        ):
            try:
                return replace(view, options=self._options(values, view))
            except RecommenderError as error:
                return replace(view, status=str(error))
        again = self.but(view, view.text, values)
        opened = None if view.opened is None else again.opened
        # Variants that were unfolded stay so, and what was closed stays closed.
        return replace(again, folded=again.folded and view.folded, opened=opened)

    def but(self, view: View, text: str, values: Values) -> View:
        """What a view is like, but as a text says; words alone, where it is like nothing."""
        view = replace(view, text=text)
        if view.query == "picture" and values[self._query.picture] is not None:
            return self.like_picture(values, view)
        if view.query == "item":
            return self.like_item(view.query_id, values, view)
        return self.like_words(values, view)

    def like_words(self, values: Values, before: View) -> View:
        """What is as the words say or, as the status, why nothing is."""
        text = before.text
        try:
            options = self._options(values, View())
            answer = self._service.recommend_by_text(text, HERE, self._tasted(options, values))
        except RecommenderError as error:
            return View(status=str(error))
        return View.of(answer, f"“{text}”", query="words", text=text, options=options)

    def like_picture(self, values: Values, before: View = View()) -> View:  # noqa: B008 - frozen
        """What is like the picture, in the region and with the corrections and words of before."""
        region, picture, text = before.region, values[self._query.picture], before.text
        try:
            options = self._options(values, before)
            tasted = self._tasted(options, values)
            answer = self._service.recommend(picture, HERE, tasted, region=region, text=text)
        except RecommenderError as error:
            return View(status=str(error))
        asks: Json = {"query": "picture", "picture": picture, "region": region}
        asks |= {"text": text, "options": options}
        if not isinstance(region, tuple):
            return View.of(answer, but_as_said(YOUR_PICTURE, text), **asks)
        # What was found in all of the picture stays there to choose from.
        return View.of(answer, but_as_said(YOUR_PART, text), **asks, regions=before.regions)

    def like_item(self, item_id: Any, values: Values, before: View = View()) -> View:  # noqa: B008
        """What is like an item, with the words of before or, as the status, why nothing is."""
        text = before.text
        try:
            options = self._options(values, before)
            tasted = self._tasted(options, values)
            answer = self._service.recommend_by_id(item_id, HERE, tasted, text=text)
        except RecommenderError as error:
            return View(status=str(error))
        name = but_as_said(answer["query"]["attributes"]["productDisplayName"] or "this item", text)
        asks: Json = {"query": "item", "query_id": item_id, "opened": item_id}
        return View.of(answer, name, text=text, options=options, **asks)

    def _options(self, values: Values, before: View) -> Options:
        """The settings of now, with what was corrected before."""
        return replace(self._settings.read(values), corrected=before.options.corrected)

    def _tasted(self, options: Options, values: Values) -> Options:
        """The same, by the visitor's taste."""
        return replace(options, **vars(self._taste.read(values)))
