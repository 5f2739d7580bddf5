"""Single values as tables hold them: what is missing, what is a number."""

import re
from typing import Any

import pandas as pd

_MISSING = {"", "na", "n/a", "#n/a", "<na>", "nan", "none", "null", "-"}
"""Words for nothing, in small letters."""

_THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+")


def is_missing(value: Any) -> bool:
    """Whether a value says that there is none.

    >>> [is_missing(value) for value in (None, float("nan"), " N/A ", "0", [])]
    [True, True, True, False, False]
    """
    if isinstance(value, str):
        return value.strip().casefold() in _MISSING
    return bool(pd.api.types.is_scalar(value) and pd.isna(value))


def cleaned(value: Any) -> str | None:
    """A value as text without needless spaces, None where it is missing."""
    if is_missing(value):
        return None
    return " ".join(str(value).split()) or None


def whole_number(text: str | None, *, upper: int = 2**63 - 1) -> int | None:
    """A whole number from 0 on, as tables write it; None for anything else.

    >>> [whole_number(text) for text in ("2012", " 2012.0", "15,970", "0015970", "1.5", "1,5", "x")]
    [2012, 2012, 15970, 15970, None, None, None]
    """
    digits = (text or "").strip()
    digits = digits.removesuffix(".0")
    if _THOUSANDS.fullmatch(digits):
        digits = digits.replace(",", "")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 19):
        return None
    return number if (number := int(digits)) <= upper else None
