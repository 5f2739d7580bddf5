"""What goes with an item, as JSON."""

from recommender.schema import Id
from recommender.search.options import read_ids
from recommender.search.recommender import Recommender
from recommender.service.sentences import nothing_for
from recommender.service.worded import SCHEMA_VERSION, Json, with_pictures


def outfit_of(
    recommender: Recommender,
    item_id: Id,
    passed: object,
    origin: str,
) -> Json:
    """A few parts of an outfit around an item, each with the item that goes best.

    Args:
        recommender: of the catalog.
        item_id: the item.
        passed: ids that are not to be offered, since something else is asked for.
        origin: scheme and host under which the pictures are served.

    Raises:
        QueryError: nobody knows what kind of item it is, or for whom.
        UnknownItemError: there is no item of one of these ids.
    """
    asks, *others = map(recommender.row, (item_id, *read_ids("passed", passed)))
    parts = recommender.outfits.complete(asks, others)
    ids = recommender.frame["id"]

    def shown(one: Id) -> Json:
        return with_pictures(recommender, one, origin)

    slots = [
        {
            "slot": part.name,
            "types": list(part.types),
            "item": None if part.row is None else shown(ids.iloc[part.row]),
        }
        for part in parts
    ]
    lacking = [part.name for part in parts if part.row is None]
    return {
        "schema_version": SCHEMA_VERSION,
        "item": shown(item_id),
        "slots": slots,
        "message": nothing_for(lacking),
    }
