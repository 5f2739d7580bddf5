"""The committed reports -> charts that a shopper and an engineer both understand."""

from collections.abc import Container, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import pandas as pd

from recommender.charts.chart import Chart, Drawing, Spec, empty_chart, several, spec_of, wrapped
from recommender.charts.palette import ACCENT, COOL, GRID, PALE
from recommender.evaluation.committed import (
    EVERYONE,
    Committed,
    losses,
    macro_of,
    micro_of,
    precision_of,
)
from recommender.schema import NOUNS, TITLES, title_of

HEADLINED = ("imagenet-avg", "ours", "ours-hybrid")
_FILLS = (PALE, COOL, ACCENT)

_GENDERS = {"same": "the asker's gender", "neutral": "unisex", "other": "another gender"}
_PERCENT: Spec = {"tickformat": ".0%", "range": [0, 1.02]}
_LYING: Spec = {"xaxis": _PERCENT, "yaxis": {"autorange": "reversed"}}


def in_words(relevance: str) -> str:
    """What has to agree: a relevance is named by the last words of its labels' nouns.

    >>> in_words("type"), in_words("type+gender+colour")
    ('article type', 'type, gender and colour')
    """
    *others, last = relevance.split("+")
    if others:
        return f"{', '.join(others)} and {last}"
    return next((noun for noun in NOUNS.values() if noun.split()[-1] == last), last)


def served_of(systems: Container[str]) -> str:
    """Which of these is the one that is served, or the nearest to it; empty for none."""
    return next((name for name in reversed(HEADLINED) if name in systems), "")


def headline(committed: Committed) -> Chart:
    """P@5 of the predecessors' system and of ours, for each relevance."""
    systems = committed.systems
    titles = {name: systems[name]["title"] for name in HEADLINED if name in systems}
    rows = [
        (system, in_words(relevance), committed.precision(name, relevance))
        for relevance in committed.relevances
        for name, system in titles.items()
    ]
    table = _precisions(rows, "system", "agrees")
    bars = []
    for system, fill in zip(titles.values(), _FILLS, strict=False):
        own = table[table["system"] == system]
        names = [wrapped(labels, 14) for labels in own["agrees"]]
        hover = "%{x}: %{y:.1%}<extra>%{fullData.name}</extra>"
        bars.append(_bars(own, "P@5", fill, hover, name=system, x=names))
    layout = {"yaxis": _PERCENT, "barmode": "group", "bargap": 0.25, "margin": _legend(len(bars))}
    counts = f"{_asked(table)} that no training has seen"
    return _chart("How many of the five shown fit", counts, table, (bars, layout), height=460)


def beside(
    committed: Committed, chosen: str, relevance: str, column: str = EVERYONE, value: str = ""
) -> Chart:
    """P@5 of every system on the same queries, the chosen one marked.

    Args:
        committed: holds them.
        chosen: name of a system.
        relevance: what has to agree.
        column: what the queries are sliced by, or `EVERYONE`.
        value: which of them.
    """
    rows = [
        (name, report["title"], committed.precision(name, relevance, column, value))
        for name, report in committed.systems.items()
    ]
    table = _precisions(rows, "name", "system")
    fills = [ACCENT if name == chosen else PALE for name in table.pop("name")]
    names = [wrapped(name, 24) for name in table["system"]]
    inside = _shares_inside(table["P@5"]) | {"textposition": "inside", "insidetextanchor": "start"}
    bars = _bars(table, "P@5", fills, "%{y}: %{x:.1%}<extra></extra>", y=names, **inside)
    counts = f"{_asked(table)}; {in_words(relevance)}"
    title, height = "The same pictures, every system", 120 + 44 * len(table)
    why = "no picture of this kind was asked"
    return _chart(title, counts, table, ([bars], _LYING), height=height, why=why)


