"""What stylists say goes with what: sentences -> types and how often, numbers alone.

Source: the styles data of Kaggle's *Fashion Product Images*: `styles/ID.json`, whose descriptions
and style notes hold sentences such as "team it with jeans and sneakers".
"""

import html
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from recommender.catalog.archives import Files, open_files
from recommender.catalog.splits import split_names
from recommender.catalog.styles import find_styles
from recommender.errors import CatalogError
from recommender.evaluation.report import estimate, number
from recommender.search.outfit import MOST, ROLE_OF, ROLES, Companions, Outfits

WORDS: dict[str, str] = {
    "Jeans": "jeans|denims?|jean",
    "Trousers": "trousers?|chinos?|corduroys|slacks|khakis|pants|cargos|cargoes",
    "Leggings": "leggings?",
    "Jeggings": "jeggings?",
    "Capris": "capris?|three quarters?|three-quarters?|three fourths",
    "Shorts": "shorts|bermudas",
    "Skirts": "skirts?",
    "Track Pants": "track ?pants?|tracks|joggers|sweatpants",
    "Churidar": "churidars?",
    "Salwar": "salwars?",
    "Patiala": "patialas?",
    "Tights": "tights",
    "Tshirts": "t-?shirts?|t shirts?|tees?",
    "Shirts": "shirts?",
    "Tops": "tops?|blouses?|tank tops?|camis?",
    "Kurtas": "kurtas?",
    "Kurtis": "kurtis?",
    "Tunics": "tunics?",
    "Dresses": "dress(?:es)?",
    "Sarees": "sarees?|saris?",
    "Jackets": "jackets?|coats?",
    "Blazers": "blazers?|suits?",
    "Sweaters": "sweaters?|cardigans?|pullovers?",
    "Sweatshirts": "sweatshirts?|hoodies?",
    "Shrug": "shrugs?",
    "Waistcoat": "waistcoats?",
    "Casual Shoes": "sneakers?|(?:canvas|casual|boat) shoes|loafers?|moccasins?|boots|slip-ons",
    "Formal Shoes": "formal shoes|leather shoes|oxfords|brogues|derbys|derby shoes|dress shoes",
    "Sports Shoes": "sports? shoes|running shoes|trainers|training shoes",
    "Sandals": "sandals|gladiators|floaters|kolhapuris",
    "Heels": "heels|pumps|stilettos?|stillettos?|wedges|peep-?toes|high-heeled",
    "Flats": "flats|ballerinas?|ballet flats|juttis?|mojaris?",
    "Flip Flops": "flip[ -]flops|slippers",
    "Handbags": "bags?|handbags?|totes?|purses?",
    "Clutches": "clutch(?:es)?",
    "Backpacks": "backpacks?",
    "Wallets": "wallets?",
    "Watches": "watch(?:es)?|timepiece",
    "Belts": "belts?",
    "Sunglasses": "sunglasses|shades|aviators|wayfarers",
    "Earrings": "earrings?|jhumkas?|studs",
    "Bracelet": "bracelets?",
    "Bangle": "bangles?",
    "Necklace and Chains": "necklaces?|chains?|neckpieces?",
    "Pendant": "pendants?",
    "Ring": "rings?",
    "Caps": "caps?",
    "Hat": "hats?|fedoras?",
    "Ties": "ties?",
    "Scarves": "scarves|scarf",
    "Stoles": "stoles?",
    "Dupatta": "dupattas?",
    "Cufflinks": "cufflinks?",
}
"""An article type -> how stylists call it, as a regular expression."""

_ADVICE = re.compile(
    r"\b(?:team|teamed|teaming|pair|paired|pairing|wear|worn|match|matched|matching|combined?|club|"
    r"clubbed|sport|style|complement|complemented|go|goes)\b[^.!?;]*?\b(?:with|over|under)\b"
    r"([^.!?;]{3,160})",
    re.IGNORECASE,
)
# The longest first: a T-shirt is no shirt.
_NAMED = [
    (kind, re.compile(rf"(?<![\w-])(?:{words})(?![\w-])", re.IGNORECASE))
    for kind, words in sorted(WORDS.items(), key=lambda pair: -max(map(len, pair[1].split("|"))))
]
_BREAK = re.compile(r"</?(?:p|br|li|ul|ol|div|h\d|tr|td)\b[^>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>")
_TEXTS = ("style_note", "description")
_MAX_BYTES = 2**20
Said = dict[int, frozenset[str]]
"""An item's id -> the types that its texts name beside it."""


def types_named(text: str) -> frozenset[str]:
    """The types that a text says go with what it is of.

    >>> sorted(types_named("A crisp shirt. Team it with blue denims and canvas shoes."))
    ['Casual Shoes', 'Jeans']
    """
    named = set()
    for advice in _ADVICE.finditer(text):
        left = advice.group(1)
        for kind, pattern in _NAMED:
            left, count = pattern.subn(" ", left)
            named |= {kind} if count else set()
    return frozenset(named)


