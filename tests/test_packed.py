"""Convolutions at work: what is seen stays what it was, and nothing is laid out that costs."""

import copy

import pytest
import torch
from torch import Tensor, nn

from recommender.encoding.backbone import create_backbone, feature_maps, fuse_batch_norms
from recommender.encoding.packed import PackedConv, pack_convolutions

pytestmark = pytest.mark.skipif(
    not torch.backends.mkldnn.is_available(), reason="this PyTorch multiplies without oneDNN"
)


@pytest.fixture(scope="module")
def plain() -> nn.Module:
    torch.manual_seed(0)
    backbone = create_backbone().eval()
    fuse_batch_norms(backbone)
    return backbone.to(memory_format=torch.channels_last).requires_grad_(False)


def pixels(height: int, width: int, count: int = 1) -> Tensor:
    return torch.rand(count, 3, height, width).to(memory_format=torch.channels_last)


def packed(plain: nn.Module, *sizes: tuple[int, int]) -> tuple[nn.Module, int]:
    backbone = copy.deepcopy(plain)
    see = lambda picture: feature_maps(backbone, picture)  # noqa: E731
    return backbone, pack_convolutions(backbone, see, [pixels(*size) for size in sizes])


def test_all_is_seen_as_before_at_any_size(plain: nn.Module) -> None:
    backbone, count = packed(plain, (48, 36), (72, 54))
    assert count > 40, "of 53"
    assert sum(isinstance(part, PackedConv) for part in backbone.modules()) == 53
    with torch.inference_mode():
        for size in ((48, 36, 1), (72, 54, 3), (54, 72, 2), (33, 50, 1)):
            both = [
                feature_maps(net, picture)
                for picture in [pixels(*size)]
                for net in (plain, backbone)
            ]
            for want, got in zip(*both, strict=True):
                torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-4)


def test_what_sizes_want_otherwise_is_laid_out_by_each_pass(plain: nn.Module) -> None:
    _, small = packed(plain, (48, 36))
    _, both = packed(plain, (48, 36), (384, 512))
    assert both <= small == 53
