"""Every kind of file gets either the right RGB picture or an ImageError, and nothing else."""

import struct
import subprocess
import sys
import threading
import time
import tracemalloc
import zlib
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import multiprocess
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from recommender.errors import ImageError
from recommender.pictures import decode
from recommender.pictures.decode import ImageLimits, decode_image, read_image

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def encode(picture: Image.Image, kind: str, **options: Any) -> bytes:
    file = BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def smooth(width: int = 60, height: int = 80) -> Image.Image:
    """A picture that lossy formats keep: red grows to the right, green downwards."""
    x = np.linspace(0, 255, width)[None, :].repeat(height, 0)
    y = np.linspace(0, 255, height)[:, None].repeat(width, 1)
    return Image.fromarray(np.stack([x, y, np.full_like(x, 90)], -1).astype(np.uint8))


def quarters(side: int = 32) -> Image.Image:
    """Red, green / blue, white: no two of the eight orientations look alike."""
    picture = Image.new("RGB", (side, 2 * side))
    half = side // 2
    for colour, box in (
        (RED, (0, 0, half, side)),
        (GREEN, (half, 0, side, side)),
        (BLUE, (0, side, half, 2 * side)),
        (WHITE, (half, side, side, 2 * side)),
    ):
        picture.paste(colour, box)
    return picture


def apart(first: Image.Image, second: Image.Image) -> int:
    assert first.mode == second.mode == "RGB"
    assert first.size == second.size
    return int(np.abs(np.asarray(first, dtype=int) - np.asarray(second, dtype=int)).max())


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, depth: int, colour: int, body: bytes, extra: bytes = b"") -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(body, 9))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + body + chunk(b"IEND", b"")


def gif(
    screen: tuple[int, int], frame: tuple[int, int], disposal: int, before: bytes = b""
) -> bytes:
    return (
        b"GIF89a"
        + struct.pack("<HHBBB", *screen, 0x80, 0, 0)
        + bytes([255, 0, 0, 0, 255, 0])
        + before
        + b"\x21\xf9\x04"
        + bytes([disposal << 2, 0, 0, 0, 0])
        + b","
        + struct.pack("<HHHHB", 0, 0, *frame, 0)
        + b"\x02\x02\x44\x01\x00;"
    )


def refused(data: bytes, **options: Any) -> str:
    with pytest.raises(ImageError) as caught:
        decode_image(data, **options)
    message = str(caught.value)
    assert message.endswith(".")
    assert "\n" not in message
    return message


# --- formats


@pytest.mark.parametrize(
    ("kind", "options", "tolerance"),
    [
        ("JPEG", {"quality": 95}, 12),
        ("JPEG", {"quality": 95, "progressive": True}, 12),
        ("PNG", {}, 0),
        ("WEBP", {"lossless": True}, 0),
        ("WEBP", {"quality": 95}, 16),
        ("BMP", {}, 0),
        ("AVIF", {"quality": 95}, 16),
    ],
)
def test_formats(kind: str, options: dict[str, Any], tolerance: int) -> None:
    assert apart(decode_image(encode(smooth(), kind, **options)), smooth()) <= tolerance


def test_gif_of_few_colours_is_exact() -> None:
    assert apart(decode_image(encode(quarters(), "GIF")), quarters()) == 0


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "AVIF"])
def test_first_frame_of_an_animation(kind: str) -> None:
    frames = [Image.new("RGB", (20, 10), colour) for colour in (BLUE, RED, GREEN)]
    data = encode(frames[0], kind, save_all=True, append_images=frames[1:], duration=50)
    assert apart(decode_image(data), frames[0]) <= 4


def test_mpo_gives_its_first_picture() -> None:
    data = encode(smooth(), "MPO", save_all=True, append_images=[quarters()], quality=95)
    with Image.open(BytesIO(data)) as opened:
        assert opened.format == "MPO"
    assert apart(decode_image(data), smooth()) <= 12


@pytest.mark.parametrize("name", ["picture.jpg", "picture", "picture.txt"])
def test_the_bytes_tell_the_format_not_the_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(encode(quarters(), "PNG"))
    assert apart(read_image(path), quarters()) == 0


# --- modes


