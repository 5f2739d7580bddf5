"""The real archive, where it is: exactly what is in it comes out of it."""

from pathlib import Path

import pytest

from recommender.catalog.items import build_catalog, load_catalog
from recommender.catalog.sources import read_source


@pytest.mark.real_data
def test_the_real_archive(real_archive: Path, tmp_path: Path) -> None:
    raw = read_source(str(real_archive))
    report = build_catalog(raw, tmp_path / "catalog", source=real_archive.name)
    items = load_catalog(tmp_path / "catalog")
    assert len(items) == report.items == 40_041
    assert report.rows == 40_046
    assert len(report.repaired) == 20
    assert [skip["reason"] for skip in report.skipped] == ["it has no picture"] * 5
    assert len(set(items["id"][:])) == 40_041
    assert report.fingerprint
