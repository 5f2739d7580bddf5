"""Single values as tables hold them: what is missing, what is a number."""

import re
import unicodedata
from typing import Any

import pandas as pd

_MISSING = {"", "na", "n/a", "n.a.", "<na>", "nan", "nat", "none", "null", "(null)", "undefined"}
_MISSING |= {"\\n", "-", "--", "---", "–", "—"}  # databases write the first
# What spreadsheets write in the place of a result, in English and in German.
_MISSING |= {"#n/a", "#nv", "#ref!", "#value!", "#div/0!", "#name?", "#null!", "#num!", "#spill!"}
_MISSING |= {"#bezug!", "#wert!", "#zahl!"}
"""Words for nothing, in small letters."""

_UNSEEN = dict.fromkeys(map(ord, "\u200b\u200e\u200f\u2060\ufeff"))
"""Characters without width, which come along where a text is copied from a page."""

_THOUSANDS = re.compile(r"\d{1,3}(?:([,.' ’])\d{3})(?:\1\d{3})*")
_FORMULA = re.compile(r'="(.*)"')
"""How people keep a spreadsheet from reading a text as a number."""
_DATE = re.compile(
    r"(\d{4})[-/.](0?[1-9]|1[0-2])[-/.]\d{1,2}(?!\d).*|\d{1,2}[-/.]\d{1,2}[-/.](\d{4})"
)


def is_missing(value: Any) -> bool:
    """Whether a value says that there is none.

    >>> [is_missing(value) for value in (None, float("nan"), " N/A ", "0", [])]
    [True, True, True, False, False]
    """
    if isinstance(value, str):
        return value.strip().casefold() in _MISSING
    return bool(pd.api.types.is_scalar(value) and pd.isna(value))


def cleaned(value: Any) -> str | None:
    r"""A value as text without needless spaces, None where it is missing.

    >>> cleaned(" Red\u200b  dress "), cleaned("Gru\u0308n") == "Gr\u00fcn", cleaned("#REF!")
    ('Red dress', True, None)
    """
    text = " ".join(str(value).split())
    if not text.isascii():
        value = text = " ".join(composed(text).translate(_UNSEEN).split())
    if formula := _FORMULA.fullmatch(text):
        value = text = formula[1].strip()
    return None if is_missing(value) else text or None


def composed(text: str) -> str:
    r"""A text whose accents are parts of its letters; some systems write both by themselves.

    >>> composed("Gru\u0308n") == "Gr\u00fcn"
    True
    """
    return unicodedata.normalize("NFC", text)


def whole_number(text: str | None, *, upper: int = 2**63 - 1) -> int | None:
    """A whole number from 0 on, as tables write it; None for anything else.

    >>> [whole_number(text) for text in ("2012", " 2012.00", "15,970", "'0015970", "1.5", "x")]
    [2012, 2012, 15970, 15970, None, None]
    """
    digits = re.sub(r"\.0{1,2}$", "", (text or "").strip().removeprefix("'"))
    if _THOUSANDS.fullmatch(digits):
        digits = re.sub(r"\D", "", digits)
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 19):
        return None
    return number if (number := int(digits)) <= upper else None


def year_of(text: str | None) -> int | None:
    """A year, or that of a date; None for anything else.

    >>> [year_of(text) for text in ("2012", "2012-03-04 10:00", "4.3.2012", "3/4/12", "s/s 12")]
    [2012, 2012, 2012, None, None]
    """
    if date := _DATE.fullmatch(text or ""):
        return int(date[1] or date[3])
    return whole_number(text, upper=9999)
