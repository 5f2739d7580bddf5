"""Photographs are outlined as a person would, and a region head learns them: all else stays."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from test_taken import weights_in
from test_training import build, split_rows

from recommender.encoding.encoder import fingerprint_of
from recommender.encoding.weights import FASHION_WEIGHTS, find_weights, read_weights
from recommender.errors import WeightsError
from recommender.pictures.decode import read_image
from recommender.service.examples import PHOTOGRAPHS
from recommender.training.outlines import Watcher, outline
from recommender.training.regions import RegionConfig
from recommender.training.scenes import Scenes, to_canvas, view_outlined, view_photographs
from scripts import fit_regions


@pytest.fixture(scope="module")
def watcher() -> Watcher:
    return Watcher(find_weights("fashion"), "cpu")


# What a person who looks at them says: left, top, right, bottom in shares of the sides.
@pytest.mark.parametrize(
    ("name", "box"),
    [
        ("yellow-tee-on-a-bedspread.jpg", (0.08, 0.2, 0.93, 0.82)),
        ("shoes-on-a-tiled-floor.jpg", (0.15, 0.16, 0.85, 0.79)),
    ],
)
def test_a_garment_is_outlined(
    watcher: Watcher, name: str, box: tuple[float, float, float, float]
) -> None:
    found = outline(watcher, read_image(PHOTOGRAPHS[name]))
    assert found is not None
    rows, columns = (np.flatnonzero(found.any(axis)) for axis in (1, 0))
    ends = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
    sides = found.shape[::-1] * 2
    np.testing.assert_allclose(np.divide(ends, sides), box, atol=0.05)


def test_an_outline_moves_with_what_it_outlines() -> None:
    picture = Image.new("RGB", (120, 160), "white")
    picture.paste("black", (30, 40, 90, 110))
    canvas, size = to_canvas(picture)
    canvases = torch.from_numpy(canvas).permute(2, 0, 1)[None].repeat(8, 1, 1, 1)
    sizes = torch.tensor([size] * 8, dtype=torch.float32)
    masks = canvases[:, 0] < 128
    plain = Scenes(photo_cast=0, dark=0, soften=0, cover=0)
    draws = [torch.Generator().manual_seed(3) for _ in range(2)]
    views, alphas = view_outlined(canvases, sizes, masks, (96, 72), plain, draws[0])
    torch.testing.assert_close(view_photographs(canvases, sizes, (96, 72), plain, draws[1]), views)
    clear = (alphas - 0.5).abs() > 0.45
    dark = views.mean(1) < 0.4
    assert (dark == (alphas > 0.5))[clear].float().mean() > 0.98


def archive_of(path: Path) -> Path:
    """The page's photographs, each by a photographer, every fourth for dev."""
    rows = ["image,label,photographer,kids,split"]
    with zipfile.ZipFile(path, "w") as archive:
        for at, (name, file) in enumerate(PHOTOGRAPHS.items()):
            archive.write(file, f"images/{name}")
            image = name.removesuffix(".jpg")
            rows.append(f"{image},Not sure,{at},False,{'dev' if at % 4 == 3 else 'train'}")
        archive.writestr("photos.csv", "\n".join(rows) + "\n")
    return path


def test_only_the_region_head_learns(tmp_path: Path) -> None:
    build(split_rows(), tmp_path)
    archive = archive_of(tmp_path / "photos.zip")
    out, told = tmp_path / "out.safetensors", tmp_path / "told.json"
    options = ["--steps", "3", "--taken", "2", "--laid", "2", "--on-white", "1", "--device", "cpu"]
    files = ["--data", str(tmp_path), "--photographs", str(archive), "--out", str(out)]

    learn = ["--weights", str(FASHION_WEIGHTS), "--json", str(told)]
    assert fit_regions.main([*files, *learn, *options]) == 0
    before, after = read_weights(FASHION_WEIGHTS), read_weights(out)
    assert after.state.keys() == before.state.keys()
    changed = {name for name in after.state if not after.state[name].equal(before.state[name])}
    assert {name.split(".")[0] for name in changed} == {"regions"}
    assert fingerprint_of(str(out)) == fingerprint_of("fashion"), "a gallery stays as it is"
    report = json.loads(told.read_text())
    assert report["outlined"] == [6, 6]
    assert report["before"].keys() == {"photographs", "laid", "on white"}
    assert report["before"] != report["after"]


def test_weights_without_a_region_head_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="region head"):
        Watcher(read_weights(weights_in(tmp_path, regions=False)), "cpu")


def test_what_a_step_sees_is_checked() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        RegionConfig(taken=0)