def test_cmyk_jpeg_is_not_inverted() -> None:
    data = encode(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG", quality=95)
    assert apart(decode_image(data), Image.new("RGB", (16, 16), RED)) <= 6


def test_16_bit_grey_is_scaled_not_clipped() -> None:
    values = np.linspace(0, 65535, 64 * 64).astype(np.uint16).reshape(64, 64)
    grey = np.asarray(decode_image(encode(Image.fromarray(values), "PNG")))
    assert (grey == np.round(values / 257)[..., None]).all()


def test_16_bit_colour_and_16_bit_grey_with_alpha() -> None:
    colour = png(1, 1, 16, 2, b"\0" + struct.pack(">HHH", 65535, 0x8000, 0))
    assert decode_image(colour).getpixel((0, 0)) == (255, 128, 0)
    grey = png(2, 1, 16, 4, b"\0" + struct.pack(">HHHH", 0x4000, 65535, 0x4000, 0))
    assert [decode_image(grey).getpixel((x, 0)) for x in (0, 1)] == [(64, 64, 64), WHITE]


def test_palette_and_palette_with_transparency() -> None:
    palette = quarters().quantize(4)
    assert apart(decode_image(encode(palette, "PNG")), quarters()) == 0
    corner = palette.getpixel((0, 0))
    with_hole = quarters()
    with_hole.paste(WHITE, (0, 0, 16, 32))  # where it was red
    for kind in ("PNG", "GIF"):
        assert apart(decode_image(encode(palette, kind, transparency=corner)), with_hole) == 0
    # a palette whose colours are half transparent
    alphas = bytes(128 if index == corner else 255 for index in range(4))
    half = decode_image(encode(palette, "PNG", transparency=alphas))
    assert half.getpixel((0, 0)) == (255, 127, 127)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_alpha_lies_over_white(kind: str) -> None:
    picture = Image.new("RGBA", (3, 1))
    for x, alpha in enumerate((0, 128, 255)):
        picture.putpixel((x, 0), (0, 0, 255, alpha))
    options = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    rgb = decode_image(encode(picture, kind, **options))
    assert [rgb.getpixel((x, 0)) for x in range(3)] == [WHITE, (127, 127, 255), BLUE]


def test_grey_with_alpha_lies_over_white() -> None:
    picture = Image.new("LA", (2, 1))
    picture.putpixel((0, 0), (0, 0))
    picture.putpixel((1, 0), (40, 255))
    rgb = decode_image(encode(picture, "PNG"))
    assert [rgb.getpixel((x, 0)) for x in (0, 1)] == [WHITE, (40, 40, 40)]


@pytest.mark.parametrize(
    ("mode", "colour", "key", "expected"),
    [("RGB", RED, RED, WHITE), ("RGB", RED, BLUE, RED), ("L", 9, 9, WHITE), ("1", 0, 0, WHITE)],
)
def test_colour_key_transparency(mode: str, colour: Any, key: Any, expected: Any) -> None:
    data = encode(Image.new(mode, (2, 2), colour), "PNG", transparency=key)
    assert decode_image(data).getpixel((0, 0)) == expected


@pytest.mark.parametrize("mode", ["1", "L"])
def test_grey_and_black_and_white(mode: str) -> None:
    data = encode(quarters().convert(mode), "PNG")
    assert apart(decode_image(data), quarters().convert(mode).convert("RGB")) == 0


# --- orientation, sizes


def rotated(orientation: int, picture: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    """Stored the way a camera does that was held so."""
    stored = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "a maker"
    if orientation in stored:
        picture = picture.transpose(stored[orientation])
    return encode(picture, kind, exif=exif, **options)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_exif_orientation(orientation: int, kind: str) -> None:
    options = {"JPEG": {"quality": 95, "subsampling": 0}, "PNG": {}, "WEBP": {"lossless": True}}
    upright = decode_image(rotated(orientation, quarters(), kind, **options[kind]))
    assert apart(upright, quarters()) <= 12
    assert upright.info == {}
    assert not upright.getexif()


@pytest.mark.filterwarnings("ignore")  # Pillow's about the EXIF; as an error it would come first
@pytest.mark.parametrize("exif", [b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\x7f", b""])
def test_broken_exif_does_not_cost_the_picture(exif: bytes) -> None:
    data = bytearray(encode(smooth(), "JPEG", quality=95))
    segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    data[2:2] = segment
    assert decode_image(bytes(data)).size == (60, 80)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("asked", [(224, 224), (300, 100), (450, 600), (900, 1200), (5000, 5000)])
def test_a_large_jpeg_is_scaled_but_never_below_what_is_asked(
    orientation: int, asked: tuple[int, int]
) -> None:
    full = quarters(900)  # 900 × 1800
    data = rotated(orientation, full, quality=90)
    width, height = decode_image(data, at_least_px=asked).size
    scale = round(900 / width)
    assert scale in (1, 2, 4, 8)
    assert (width, height) == (-(-900 // scale), -(-1800 // scale))
    if scale > 1:
        assert width >= asked[0]
        assert height >= asked[1]
    if scale < 8:  # the next smaller scale would be too small
        assert 900 // (2 * scale) < asked[0] or 1800 // (2 * scale) < asked[1]


def test_at_least_px_is_for_what_is_large_and_must_be_positive() -> None:
    assert decode_image(encode(smooth(600, 800), "PNG"), at_least_px=(10, 10)).size == (600, 800)
    with pytest.raises(ValueError, match="positive"):
        decode_image(encode(smooth(), "JPEG"), at_least_px=(0, 10))


@pytest.mark.parametrize("size", [(1, 1), (1, 10_000), (10_000, 1)])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP"])
def test_unusual_shapes_are_pictures(size: tuple[int, int], kind: str) -> None:
    data = encode(Image.new("RGB", size, WHITE), kind)
    assert apart(decode_image(data), Image.new("RGB", size, WHITE)) == 0


def test_caps_hold_at_their_edges() -> None:
    data = encode(Image.new("RGB", (100, 50)), "PNG")
    fits = ImageLimits(max_bytes=len(data), max_pixels=5000, max_side_px=100)
    assert decode_image(data, limits=fits).size == (100, 50)
    assert "too large" in refused(data, limits=ImageLimits(max_bytes=len(data) - 1))
    assert "megapixels" in refused(data, limits=ImageLimits(max_pixels=4999))
    assert "100 pixels long; at most 99" in refused(data, limits=ImageLimits(max_side_px=99))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16", "key"])
def test_a_large_picture_is_what_a_small_one_is(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Strip by strip it is converted to the same, and scaled as the whole would be."""
    full = smooth(301, 407)
    options = {}
    if mode == "I;16":
        picture = Image.fromarray(np.asarray(full.convert("L")).astype(np.uint16) * 257)
    elif mode == "key":
        picture, options = full.quantize(16), {"transparency": 3}
    elif mode == "RGBA":
        picture = full.convert("RGBA")
        picture.putalpha(full.convert("L"))
    else:
        picture = full.convert(mode)
    data = encode(picture, "PNG", **options)
    whole = decode_image(data)
    monkeypatch.setattr(decode, "_STRIPS_FROM_PX", 1000)
    monkeypatch.setattr(decode, "_STRIP_PX", 7)
    assert decode_image(data).tobytes() == whole.tobytes()
    smaller = decode_image(data, at_least_px=(60, 80))
    assert smaller.size == (101, 136)  # by a factor of 3
    assert smaller.tobytes() == whole.reduce(3).tobytes()
    turned = decode_image(rotated(6, full, "PNG"), at_least_px=(60, 80))
    assert turned.size == (101, 136)


_READ = """
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
sys.path.insert(0, "tests")
from recommender.pictures.decode import decode_image
from test_decode import resident_bytes
read = partial(decode_image, at_least_px=(144, 192))
small, large = open(sys.argv[1], "rb").read(), open(sys.argv[2], "rb").read()
with ThreadPoolExecutor(3) as pool:
    list(pool.map(read, [small] * 3))
    before = resident_bytes()
    list(pool.map(read, [large] * 3))
print(resident_bytes() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
@pytest.mark.parametrize(("depth", "colour", "of_a_pixel"), [(16, 0, 2), (16, 2, 6), (8, 6, 4)])
def test_49_megapixels_take_no_more_than_is_allowed(
    depth: int, colour: int, of_a_pixel: int, tmp_path: Path
) -> None:
    """However many ask, they are read one after the other."""
    line = b"\0" + bytes(7000 * of_a_pixel)
    packed = zlib.compressobj(1)
    body = b"".join([*(packed.compress(line) for _ in range(7000)), packed.flush()])
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 7000, 7000, depth, colour, 0, 0, 0))
    data = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    (tmp_path / "small.png").write_bytes(encode(smooth(), "PNG"))
    (tmp_path / "large.png").write_bytes(data)
    files = [str(tmp_path / name) for name in ("small.png", "large.png")]
    root = Path(__file__).parents[1]
    command = [sys.executable, "-c", _READ, *files]
    grown = subprocess.run(command, cwd=root, capture_output=True, check=True)
    assert int(grown.stdout) < 260 * 2**20


def test_after_a_fork_large_pictures_are_read_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "_LARGE_BYTES", 0)
    data = encode(smooth(), "PNG")
    expected = decode_image(data).tobytes()
    with multiprocess.get_context("fork").Pool(1) as pool:
        told = pool.apply_async(lambda: decode_image(data).tobytes()).get(timeout=60)
    assert told == expected


def test_few_wait_for_large_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who comes when four are waiting is told so at once; a catalog has patience."""
    monkeypatch.setattr(decode, "_LARGE_BYTES", 0)
    go, real = threading.Event(), decode._read
    monkeypatch.setattr(decode, "_read", lambda *a: (go.wait(60), real(*a))[1])
    data = encode(smooth(), "PNG")
    patient = ImageLimits(patient=True)
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(decode_image, data) for _ in range(4)]
        more = [pool.submit(decode_image, data, limits=patient) for _ in range(4)]
        while decode._waiting_for_large._value:  # until all four are there
            time.sleep(0.01)
        assert "try again in a few seconds" in refused(data)
        go.set()
        assert {future.result().size for future in (*waiting, *more)} == {smooth().size}
    assert decode_image(data).size == smooth().size


def test_what_would_take_too_much_memory_is_told() -> None:
    limits = ImageLimits(max_memory=100_000)
    for kind, needed in (("PNG", 8), ("WEBP", 12), ("AVIF", 16)):
        side = int((100_000 / needed) ** 0.5)
        assert decode_image(encode(smooth(side, side), kind), limits=limits).size == (side, side)
        message = refused(encode(smooth(side + 2, side + 2), kind), limits=limits)
        assert "save it smaller, or as a JPEG" in message
    baseline = encode(smooth(104, 104), "JPEG")
    progressive = encode(smooth(104, 104), "JPEG", progressive=True)
    assert decode_image(baseline, limits=limits).size == (104, 104)
    assert "to be read" in refused(progressive, limits=limits)


def test_read_image_reads_no_more_than_it_must(tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    with path.open("wb") as file:
        file.truncate(2**33)  # sparse: reading all of it would take 8 GB
    with pytest.raises(ImageError, match="at most 10 MB is read"):
        read_image(path)


@pytest.mark.parametrize("name", ["missing.jpg", ".", "a\0b"])
def test_a_path_that_cannot_be_opened(tmp_path: Path, name: str) -> None:
    with pytest.raises(ImageError, match="cannot be opened") as caught:
        read_image(tmp_path / name)
    assert str(tmp_path) not in str(caught.value)


# --- bombs


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(png(60_000, 60_000, 8, 2, b""), id="png that only claims"),
        pytest.param(png(12_000, 10_000, 1, 0, bytes(1501 * 10_000)), id="png that packs well"),
        pytest.param(gif((13_000, 13_000), (13_000, 13_000), 0), id="gif"),
        pytest.param(gif((9000, 9000), (9000, 9000), 2), id="gif disposed on opening"),
        pytest.param(gif((9000, 9000), (9000, 9000), 2, b"\0"), id="gif with a byte of padding"),
        pytest.param(gif((10, 10), (9000, 9000), 2), id="gif larger than its screen"),
        pytest.param(
            b"BM" + struct.pack("<IIIIiiHHIIIIII", 54, 0, 54, 40, 30_000, 30_000, 1, 24, *[0] * 6),
            id="bmp",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:Image size")  # Pillow's own, which nothing here rests on
def test_a_bomb_is_refused_before_its_pixels_are_allocated(data: bytes) -> None:
    assert len(data) < 100_000
    tracemalloc.start()
    before = resident_bytes()
    message = refused(data)
    grown = resident_bytes() - before
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "at most" in message
    assert peak < 2**21
    assert grown < 16 * 2**20


def resident_bytes() -> int:
    """Pillow allocates outside of what tracemalloc sees."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return int(lines["VmHWM"].split()[0]) * 1024


def test_120_megapixels_are_named() -> None:
    message = refused(png(12_000, 10_000, 8, 2, b""))
    assert message == "This picture has 120 megapixels; at most 50 are read."


def test_a_jpeg_of_a_thousand_scans_is_refused() -> None:
    data = encode(smooth(), "JPEG", progressive=True)
    scan = data.rindex(b"\xff\xda")
    last, end = data[scan:-2], data[-2:]
    assert "too many parts" in refused(data[:scan] + last * 1000 + end)


def test_a_jpeg_of_a_thousand_exif_blocks_is_refused() -> None:
    block = b"\xff\xe1\0\x0eExif\0\0abcdef"
    data = encode(smooth(), "JPEG")
    assert "too many parts" in refused(data[:2] + block * 1000 + data[2:])


def test_gif_comments_do_not_cost_quadratic_time() -> None:
    comments = (b"\xff" + b"x" * 255) * 35_000
    data = gif((1, 1), (1, 1), 0, b"\x21\xfe" + comments + b"\0")
    assert decode_image(data).size == (1, 1)


# --- not pictures, damaged pictures


@pytest.mark.parametrize(
    "data",
    [
        b"a shirt",
        b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
        b"PK\x03\x04" + bytes(40),
        b"<!doctype html><title>a picture</title>",
        b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
        b"\0",
        b"GIF",
        b"RIFF\0\0\0\0WAVE",
        b"8BPS\0\x01" + bytes(40),
        encode(smooth(), "TIFF"),
        encode(smooth(), "ICO"),
        encode(smooth(), "PPM"),
        encode(smooth(), "TGA"),
    ],
)
def test_what_is_no_picture_of_ours_is_told_what_is(data: bytes) -> None:
    message = "This file is not a picture we can read: JPEG, PNG, WebP, GIF, BMP and AVIF are."
    assert refused(data) == message


def test_empty_and_heic_have_their_own_sentence() -> None:
    assert refused(b"") == "This file is empty."
    heic = struct.pack(">I", 24) + b"ftypheic\0\0\0\0mif1heic" + bytes(40)
    assert refused(heic).startswith("HEIC")


DETAILED = Image.fromarray(
    np.random.default_rng(7).integers(0, 255, (64, 48, 3), dtype=np.uint8), "RGB"
)
SAMPLES = {
    "JPEG": encode(DETAILED, "JPEG"),
    "progressive": encode(DETAILED, "JPEG", progressive=True),
    "PNG": encode(DETAILED, "PNG"),
    "WEBP": encode(DETAILED, "WEBP"),
    "GIF": encode(DETAILED, "GIF"),
    "BMP": encode(DETAILED, "BMP"),
    "AVIF": encode(DETAILED, "AVIF"),
    "EXIF": rotated(6, DETAILED),
    "alpha": encode(DETAILED.convert("RGBA"), "PNG"),
    "palette": encode(DETAILED.quantize(16), "PNG", transparency=3),
}


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("name", SAMPLES)
def test_truncated_pictures_are_refused(name: str, share: float) -> None:
    data = SAMPLES[name]
    assert refused(data[: int(len(data) * share)]) == "This picture is damaged or cut short."


def decodes_or_refuses(data: bytes) -> None:
    try:
        picture = decode_image(data, limits=ImageLimits(max_pixels=1_000_000), at_least_px=(9, 9))
    except ImageError:
        return
    assert picture.mode == "RGB"
    assert len(picture.tobytes()) == 3 * picture.width * picture.height


MAGIC = [b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\0\1\0\0WEBP", b"BM"]


# Broken EXIF makes Pillow warn; here a warning would only hide the way that production takes.
@pytest.mark.filterwarnings("ignore")
@settings(max_examples=150, deadline=None)
@given(st.sampled_from([*MAGIC, b"\0\0\0\x1cftypavif"]), st.binary(max_size=400))
def test_random_bytes(magic: bytes, rest: bytes) -> None:
    decodes_or_refuses(magic + rest)


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=300, deadline=None)
@given(st.data())
def test_random_mutations(data: st.DataObject) -> None:
    picture = bytearray(data.draw(st.sampled_from(list(SAMPLES.values()))))
    for _ in range(data.draw(st.integers(0, 6))):
        # most of what can go wrong is in the header
        end = data.draw(st.sampled_from([60, 700, len(picture)]))
        at = data.draw(st.integers(0, min(end, len(picture)) - 1))
        picture[at] = data.draw(st.integers(0, 255))
    keep = data.draw(st.one_of(st.none(), st.integers(0, len(picture))))
    decodes_or_refuses(bytes(picture[:keep]))


def test_many_threads_get_what_one_gets() -> None:
    files = [*SAMPLES.values(), b"text", SAMPLES["PNG"][:500]]

    def outcome(data: bytes) -> bytes | str:
        try:
            return decode_image(data).tobytes()
        except ImageError as error:
            return str(error)

    alone = [outcome(data) for data in files]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(outcome, files * 20)) == alone * 20
