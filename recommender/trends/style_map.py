"""The style map: every item where those lie that look like it, coloured by an attribute."""

from base64 import b64encode

import numpy as np
import numpy.typing as npt
import pandas as pd

from recommender.charts.chart import PLACE, Chart, Drawing, Spec, chart_of, empty_chart, escaped
from recommender.charts.palette import INK, OTHERS, OUTLINE, OWN_COLOURS, PALE, colours_of, ramp_of
from recommender.schema import NOUNS

NO_MAP = "the store has no map yet: `python -m scripts.build_index` adds one"
ONE_POINT = "these items lie on one point, as their pictures look the same"
_TITLE = "Style map"
_NAMED, _NAMED_COLOURS = 8, 12
_BETWEEN = 1.05  # of the outermost place, so that nothing lies on the edge


def style_map(frame: pd.DataFrame, column: str) -> Chart:
    """Items as points, near to each other where they look alike.

    The axes have no meaning, and no unit: only who lies beside whom has.

    Args:
        frame: a catalog's columns, one row an item, and those of `PLACE`, its place in whole
            numbers of two bytes. Items without a place are left out; without the two columns there
            is no map.
        column: of `NOUNS`, the attribute that colours them.
    """
    x, y = PLACE
    if x not in frame:
        return empty_chart(_TITLE, _table(frame.assign(**dict.fromkeys(PLACE, 0)), column), NO_MAP)
    frame = frame[frame[x].notna()].astype(dict.fromkeys(PLACE, np.int16))
    if len(frame) > 1 and not np.ptp(frame[[x, y]].to_numpy(), axis=0).any():
        return empty_chart(_TITLE, _table(frame, column), ONE_POINT)

    def draw() -> Drawing:
        groups = _groups(frame[column], column)
        size = float(np.clip(60 / len(frame) ** 0.3, 3, 10))
        places = {"x": frame[x], "y": frame[y], "customdata": frame["id"]}
        traces = [
            {
                "type": "scattergl",
                "mode": "markers",
                "name": name,
                **{part: _packed(column.to_numpy()[rows]) for part, column in places.items()},
                "marker": {"size": size, "color": fill, "line": {"color": OUTLINE, "width": 0.5}},
                "showlegend": named,
                "hovertemplate": f"{name}, item %{{customdata}}<extra></extra>",
            }
            for name, fill, named, rows in groups
        ]
        reach = float(np.abs(frame[[x, y]].to_numpy(dtype=float)).max()) * _BETWEEN or 1.0
        axis: Spec = {"visible": False, "fixedrange": False, "range": [-reach, reach]}
        return traces, {
            "xaxis": axis,
            "yaxis": axis | {"scaleanchor": "x"},
            "dragmode": "pan",
            "uirevision": "map",  # other colours leave what is on show where it is
            "legend": {"itemsizing": "constant"},
            "modebar": {"bgcolor": "rgba(0, 0, 0, 0)", "color": INK},
            "margin": {"l": 4, "r": 4, "t": 64, "b": 4},
        }

    note = (
        "Items that look alike lie together; directions and distances between groups say nothing."
    )
    return chart_of(frame, [column], _TITLE, _table(frame, column), draw, height=640, note=note)


def _table(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    table = frame[["id", *PLACE, column]].reset_index(drop=True)
    return table.set_axis(["id", "x", "y", column], axis=1)


def _groups(
    values: "pd.Series[str]", column: str
) -> list[tuple[str, str, bool, npt.NDArray[np.int64]]]:
    """What is drawn in one colour each, what is drawn first in front.

    Returns:
        Name, colour, whether the legend names it, and its rows, most frequent first; before them
        those that share one colour, and those that lack the attribute.
    """
    codes, names = pd.factorize(values, sort=True)
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    order = np.argsort(-counts, kind="stable")
    named = _NAMED_COLOURS if column == "baseColour" else _NAMED
    if column == "year":
        order, named = np.arange(len(names)), len(names)
        fills = ramp_of(len(names))
    else:
        fills = colours_of(column, [names[code] for code in order])
    kept = len(order) if column in OWN_COLOURS else named
    groups = [
        (escaped([names[code]])[0], fill, place < named, np.flatnonzero(codes == code))
        for place, (code, fill) in enumerate(zip(order[:kept], fills[:kept], strict=True))
    ]
    back = []
    if len(lacking := np.flatnonzero(codes < 0)):
        back.append((f"without {NOUNS[column]}", PALE, True, lacking))
    if len(rest := np.flatnonzero(np.isin(codes, order[kept:]))):
        back.append((f"another {NOUNS[column]}", OTHERS, True, rest))
    return [*back, *groups]


def _packed(numbers: npt.NDArray[np.signedinteger]) -> dict[str, str]:
    """Whole numbers as Plotly's own array of the fewest bytes that it has."""
    wide = len(numbers) and np.abs(numbers.astype(np.int64)).max()
    kind = "i2" if wide < 2**15 else "i4" if wide < 2**31 else "f8"
    data = np.ascontiguousarray(numbers, dtype=f"<{kind}").tobytes()
    return {"dtype": kind, "bdata": b64encode(data).decode()}
