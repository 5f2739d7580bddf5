"""What a caller may catch. Every message is one sentence that is safe to show a visitor.

RecommenderError
├── CatalogError          a source or a catalog cannot be used as it is
├── ImageError            bytes are not a picture within the limits
│   └── FetchError        a picture's web address is refused or does not answer
├── WeightsError          a weights file does not fit the backbone
├── TrainingError         a run cannot go on
├── StoreError            the store is missing, half-built or damaged
│   └── IndexMismatchError   it was built by another encoder than the one that runs
├── ClusterError          Milvus or Ray is away, refuses, or cannot do what it should
├── HubError              the Hub refuses, is away, or holds something else than it should
├── SettingError          a variable of the environment says something that cannot be
├── QueryError            k or a filter asks for something that cannot be
├── FeedbackError         what is said is of no answer that is known, or nothing that can be said
└── UnknownItemError      no item has this id

A programmer's mistake stays ``ValueError`` or ``TypeError``.
"""


class RecommenderError(Exception):
    """Base of everything that a caller may catch and show."""


class CatalogError(RecommenderError):
    """A source or a catalog cannot be used; the message names what was found."""


class ImageError(RecommenderError):
    """Bytes are not a picture within the limits."""


class FetchError(ImageError):
    """A picture's web address is refused, does not answer, or answers too much."""


class WeightsError(RecommenderError):
    """A weights file does not fit the backbone."""


class TrainingError(RecommenderError):
    """A training run cannot go on."""


class StoreError(RecommenderError):
    """A store is missing, half-built or damaged."""


class IndexMismatchError(StoreError):
    """A store was built by another encoder than the one that runs."""


class ClusterError(RecommenderError):
    """Milvus or a Ray cluster is away, refuses, or cannot do what it should."""


class HubError(RecommenderError):
    """The Hub refuses, cannot be reached, or holds something else than it should."""


class SettingError(RecommenderError):
    """A variable of the environment says something that cannot be."""


class QueryError(RecommenderError):
    """``k`` or a filter asks for something that cannot be."""


class FeedbackError(RecommenderError):
    """What is said is of no answer that is known, or nothing that can be said of one."""


class UnknownItemError(RecommenderError):
    """No item of the catalog has this id."""
