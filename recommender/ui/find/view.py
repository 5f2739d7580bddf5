"""What *Find similar* shows at one moment: as a value, and as HTML."""

import html
import json
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from urllib.parse import quote

from recommender.schema import COLUMNS, CURRENCY, LABELS, LINK, SCHEMA, Id, is_price, title_of
from recommender.search.options import Options
from recommender.search.spread import SURE
from recommender.service.sentences import (
    UNNAMED,
    WELCOME,
    found_like,
    price_of,
    ruled_out_text,
    sentence,
    stated_text,
)
from recommender.service.worded import MORE, Json
from recommender.ui.parts.inputs import is_web_address

_MAX_BACK = 10  # what lay before, its address finds again
_LONG = 120
"""From so many letters on a text has a place of its own on a card, and opens there."""
_WIDER = ("subCategory", "masterCategory")
"""Labels that follow from the article type: said after it, and not where it is guessed."""

_SAID = [column.name for column in SCHEMA if column.kind in ("choice", "year")]
_CARD = tuple(dict.fromkeys(("articleType", *_WIDER, *_SAID, "id")))
"""What an item's card says, in this order."""


USUAL_HERE = Options(k=12, spread=True)
"""How this page searches unless told otherwise."""

Items = dict[Id, Json]
"""An id -> its item, with the address of its picture."""
Seen = dict[str, tuple[tuple[str, float], ...]]


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """What the page shows at one moment, as far as a session has to keep it.

    Attributes:
        query: what the results are like: a picture, an item, words alone, or nothing yet; or they
            are those that somebody kept.
        query_id: of the item that they are like.
        ids: of the results, in their order.
        scores: theirs; none where they were not searched for.
        options: how they were searched for.
        opened: id of the item whose attributes are shown.
        status: the line above.
        seen: what is seen in the picture that asks: of each label the likeliest values with their
            probabilities, as far as they are shown.
        picture: file of the picture that asks.
        region: which part of it was asked for, as `read_region` takes it.
        looked_at: which part was looked at; None for all of it.
        regions: where garments are in it, to choose from.
        text: words that ask, perhaps beside a picture or an item.
        said: what they were understood to say, each with the words that are left without it.
        variants: of results that stand for more than themselves, the ids of the others.
        folded: whether the results wait for a click, as they are not like what was asked for.
        answer_id: of the answer that they are, by which it can be judged; empty for none.
    """

    query: Literal["nothing", "picture", "item", "words", "shortlist"] = "nothing"
    query_id: Id | None = None
    ids: tuple[Id, ...] = ()
    scores: tuple[float, ...] = ()
    options: Options = field(default=USUAL_HERE, hash=False)
    opened: Id | None = None
    status: str = WELCOME
    seen: Seen = field(default_factory=dict, hash=False)
    picture: str | None = None
    region: object = "auto"
    looked_at: tuple[float, ...] | None = None
    regions: tuple[tuple[float, ...], ...] = ()
    text: str = ""
    said: tuple[tuple[str, str], ...] = ()
    variants: tuple[tuple[Id, tuple[Id, ...]], ...] = ()
    folded: bool = False
    answer_id: str = ""

    @classmethod
    def of(cls, answer: Json, name: str, **view: Any) -> "View":
        """The view of what was found like something of a name."""
        ids = tuple(item["id"] for item in answer["results"])
        query, folded = answer["query"], not answer["match"]["good"]
        found: Json = {
            "seen": {} if folded else _kept(query.get("beliefs", {})),
            "looked_at": tuple(query["region"]) if query.get("region") else None,
            "regions": tuple(tuple(found["box"]) for found in query.get("regions", ())),
            "said": said(query),
            "variants": tuple(
                (item["id"], tuple(item["variants"]))
                for item in answer["results"]
                if item.get("variants")
            ),
            "folded": folded,
            "answer_id": answer.get("answer_id", ""),
        }
        # Beside words a score is of ranks that are added up, which says nothing to anyone.
        scores = () if view.get("text") else tuple(item["score"] for item in answer["results"])
        status = found_like(name, answer)
        return cls(ids=ids, scores=scores, status=status, **{**found, **view})

    @property
    def corrected(self) -> dict[str, str]:
        """Label -> the value that somebody said."""
        return dict(self.options.corrected or {})

    def with_correction(self, label: str, value: str | None) -> "View":
        """The same question with what somebody says of a label; None for what was seen."""
        said = self.corrected | {label: value}
        kept = {name: its for name, its in said.items() if its is not None}
        return replace(self, options=replace(self.options, corrected=kept or None))

    @property
    def likeliest(self) -> dict[str, str]:
        """What the picture that asks is taken for: label -> value."""
        return {label: ranked[0][0] for label, ranked in self.seen.items()} | self.corrected


