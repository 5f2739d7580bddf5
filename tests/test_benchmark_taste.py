"""What a reason, an outfit and a search's knobs take is measured as they are served."""

from pathlib import Path

from conftest import ROWS, draw_picture

from recommender.search.recommender import Recommender
from recommender.service.answers import Service
from scripts.benchmark_taste import measure_outfits, measure_reasons, measure_together


def test_what_is_measured(believing: Recommender, tmp_path: Path) -> None:
    pictures = {}
    for row in ROWS[:12]:
        pictures[row[0]] = tmp_path / f"{row[0]}.jpg"
        pictures[row[0]].write_bytes(draw_picture(row))
    service, ids = Service(believing), list(pictures)
    reasons, outfits = measure_reasons(service, ids, pictures), measure_outfits(service, ids)
    assert set(reasons) == {"of a picture", "of an item"}
    assert [told["calls"] for told in (*reasons.values(), *outfits.values())] == [8] * 4
    p50, p95 = outfits["an outfit"]["processor ms, p50 and p95"]
    assert 0 < p50 <= p95
    together = measure_together(service, ids * 2, pictures)
    for way in together.values():
        assert way["alone"]["calls"] == way["together"]["calls"] == 12
        assert len(way["added ms, median: clock and processor"]) == 2
