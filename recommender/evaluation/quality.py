"""The committed reports -> charts that a shopper and an engineer both understand."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import pandas as pd

from recommender.charts.chart import Chart, Spec, empty_chart, several, spec_of, wrapped
from recommender.charts.palette import ACCENT, COOL, GRID, PALE
from recommender.evaluation.committed import EVERYONE, Committed, Precision, losses
from recommender.schema import NOUNS, TITLES

HEADLINED = ("imagenet-avg", "ours", "ours-hybrid")
_FILLS = (PALE, COOL, ACCENT)

_GENDERS = {"same": "the asker's gender", "neutral": "unisex", "other": "another gender"}
_PERCENT: Spec = {"tickformat": ".0%", "range": [0, 1.02]}
_NONE = "nothing was measured"


def in_words(relevance: str) -> str:
    """What has to agree: a relevance is named by the last words of its labels' nouns.

    >>> in_words("type"), in_words("type+gender+colour")
    ('article type', 'type, gender and colour')
    """
    *others, last = relevance.split("+")
    if others:
        return f"{', '.join(others)} and {last}"
    return next((noun for noun in NOUNS.values() if noun.split()[-1] == last), last)


def headline(committed: Committed) -> Chart:
    """P@5 of the predecessors' system and of ours, for each relevance."""
    title = "How many of the five shown fit"
    systems = committed.systems
    titles = {name: systems[name]["title"] for name in HEADLINED if name in systems}
    rows = [
        {"system": system, "agrees": in_words(relevance)} | _columns(precision)
        for relevance in committed.relevances
        for name, system in titles.items()
        if (precision := committed.precision(name, relevance))
    ]
    table = pd.DataFrame(rows, columns=["system", "agrees", "P@5", "low", "high", "queries"])
    if table.empty:
        return empty_chart(title, table, _NONE)
    bars = []
    for system, fill in zip(titles.values(), _FILLS, strict=False):
        rows_of = table[table["system"] == system]
        bars.append(
            {
                "type": "bar",
                "name": system,
                "x": [wrapped(labels, 14) for labels in rows_of["agrees"]],
                "y": rows_of["P@5"].tolist(),
                "error_y": _interval(rows_of),
                "marker": {"color": fill},
                "hovertemplate": "%{x}: %{y:.1%}<extra>%{fullData.name}</extra>",
            }
        )
    layout = {"yaxis": _PERCENT, "barmode": "group", "bargap": 0.25, "margin": _legend(len(bars))}
    counts = f"{several(int(table['queries'].max()), 'picture')} that no training has seen"
    return _chart(title, counts, table, (bars, layout), height=460)


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
    title = "The same pictures, every system"
    precisions = {
        name: precision
        for name in committed.systems
        if (precision := committed.precision(name, relevance, column, value))
    }
    table = pd.DataFrame(
        [{"system": committed.systems[n]["title"]} | _columns(p) for n, p in precisions.items()],
        columns=["system", "P@5", "low", "high", "queries"],
    )
    if table.empty:
        return empty_chart(title, table, "no picture of this kind was asked")
    bars = {
        "type": "bar",
        "orientation": "h",
        "y": [wrapped(name, 24) for name in table["system"]],
        "x": table["P@5"].tolist(),
        "error_x": _interval(table),
        "marker": {"color": [ACCENT if name == chosen else PALE for name in precisions]},
        "text": [f"{share:.0%}" for share in table["P@5"]],
        "textposition": "inside",
        "insidetextanchor": "start",
        "insidetextfont": {"color": "#ffffff"},
        "hovertemplate": "%{y}: %{x:.1%}<extra></extra>",
    }
    layout = {"xaxis": _PERCENT, "yaxis": {"autorange": "reversed"}}
    counts = f"{several(int(table['queries'].max()), 'picture')}; {in_words(relevance)}"
    return _chart(title, counts, table, ([bars], layout), height=120 + 44 * len(table))