def types(committed: Committed, system: str) -> Chart:
    """P@5 on type for the queries of each article type, beside how many asked."""
    rows = [
        (value, committed.precision(system, "type", "articleType", value))
        for value in committed.values("articleType")
    ]
    table = _precisions(rows, "articleType")
    table = table.sort_values(["P@5", "queries"], ascending=[True, False], ignore_index=True)
    points = {
        "type": "scatter",
        "mode": "markers",
        "x": table["queries"].tolist(),
        "y": table["P@5"].tolist(),
        "text": table["articleType"].tolist(),
        "marker": {"color": ACCENT, "opacity": 0.7, "size": 9},
        "hovertemplate": "%{text}: %{y:.0%} of %{x} pictures<extra></extra>",
    }
    layout = {
        "xaxis": {"type": "log", "dtick": 1, "title": {"text": "Pictures that asked"}},
        "yaxis": _PERCENT | {"title": {"text": "Same type among the five shown"}},
    }
    title = "Easy and hard article types"
    note = "Rare types are harder: there is less to learn from, and less to find."
    return _chart(title, "one point a type", table, ([points], layout), note=note)


def robustness_losses(committed: Committed) -> Chart:
    """What P@5 on type loses when the picture that asks was changed."""
    rows = [
        [kind, severity, f"{loss['strength']:g} {unit}", *loss["P@5 lost"]]
        + [loss[figure][0] for figure in ("P@5", "R@1")]
        for kind, severity, unit, loss in losses(committed.robustness)
    ]
    columns = ["change", "severity", "strength", "lost", "low", "high", "P@5"]
    table = pd.DataFrame(rows, columns=[*columns, "own picture found first"])
    bars = []
    severities = table.groupby("severity", sort=False)
    for fill, (severity, own) in zip((COOL, ACCENT), severities, strict=False):
        strengths = {"text": own["strength"].tolist(), "textposition": "none"}
        hover = "%{x}, %{text}: %{y:.1%} lost<extra></extra>"
        names = own["change"].tolist()
        bars.append(_bars(own, "lost", fill, hover, name=severity, x=names, **strengths))
    axis = {"tickformat": ".0%", "title": {"text": "Lost of P@5 on type"}}
    layout = {"yaxis": axis, "barmode": "group", "margin": _legend(1)}
    count = committed.robustness.get("queries", {"count": 0})["count"]
    counts = f"{several(count, 'picture')}, each changed in every way"
    return _chart("What a bad picture costs", counts, table, (bars, layout), height=440)


def heads(committed: Committed) -> Chart:
    """How often what is seen in a picture is right, and how sure it may be of itself."""
    columns = {"accuracy": "accuracy", "macro F1": "macro F1", "top-5": "among the likeliest five"}
    columns |= {"ECE": "calibration error", "classes": "classes", "queries": "queries"}
    rows = [
        (title_of(name), *(dict(entry)[figure] for figure in columns))
        for name, entry in committed.heads.items()
    ]
    table = pd.DataFrame(rows, columns=["attribute", *columns.values()])
    hover = "%{y}: %{x:.1%} right<extra></extra>"
    inside = _shares_inside(table["accuracy"])
    bars = _bars(table, "accuracy", COOL, hover, y=table["attribute"].tolist(), **inside)
    worst = table["calibration error"].max()
    note = (
        "When the page says 80% sure, it should be right four times in five: over all levels it is "
        f"off by at most {worst:.1%} in the mean (expected calibration error)."
    )
    counts = f"{_asked(table)} that no training has seen"
    return _chart("How often we see right", counts, table, ([bars], _LYING), height=380, note=note)


