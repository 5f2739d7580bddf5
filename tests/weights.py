"""A ResNet50 of random weights as a file, for tests of what weights are done to, not of taste."""

from pathlib import Path

import timm
import torch
from torch import Tensor

from recommender.encoding import weights
from recommender.encoding.config import EncoderConfig
from recommender.training.net import FashionNet

CONFIG = {"width_px": 40, "height_px": 48, "fit": "pad", "pooling": "avg", "dtype": "float32"}


def random_state() -> dict[str, Tensor]:
    """Tensors of a ResNet50 whose batch norms do something."""
    torch.manual_seed(0)
    state = timm.create_model("resnet50", pretrained=False, num_classes=0).state_dict()
    for name, tensor in state.items():
        if name.endswith(("bn1.weight", "bn2.weight", "bn3.weight", "running_var", "1.weight")):
            if tensor.ndim == 1:
                state[name] = torch.rand_like(tensor) * 0.5 + 0.5
        elif name.endswith(("bias", "running_mean")):
            state[name] = torch.randn_like(tensor) * 0.1
    return {name: t for name, t in state.items() if not name.endswith("num_batches_tracked")}


def write_weights(path: Path, state: dict[str, Tensor]) -> Path:
    """A file such as `scripts.train` writes."""
    weights.write_weights(path, weights.Weights(state, EncoderConfig(**CONFIG), {}))
    return path


def random_weights(directory: Path) -> Path:
    """The file of `random_state` in a directory, written where it is not there yet."""
    path = directory / "random.safetensors"
    return path if path.exists() else write_weights(path, random_state())


def random_net(classes: dict[str, int], dim: int = 8, *, regions: bool = True) -> FashionNet:
    """A network of random weights that float16 holds, whose batch norms do something."""
    torch.manual_seed(1)
    net = FashionNet(classes, dim, regions=regions)
    for module in net.regions.modules() if regions else ():
        if isinstance(module, torch.nn.BatchNorm2d):
            for tensor in (module.weight, module.running_var):
                tensor.data.uniform_(0.5, 1)
            for tensor in (module.bias, module.running_mean):
                tensor.data.normal_(0, 0.1)
    net.load(random_state())
    net.load(net.weights())
    return net.eval()
