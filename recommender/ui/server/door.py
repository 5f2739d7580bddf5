"""How strangers come in: what an owner says of it in the environment."""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass

from recommender.errors import SettingError
from recommender.ui.server.origin import read_origin
from recommender.ui.server.shares import Networks, Share, read_networks

_A_CORE = 30.0
"""Questions a second that one core answers at most: nobody has use for a larger share."""
_SECONDS_AT_ONCE = 4.0


@dataclass(frozen=True, kw_only=True)
class Door:
    """What stands between a stranger and an answer.

    Attributes:
        origin: scheme and host that the app is reached at; as each request says where empty.
        trusted: whose word on a visitor's address counts.
        share: what one address may ask; None for as much as it likes.
    """

    origin: str = ""
    trusted: Networks = ()
    share: Share | None = None

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "Door":
        """Of `FASHION_ORIGIN`, `FASHION_TRUSTED_PROXIES` and `FASHION_FAIR_SHARE`.

        Raises:
            SettingError: one of them cannot be.
        """
        return cls(
            origin=read_origin(environment.get("FASHION_ORIGIN", "")),
            trusted=read_networks(environment.get("FASHION_TRUSTED_PROXIES", "")),
            share=_read_share(environment.get("FASHION_FAIR_SHARE", "")),
        )


OPEN = Door()
"""For as many questions as anyone likes."""


def _read_share(setting: str) -> Share | None:
    """Questions a second for each address; by the machine's cores if empty, 0 for no limit."""
    try:
        a_second = float(setting or _A_CORE * (os.cpu_count() or 1))
    except ValueError:
        a_second = math.nan
    if not 0 <= a_second < math.inf:
        raise SettingError("FASHION_FAIR_SHARE is a number of questions a second, 0 for no limit.")
    if not a_second:
        return None
    return Share(a_second=a_second, at_once=max(_SECONDS_AT_ONCE * a_second, 1))