def leaks(committed: Committed) -> Chart:
    """Of what gender the products shown are, beside who asked."""
    rows = [
        {"system": report["title"], **{k: report["leakage"]["all"][k] for k in _GENDERS}}
        | {"never shown": report["exposure"]["hits"]["never shown"]}
        for report in committed.systems.values()
    ]
    table = pd.DataFrame(rows, columns=["system", *_GENDERS, "never shown"])
    names = [wrapped(name, 24) for name in table["system"]]
    hover = "%{y}: %{x:.1%}<extra>%{fullData.name}</extra>"
    bars = [
        _bars(table, name, fill, hover, name=shown_to, y=names)
        for (name, shown_to), fill in zip(_GENDERS.items(), (COOL, GRID, ACCENT), strict=True)
    ]
    layout = _LYING | {"barmode": "stack", "margin": _legend(3)}
    title, height = "Who is shown whose products", 150 + 40 * len(table)
    counts = "of the ten products shown, by the gender they are for"
    note = "The table also says what share of the catalog no picture of the test brought up."
    return _chart(title, counts, table, (bars, layout), height=height, note=note)


def photographs(committed: Committed) -> Chart:
    """P@5 of every system on photographs, over all of them and over their labels."""
    board = committed.photographs
    asked = board.get("photographs", {"count": 0, "photographers": 0})
    rows = []
    for report in board.get("systems", {}).values():
        mean = report["metrics"]["P@5"]
        of_all = precision_of(micro_of(mean), asked["count"])
        of_labels = precision_of(macro_of(mean), asked["count"])
        rows += [(report["title"], "photographs", of_all), (report["title"], "labels", of_labels)]
    table = _precisions(rows, "system", "mean over")
    bars = []
    hover = "%{y}: %{x:.1%}<extra>%{fullData.name}</extra>"
    for (over, own), fill in zip(table.groupby("mean over", sort=False), _FILLS[1:], strict=False):
        names = [wrapped(name, 24) for name in own["system"]]
        bars.append(_bars(own, "P@5", fill, hover, name=f"Mean over {over}", y=names))
    layout = _LYING | {"barmode": "group", "margin": _legend(1)}
    people = several(asked["photographers"], "photographer")
    counts = f"{several(asked['count'], 'photograph')} of their own clothes, by {people}"
    note = (
        "How many of the five shown fit a garment on a bed, a floor or a hanger. What it is called "
        "is coarser than an article type: a product fits that has one of the types that go by that "
        "name. The intervals draw photographers, as the pictures of one are alike."
    )
    title, height = "On photographs that people take", 150 + 28 * len(table)
    return _chart(title, counts, table, (bars, layout), height=height, note=note)


def photograph_labels(committed: Committed, system: str) -> Chart:
    """P@5 of a system for the photographs of each label."""
    board = committed.photographs
    labels = board["systems"][system]["labels"] if system in board.get("systems", {}) else {}
    rows = [
        (label, precision_of(metrics["P@5"], board["labels"][label]["photographs"]))
        for label, metrics in labels.items()
    ]
    table = _precisions(rows, "label").sort_values("P@5", ascending=False, ignore_index=True)
    names, inside = table["label"].tolist(), {"text": [f"{n:,}" for n in table["queries"]]}
    hover = "%{y}: %{x:.1%} of %{text} photographs<extra></extra>"
    bars = _bars(table, "P@5", ACCENT, hover, y=names, textposition="none", **inside)
    counts = "products of the five shown that fit, by what the photographer calls the garment"
    note = "A label that a single photographer gave is left out: one says nothing of others."
    title, height = "Easy and hard photographs", 120 + 28 * len(table)
    return _chart(title, counts, table, ([bars], _LYING), height=height, note=note)


def quality_charts(committed: Committed) -> dict[str, Chart]:
    """All that need no choice, by name."""
    served = served_of(committed.systems)
    photographed = served_of(committed.photographs.get("systems", {}))
    return {
        "headline": headline(committed),
        "photographs": photographs(committed),
        "photograph-labels": photograph_labels(committed, photographed),
        "heads": heads(committed),
        "changes": robustness_losses(committed),
        "types": types(committed, served),
        "leaks": leaks(committed),
    }


