"""A network in one piece: what is seen stays what it was, and Python is left to others."""

import sys
import threading
import time

import pytest
import torch
from torch import Tensor, nn

from recommender.encoding.backbone import create_backbone, feature_maps, fuse_batch_norms
from recommender.encoding.packed import PackedNet, can_pack
from recommender.encoding.region_head import RegionHead

pytestmark = pytest.mark.skipif(
    not can_pack(torch.float32), reason="this PyTorch multiplies without oneDNN"
)


@pytest.fixture(scope="module")
def plain() -> nn.Module:
    torch.manual_seed(0)
    backbone = create_backbone().eval()
    fuse_batch_norms(backbone)
    return backbone.to(memory_format=torch.channels_last).requires_grad_(False)


def pixels(height: int, width: int, count: int = 1) -> Tensor:
    return torch.rand(count, 3, height, width).to(memory_format=torch.channels_last)


def test_all_is_seen_as_before_at_any_size(plain: nn.Module) -> None:
    head = RegionHead().eval().requires_grad_(False)
    nn.init.normal_(head.mask.weight)
    fuse_batch_norms(head)
    packed = PackedNet(plain, head, [pixels(48, 36), pixels(72, 54)])
    assert packed.laid_out > 40, "of 59"
    with torch.inference_mode():
        for size in ((48, 36, 1), (72, 54, 3), (54, 72, 2), (33, 50, 1), (48, 36, 5), (48, 36, 19)):
            picture = pixels(*size)
            want = feature_maps(plain, picture)
            for regions in (True, False):
                stages, mask = packed(picture, regions=regions)
                torch.testing.assert_close(stages, want, rtol=1e-4, atol=1e-4)
                assert (mask is not None) == regions
                if mask is not None:
                    torch.testing.assert_close(mask, head(want), rtol=1e-4, atol=1e-4)


def test_without_a_region_head_there_is_no_mask(plain: nn.Module) -> None:
    packed = PackedNet(plain, None, [pixels(48, 36)])
    with torch.inference_mode():
        assert packed(pixels(48, 36), regions=True)[1] is None


def test_what_sizes_want_otherwise_is_laid_out_by_each_pass(plain: nn.Module) -> None:
    small = PackedNet(plain, None, [pixels(48, 36)]).laid_out
    both = PackedNet(plain, None, [pixels(48, 36), pixels(384, 512)]).laid_out
    assert both <= small == 53


def test_a_pass_asks_python_a_few_times_and_not_at_each_step(plain: nn.Module) -> None:
    """Whoever works beside it lets go of Python after half a second here, when it is asked to."""
    packed, picture = PackedNet(plain, None, [pixels(48, 36)]), pixels(48, 36)
    with torch.inference_mode():
        for _ in range(3):
            packed(picture, regions=False)
        done, before = threading.Event(), sys.getswitchinterval()
        beside = threading.Thread(target=lambda: [None for _ in iter(done.is_set, True)])
        sys.setswitchinterval(0.5)
        beside.start()
        try:
            started = time.perf_counter()
            packed(picture, regions=False)
            seconds = time.perf_counter() - started
        finally:
            sys.setswitchinterval(before)
            done.set()
            beside.join()
    assert seconds < 10, "a step each would be half a minute"
