"""How a collection of Milvus holds an item: the fields of a row."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

KEY = "key"
FIELDS = ("image", "hybrid")
"""What vectors a row has."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """How a collection holds a column: as a number, or by the key of its value."""

    column: str
    name: str
    number: bool

    @classmethod
    def of(cls, column: str, *, number: bool) -> "Field":
        """A plain name stays, after a prefix; of another, Milvus gets a hash.

        >>> Field.of("price", number=True).name, len(Field.of("in stock?", number=False).name)
        ('c_price', 26)
        """
        plain = re.fullmatch(r"[A-Za-z0-9_]{1,60}", column)
        name = column if plain else blake2b(column.encode(), digest_size=12).hexdigest()
        return cls(column=column, name=f"c_{name}", number=number)


Schema = Mapping[str, tuple[Any, dict[str, Any]]]
"""Name -> the type of a field, and what else `add_field` is to know of it."""


def schema_of(fields: Iterable[Field], dim: int) -> Schema:
    """The fields of a row whose vectors are of a length."""
    from pymilvus import DataType

    kinds = {True: DataType.DOUBLE, False: DataType.INT64}
    return {
        KEY: (DataType.INT64, {"is_primary": True}),
        **{name: (DataType.FLOAT_VECTOR, {"dim": dim}) for name in FIELDS},
        **{one.name: (kinds[one.number], {"nullable": True}) for one in fields},
    }


def is_of(found: Sequence[Mapping[str, Any]], schema: Schema) -> bool:
    """Whether fields, as Milvus describes them, are those of a schema."""
    there = {one["name"]: (one["type"], one.get("params", {}).get("dim")) for one in found}
    return there == {name: (kind, more.get("dim")) for name, (kind, more) in schema.items()}