def types(committed: Committed, system: str) -> Chart:
    """P@5 on type for the queries of each article type, beside how many asked."""
    title = "Easy and hard article types"
    rows = [
        {"articleType": value} | _columns(precision)
        for value in committed.values("articleType")
        if (precision := committed.precision(system, "type", "articleType", value))
    ]
    table = pd.DataFrame(rows, columns=["articleType", "P@5", "low", "high", "queries"])
    if table.empty:
        return empty_chart(title, table, _NONE)
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
    note = "Rare types are harder: there is less to learn from, and less to find."
    return _chart(title, "one point a type", table, ([points], layout), note=note)


def robustness_losses(committed: Committed) -> Chart:
    """What P@5 on type loses when the picture that asks was changed."""
    title = "What a bad picture costs"
    rows = [
        {
            "change": kind,
            "severity": severity,
            "strength": f"{loss['strength']:g} {unit}",
            **dict(zip(("lost", "low", "high"), loss["P@5 lost"], strict=True)),
            "P@5": loss["P@5"][0],
            "own picture found first": loss["R@1"][0],
        }
        for kind, severity, unit, loss in losses(committed.robustness)
    ]
    columns = ["change", "severity", "strength", "lost", "low", "high", "P@5"]
    table = pd.DataFrame(rows, columns=[*columns, "own picture found first"])
    if table.empty:
        return empty_chart(title, table, _NONE)
    bars = [
        {
            "type": "bar",
            "name": severity,
            "x": rows_of["change"].tolist(),
            "y": rows_of["lost"].tolist(),
            "error_y": _interval(rows_of, "lost"),
            "marker": {"color": fill},
            "text": rows_of["strength"].tolist(),
            "textposition": "none",
            "hovertemplate": "%{x}, %{text}: %{y:.1%} lost<extra></extra>",
        }
        for fill, (severity, rows_of) in zip(
            (COOL, ACCENT), table.groupby("severity", sort=False), strict=False
        )
    ]
    layout = {
        "yaxis": {"tickformat": ".0%", "title": {"text": "Lost of P@5 on type"}},
        "barmode": "group",
        "margin": _legend(1),
    }
    count = committed.robustness["queries"]["count"]
    counts = f"{several(count, 'picture')}, each changed in every way"
    return _chart(title, counts, table, (bars, layout), height=440)


def heads(committed: Committed) -> Chart:
    """How often what is seen in a picture is right, and how sure it may be of itself."""
    title = "How often we see right"
    rows = [
        {
            "attribute": TITLES.get(name, name),
            "accuracy": entry["accuracy"],
            "macro F1": entry["macro F1"],
            "among the likeliest five": entry["top-5"],
            "calibration error": entry["ECE"],
            "classes": entry["classes"],
            "queries": entry["queries"],
        }
        for name, entry in committed.board.get("heads", {}).items()
    ]
    columns = ["attribute", "accuracy", "macro F1", "among the likeliest five"]
    table = pd.DataFrame(rows, columns=[*columns, "calibration error", "classes", "queries"])
    if table.empty:
        return empty_chart(title, table, _NONE)
    bars = {
        "type": "bar",
        "orientation": "h",
        "y": table["attribute"].tolist(),
        "x": table["accuracy"].tolist(),
        "marker": {"color": COOL},
        "text": [f"{share:.0%}" for share in table["accuracy"]],
        "insidetextfont": {"color": "#ffffff"},
        "hovertemplate": "%{y}: %{x:.1%} right<extra></extra>",
    }
    layout = {"xaxis": _PERCENT, "yaxis": {"autorange": "reversed"}}
    worst = table["calibration error"].max()
    note = (
        "When the page says 80% sure, it should be right four times in five: over all levels it is "
        f"off by at most {worst:.1%} in the mean (expected calibration error)."
    )
    counts = f"{several(int(table['queries'].max()), 'picture')} that no training has seen"
    return _chart(title, counts, table, ([bars], layout), height=380, note=note)