@dataclass(frozen=True, slots=True)
class Trail:
    """What a session has on show, and the views before it: the way back."""

    view: View = field(default_factory=View)
    before: tuple[View, ...] = ()

    def to(self, view: View) -> "Trail":
        """A step on; the beginning is no place to come back to."""
        if self.view.query == "nothing":
            return replace(self, view=view)
        if view.options == self.view.options:  # kept once
            view = replace(view, options=self.view.options)
        return Trail(view, (*self.before, self.view)[-_MAX_BACK:])

    def back(self) -> "Trail":
        """A step back, as far as there is one."""
        return Trail(self.before[-1], self.before[:-1]) if self.before else self


def said(query: Json) -> tuple[tuple[str, str], ...]:
    """What the words of a query say, each with the words that are left without it."""
    told = [(stated_text(one), one["without"]) for one in query.get("stated", ())]
    told += [(ruled_out_text(one), one["without"]) for one in query.get("ruled_out", ())]
    return tuple(told)


def line_html(status: str) -> str:
    """The line that says what is on show; it takes the focus where what had it is gone."""
    return f'<p tabindex="-1">{html.escape(status)}</p>'


def item_html(item: dict[str, Any]) -> str:
    """A card of what is known of an item; its name leads to its shop, where one is known."""
    own = [name for name in item if name not in (*COLUMNS, "image", MORE, CURRENCY, LINK)]
    told = [name for name in (*_CARD[:-1], *own, _CARD[-1]) if item[name] is not None]
    long = [name for name in own if len(str(item[name])) > _LONG and name in told]
    rows = "".join(
        f"<dt>{html.escape(title_of(name))}</dt><dd>{_said(item, name)}</dd>"
        for name in told
        if name not in long
    )
    texts = "".join(
        f"<details><summary>{html.escape(title_of(name))}</summary><p>{_said(item, name)}</p>"
        "</details>"
        for name in long
    )
    name = html.escape(item["productDisplayName"] or UNNAMED)
    if is_web_address(link := str(item.get(LINK))):
        shop = 'target="_blank" rel="noopener noreferrer nofollow"'
        name = f'<a href="{html.escape(link)}" {shop}>{name}</a>'
    return (
        f'<article class="item">{_pictures_html(item)}<div><h2 tabindex="-1">{name}</h2>'
        f"<dl>{rows}</dl>{texts}"
        f'<button type="button" data-keep="{html.escape(json.dumps(item["id"]))}"></button>'
        f'<a href="?item={quote(str(item["id"]))}">Link to this item</a></div></article>'
    )


def _pictures_html(item: dict[str, Any]) -> str:
    """An item's picture; below it, where it has further ones, all of them to choose from."""
    own, said = html.escape(item["image"]), html.escape(sentence(item))
    shown = f'<img src="{own}" alt="{said}">'
    if not (further := item.get(MORE)):
        return shown
    addresses = [own, *map(html.escape, further)]
    buttons = "".join(
        f'<button type="button" data-view="{address}" aria-pressed="{str(at == 1).lower()}">'
        f'<img src="{address}" alt="Picture {at} of {len(addresses)}" loading="lazy"></button>'
        for at, address in enumerate(addresses, 1)
    )
    views = f'<div class="views" role="group" aria-label="Pictures of this item">{buttons}</div>'
    return f'<div class="pictures">{shown}{views}</div>'


def _said(item: dict[str, Any], name: str) -> str:
    """A value of an item as HTML."""
    value = item[name]
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and is_web_address(value):
        address = html.escape(value)
        return f'<a href="{address}" rel="noopener noreferrer nofollow">{address}</a>'
    if is_price(name):
        return html.escape(price_of(item, name))
    return html.escape(f"{value:g}" if isinstance(value, float) else str(value))


def _kept(beliefs: dict[str, list[Json]]) -> Seen:
    """An answer's beliefs, as far as there is something to choose; details where they are sure."""
    return {
        label: tuple((value["value"], value["probability"]) for value in ranked)
        for label, ranked in beliefs.items()
        if label not in _WIDER and (label in LABELS or ranked[0]["probability"] >= SURE)
    }