def history(epochs: Sequence[Mapping[str, Any]]) -> Chart:
    """A training run: the loss, and each head's accuracy on the dev split.

    Args:
        epochs: the entries of a run's `history.json`; of several runs, one after the other.
    """
    rows = [
        {"epoch": number, "trained with loss": entry.get("loss"), **entry["dev"]}
        for number, entry in enumerate(epochs, 1)
    ]
    table = pd.DataFrame(rows)

    def line(column: str, **look: Any) -> Spec:
        values = [None if pd.isna(value) else value for value in table[column]]
        drawn = {"type": "scatter", "mode": "lines", "name": TITLES.get(column, column)}
        return {**drawn, "x": table["epoch"].tolist(), "y": values, **look}

    lines = [line(name) for name in table.columns[2:] if name != "loss"]
    if rows:
        dotted = {"color": PALE, "dash": "dot"}
        lines.append(line("trained with loss", name="Loss", yaxis="y2", line=dotted))
    numbers = [entry["epoch"] for entry in epochs]
    starts = [n for n, (last, next_) in enumerate(pairwise(numbers), 2) if next_ <= last]
    right = {"overlaying": "y", "side": "right", "showgrid": False}
    layout = {
        "xaxis": {"title": {"text": "Epoch"}},
        "yaxis": {"tickformat": ".0%", "title": {"text": "Right on the dev split"}},
        "yaxis2": right | {"title": {"text": "Loss"}},
        # Where the next run began.
        "shapes": [
            {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": n - 0.5, "x1": n - 0.5}
            | {"line": {"color": PALE, "width": 1}}
            for n in starts
        ],
        "margin": _legend(3) | {"r": 64},
    }
    counts = several(len(table), "epoch") + (f" in {len(starts) + 1} runs" if starts else "")
    title, why = "Training, epoch by epoch", "no epoch has ended"
    return _chart(title, counts, table, (lines, layout), height=460, why=why)


def _chart(
    title: str,
    counts: str,
    table: pd.DataFrame,
    drawing: Drawing,
    *,
    height: int = 420,
    note: str = "",
    why: str = "nothing was measured",
) -> Chart:
    """The chart of a table; where that is empty, one that says why."""
    if table.empty:
        return empty_chart(title, table, why)
    spec = spec_of(drawing, title, counts, height=height)
    return Chart(title=title, counts=counts, table=table, spec=spec, note=note)


def _precisions(rows: Iterable[tuple[Any, ...]], *columns: str) -> pd.DataFrame:
    """A row for each precision, the last of its tuple, that was measured."""
    known = [(*names, *precision) for *names, precision in rows if precision]
    return pd.DataFrame(known, columns=[*columns, "P@5", "low", "high", "queries"])


def _asked(table: pd.DataFrame) -> str:
    return several(max(table["queries"], default=0), "picture")


def _bars(table: pd.DataFrame, column: str, fill: str | list[str], hover: str, **look: Any) -> Spec:
    """Bars of a column: upright over names in x, else lying; with intervals where it has them."""
    value = "y" if "x" in look else "x"
    bars = {"type": "bar", value: table[column].tolist(), "marker": {"color": fill}, **look}
    if value == "x":
        bars["orientation"] = "h"
    if "low" in table:
        bars[f"error_{value}"] = {
            "type": "data",
            "symmetric": False,
            "array": (table["high"] - table[column]).tolist(),
            "arrayminus": (table[column] - table["low"]).tolist(),
            "thickness": 1.5,
            "width": 3,
        }
    return bars | {"hovertemplate": hover}


def _shares_inside(shares: pd.Series) -> Spec:
    text = [f"{share:.0%}" for share in shares]
    return {"text": text, "insidetextfont": {"color": "#ffffff"}}


def _legend(rows: int) -> Spec:
    """Room below for so many rows of a legend, on a phone."""
    return {"l": 12, "r": 16, "t": 72, "b": 24 + 24 * rows}
