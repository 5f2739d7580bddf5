"""What a study of scale told, as charts."""

from recommender.evaluation.scale import scale_charts

TOLD = {"bytes_an_item": 160}
TOLD |= {share: {"p50_ms": 0.4, "p99_ms": 0.9, "recall_at_10": 1.0} for share in ("all", "1%")}


def test_each_layout_is_a_line_over_the_sizes_that_it_was_measured_at() -> None:
    sizes = {"10000": {"nearest_apart": 0.2, "lean": TOLD, "HNSW": TOLD}, "1000000": {"lean": TOLD}}
    charts = scale_charts(sizes)
    for chart in charts.values():
        lean, hnsw = chart.figure.data
        assert (lean.x, hnsw.x) == ((10_000, 1_000_000), (10_000,))
    assert charts["memory"].table["memory"].tolist() == [160, 160, 160]
    assert scale_charts({})["time"].nothing