def read_styles(path: Path) -> Said:
    """What stylists name, of an archive of `styles/ID.json`; a file that is damaged says nothing.

    Raises:
        CatalogError: it is no archive, or cannot be read.
    """
    try:
        files = open_files(path)
    except CatalogError as error:
        raise CatalogError(f"{path.name} is no archive of styles that can be read.") from error
    return dict(_read(files))


def _read(files: Files) -> Iterator[tuple[int, frozenset[str]]]:
    for key, name in find_styles(files.names).items():
        try:
            texts: Any = json.loads(files.read(name, _MAX_BYTES))["data"]["productDescriptors"]
            values = [str((texts.get(text) or {}).get("value") or "") for text in _TEXTS]
            item_id = int(key)
        except (CatalogError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            continue
        plain = html.unescape(_TAG.sub(" ", _BREAK.sub(" . ", " . ".join(values))))
        yield item_id, types_named(plain)


def count_said(frame: pd.DataFrame, said: Said) -> list[tuple[str, str, str, str, int]]:
    """How often each type is named beside each: type, gender, usage, the other, how often."""
    columns = (frame[name] for name in ("id", "articleType", "gender", "usage"))
    counts = Counter(
        (kind, gender, str(usage), beside)
        for item_id, kind, gender, usage in zip(*columns, strict=True)
        for beside in said.get(item_id, ())
        if kind is not None and gender is not None and beside != kind
    )
    return [(*key, counts[key]) for key in sorted(counts)]


def measure_outfits(frame: pd.DataFrame, said: Said, companions: Companions) -> dict[str, Any]:
    """How many of the types that stylists name are offered, on name groups of the test split.

    Returns:
        `recall` of them among the types of the parts; of their `first` types alone; of the
        `parts`; and of a `baseline`, as many of the most frequent types of the same gender, at
        most five parts; each with its 95% interval over items.
    """
    parts_of = _frequent(frame)
    shares: dict[str, list[float]] = {name: [] for name in ("recall", "first", "parts", "baseline")}
    test = frame[(split_names(frame) == "test") & frame["gender"].notna()]
    for item in test.itertuples():
        if not (named := said.get(item.id, frozenset()) - {item.articleType}):
            continue
        parts = companions.parts(str(item.articleType), str(item.gender), item.usage)
        usual = {
            name: kinds
            for name, kinds in parts_of[str(item.gender)].items()
            if name != ROLE_OF.get(str(item.articleType))
        }
        usual = dict(list(usual.items())[:MOST])
        firsts = {name: kinds[:1] for name, kinds in parts.items()}
        offered: dict[str, Mapping[str, Iterable[str]]] = {
            "recall": parts,
            "first": firsts,
            "baseline": usual,
        }
        for name, kinds in offered.items():
            shares[name].append(len(named & set().union(*kinds.values())) / len(named))
        roles = {ROLE_OF[name] for name in named}
        shares["parts"].append(len(roles & parts.keys()) / len(roles))
    return {
        "items": len(shares["recall"]),
        **{name: estimate(np.array(share)) for name, share in shares.items()},
    }


def measure_coverage(frame: pd.DataFrame, outfits: Outfits, sample: int = 2000) -> dict[str, Any]:
    """Of items drawn at random: how many parts are offered and filled, and what must never be."""
    rows = np.random.default_rng(0).permutation(len(frame))[:sample]
    kinds, genders = frame["articleType"].to_numpy(), frame["gender"].to_numpy()
    offered = filled = wrong = some = 0
    for row in rows.tolist():
        parts = outfits.complete(row)
        there = [part.row for part in parts if part.row is not None]
        offered, filled, some = offered + len(parts), filled + len(there), some + bool(there)
        wrong += sum(
            kinds[one] == kinds[row] or genders[one] not in (genders[row], "Unisex")
            for one in there
        )
    return {
        "items": len(rows),
        "parts an item": number(offered / len(rows)),
        "parts filled": number(filled / max(offered, 1)),
        "items with any": number(some / len(rows)),
        "of another gender or the own type": wrong,
    }


def _frequent(frame: pd.DataFrame) -> Mapping[str, dict[str, list[str]]]:
    """Gender -> its parts and their three types, most frequent first."""
    found = {}
    for gender, items in frame.groupby("gender"):
        counts = items["articleType"].value_counts()
        parts = {
            role: [kind for kind in counts.index if kind in kinds][:3]
            for role, kinds in ROLES.items()
        }
        order = sorted(parts, key=lambda role: -int(counts.reindex(ROLES[role]).sum()))
        found[str(gender)] = {role: parts[role] for role in order}
    return found