def leaks(committed: Committed) -> Chart:
    """Of what gender the products shown are, beside who asked."""
    title = "Who is shown whose products"
    rows = [
        {"system": report["title"], **{k: report["leakage"]["all"][k] for k in _GENDERS}}
        | {"never shown": report["exposure"]["hits"]["never shown"]}
        for report in committed.systems.values()
    ]
    table = pd.DataFrame(rows, columns=["system", *_GENDERS, "never shown"])
    if table.empty:
        return empty_chart(title, table, _NONE)
    bars = [
        {
            "type": "bar",
            "orientation": "h",
            "name": shown_to,
            "y": [wrapped(name, 24) for name in table["system"]],
            "x": table[name].tolist(),
            "marker": {"color": fill},
            "hovertemplate": "%{y}: %{x:.1%}<extra>%{fullData.name}</extra>",
        }
        for (name, shown_to), fill in zip(_GENDERS.items(), (COOL, GRID, ACCENT), strict=True)
    ]
    layout = {
        "xaxis": _PERCENT,
        "yaxis": {"autorange": "reversed"},
        "barmode": "stack",
        "margin": _legend(3),
    }
    note = "The table also says what share of the catalog no picture of the test brought up."
    counts = "of the ten products shown, by the gender they are for"
    return _chart(title, counts, table, (bars, layout), height=150 + 40 * len(table), note=note)


def quality_charts(committed: Committed) -> dict[str, Chart]:
    """All that need no choice, by name."""
    served = next((name for name in reversed(HEADLINED) if name in committed.systems), "")
    return {
        "headline": headline(committed),
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
    numbers = [entry["epoch"] for entry in epochs]
    starts = [n for n, (last, next_) in enumerate(pairwise(numbers), 2) if next_ <= last]
    rows = [
        {"epoch": number, "trained with loss": entry.get("loss"), **entry["dev"]}
        for number, entry in enumerate(epochs, 1)
    ]
    table = pd.DataFrame(rows)
    title = "Training, epoch by epoch"
    if table.empty:
        return empty_chart(title, table, "no epoch has ended")

    def line(column: str, **look: Any) -> Spec:
        values = [None if pd.isna(value) else value for value in table[column]]
        drawn = {"type": "scatter", "mode": "lines", "name": TITLES.get(column, column)}
        return {**drawn, "x": table["epoch"].tolist(), "y": values, **look}

    lines = [line(name) for name in table.columns[2:] if name != "loss"]
    loss = line("trained with loss", name="Loss", yaxis="y2", line={"color": PALE, "dash": "dot"})
    layout = {
        "xaxis": {"title": {"text": "Epoch"}},
        "yaxis": {"tickformat": ".0%", "title": {"text": "Right on the dev split"}},
        "yaxis2": {
            "overlaying": "y",
            "side": "right",
            "showgrid": False,
            "title": {"text": "Loss"},
        },
        # Where the next run began.
        "shapes": [
            {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": n - 0.5, "x1": n - 0.5}
            | {"line": {"color": PALE, "width": 1}}
            for n in starts
        ],
        "margin": _legend(3) | {"r": 64},
    }
    counts = several(len(table), "epoch") + (f" in {len(starts) + 1} runs" if starts else "")
    return _chart(title, counts, table, ([*lines, loss], layout), height=460)


def _chart(
    title: str,
    counts: str,
    table: pd.DataFrame,
    drawing: tuple[list[Spec], Spec],
    *,
    height: int = 420,
    note: str = "",
) -> Chart:
    spec = spec_of(drawing, title, counts, height=height)
    return Chart(title=title, counts=counts, table=table, spec=spec, note=note)


def _columns(precision: Precision) -> dict[str, float]:
    mean, low, high, queries = precision
    return {"P@5": mean, "low": low, "high": high, "queries": queries}


def _interval(table: pd.DataFrame, column: str = "P@5") -> Spec:
    return {
        "type": "data",
        "symmetric": False,
        "array": (table["high"] - table[column]).tolist(),
        "arrayminus": (table[column] - table["low"]).tolist(),
        "thickness": 1.5,
        "width": 3,
    }


def _legend(rows: int) -> Spec:
    """Room below for so many rows of a legend, on a phone."""
    return {"l": 12, "r": 16, "t": 72, "b": 24 + 24 * rows}
