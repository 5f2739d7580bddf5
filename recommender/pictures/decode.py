"""An untrusted file or web address → an RGB picture within limits.

Every picture that enters the house, a visitor's or a catalog's, comes through `decode_image`:
what it returns is a plain RGB picture the right way up, and what it refuses, it refuses with an
`ImageError` whose one sentence is safe to show.
"""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Literal

from PIL import Image, ImageFile
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from recommender.errors import ImageError

READABLE = "JPEG, PNG, WebP, GIF, BMP and AVIF"
Format = Literal["jpeg", "png", "webp", "gif", "bmp", "avif"]
"""As media types and file names spell it."""

# Not `Image.open`: its allow-list does not keep JPEG from becoming MPO, and its check for
# decompression bombs is a process-wide number and a warning. Turning a warning into an error
# is not safe in threads (`catch_warnings` elsewhere puts other filters back), so the one check
# that holds is our own, on the size in the header, between the reader's parse and its load.
_READERS: dict[Format, type[ImageFile.ImageFile]] = {
    "jpeg": JpegImageFile,  # of an MPO file this reads the first picture
    "png": PngImageFile,
    "webp": WebPImageFile,
    "gif": GifImageFile,
    "bmp": BmpImageFile,
    "avif": AvifImageFile,
}

# A progressive JPEG has about ten scans and one block of EXIF. Thousands fit into a file: each
# scan walks over all pixels, and Pillow joins EXIF blocks in quadratic time, so that a file of
# 10 MB could keep a core busy for minutes.
_MAX_JPEG_PARTS = 100
_ORIENTATION = 0x0112  # the EXIF tag
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SWAPS_SIDES = (5, 6, 7, 8)

_STRIPS_FROM_PX = 4_000_000
"""A picture of so many pixels is converted strip by strip, and made smaller where it may be."""
_STRIP_PX = 256
_BYTES_A_PIXEL = {"1": 1, "L": 1, "P": 1, "I;16": 2}
"""What a loaded pixel takes by mode, where it is not four."""
_CODEC_BYTES = {"webp": 4, "avif": 8}
"""What a pixel takes besides in what unpacks it."""
_LARGE_BYTES = 64 * 2**20
_waiting_for_large = threading.BoundedSemaphore(4)


@dataclass(frozen=True, kw_only=True)
class ImageLimits:
    """What a picture may cost at most: a visitor's, if nothing else is said.

    `max_memory` is in bytes, of what reading it takes at its peak. Large pictures are read one
    after the other: who is `patient` waits for as many as come first, others for a few.
    """

    max_bytes: int = 10 * 2**20
    max_pixels: int = 50_000_000
    max_side_px: int = 20_000
    max_memory: int = 256 * 2**20
    patient: bool = False


VISITOR_LIMITS = ImageLimits()


def decode_image(
    data: bytes, *, limits: ImageLimits = VISITOR_LIMITS, at_least_px: tuple[int, int] | None = None
) -> Image.Image:
    """Decode an untrusted file's bytes to an RGB picture, the right way up.

    The format is told by the bytes, never by a name. Of an animation the first frame is taken;
    EXIF orientation is applied; 16 bits are scaled to 8; transparency is laid over white. Colour
    profiles are not applied. Safe to call from many threads.

    Args:
        data: the file.
        limits: what it may cost; checked before any pixel is allocated.
        at_least_px: (width, height) that the caller will scale the upright picture down to. A
            larger JPEG is then decoded at the smallest of 1/8, 1/4, 1/2 and 1/1 whose sides are
            not below it, which is several times faster. Of other formats a picture of more than
            four megapixels is made smaller by a whole factor; no side is then below the longer one.

    Returns:
        A picture of mode RGB without metadata.

    Raises:
        ImageError: too large, of another format, damaged or cut short.
        ValueError: `at_least_px` is not positive.
    """
    if at_least_px is not None and min(at_least_px) < 1:
        raise ValueError(f"at_least_px must be positive, not {at_least_px}")
    if not data:
        raise ImageError("This file is empty.")
    if len(data) > limits.max_bytes:
        raise ImageError(f"This file is too large: at most {_megabytes(limits.max_bytes)} is read.")
    kind = format_of(data)
    # Pillow raises what its parsers happen to raise (OSError, SyntaxError, ValueError, EOFError,
    # struct.error, zlib.error, MemoryError …): to a caller they all mean the same.
    try:
        picture = _READERS[kind](BytesIO(_first_frame(data) if kind == "gif" else data))
        _check_size(picture.size, limits)
        codec = _codec_memory(picture, kind)
        if at_least_px is not None and isinstance(picture, JpegImageFile):
            swapped = _orientation(picture) in _SWAPS_SIDES
            picture.draft(None, at_least_px[::-1] if swapped else at_least_px)
        factor = _factor(picture.size, max(at_least_px or picture.size))
        memory = codec + _memory(picture, factor)
        if memory > limits.max_memory:
            raise ImageError(
                f"This picture would take {_megabytes(memory)} to be read, at most "
                f"{_megabytes(limits.max_memory)} are there: save it smaller, or as a JPEG."
            )
        if memory > _LARGE_BYTES:
            upright = _read_large(picture, factor, limits)
        else:
            upright = _read(picture, factor)
    except ImageError:
        raise
    except Exception as error:
        raise ImageError("This picture is damaged or cut short.") from error
    upright.info = {}  # where and by whom it was taken stays behind
    return upright


def read_image(
    path: str | Path,
    *,
    limits: ImageLimits = VISITOR_LIMITS,
    at_least_px: tuple[int, int] | None = None,
) -> Image.Image:
    """`decode_image` of a file, of which at most `limits.max_bytes` + 1 bytes are read.

    Raises:
        ImageError: the file cannot be opened, or is not a picture within the limits.
    """
    try:
        with Path(path).open("rb") as file:
            data = file.read(limits.max_bytes + 1)
    except FileNotFoundError as error:
        raise ImageError(
            "This file cannot be opened, as it is not here or not any more: show it again."
        ) from error
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        raise ImageError("This file cannot be opened.") from error
    return decode_image(data, limits=limits, at_least_px=at_least_px)


def format_of(data: bytes) -> Format:
    """Tell a picture's format by its first bytes.

    Raises:
        ImageError: it is none that is read, or a JPEG that would keep its reader busy.
    """
    if data.startswith(b"\xff\xd8\xff"):
        # Within compressed data 0xff is escaped, so these two bytes are the start of a scan.
        if max(data.count(b"\xff\xda"), data.count(b"Exif\0\0")) > _MAX_JPEG_PARTS:
            raise ImageError("This JPEG is built of too many parts; save it anew to use it.")
        return "jpeg"
    if data.startswith(b"\x89PNG\r\n"):
        return "png"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "webp"
    if data.startswith(b"BM"):
        return "bmp"
    if data[4:8] == b"ftyp":
        brands = data[8 : 8 + 64]
        if b"avif" in brands or b"avis" in brands:
            return "avif"
        if b"heic" in brands or b"heix" in brands or b"mif1" in brands:
            raise ImageError(f"HEIC pictures cannot be read here: {READABLE} can.")
    raise ImageError(f"This file is not a picture we can read: {READABLE} are.")


def _first_frame(data: bytes) -> bytes:
    """Cut a GIF down to its screen, palette and first frame.

    Pillow would allocate what the frame is to be disposed with as soon as it opens the file,
    before any check of its size, and would gather long comments in quadratic time.
    """
    start = 13 + (3 << (data[10] & 7) + 1 if data[10] & 0x80 else 0)  # after the global palette
    control = b""
    at = start
    while data[at] != 0x2C:  # the frame; running off the end is an IndexError
        if data[at] == 0x21:  # an extension: label, then blocks with their length, then a zero
            label, block = data[at + 1], data[at + 3 : at + 7]
            at += 2
            while data[at]:
                at += data[at] + 1
            if label == 0xF9:  # of the graphic control keep only which colour is transparent
                control = bytes([0x21, 0xF9, 4, block[0] & 1, 0, 0, block[3], 0])
        at += 1
    return data[:start] + control + data[at:]


def _check_size(size: tuple[int, int], limits: ImageLimits) -> None:
    width, height = size
    if width < 1 or height < 1:
        raise ImageError("This picture has no pixels.")
    if max(size) > limits.max_side_px:
        raise ImageError(
            f"This picture is {max(size):,} pixels long; at most {limits.max_side_px:,} are read."
        )
    if width * height > limits.max_pixels:
        raise ImageError(
            f"This picture has {round(width * height / 1e6, 1):,g} megapixels; "
            f"at most {round(limits.max_pixels / 1e6, 1):,g} are read."
        )


def _orientation(picture: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; a picture with broken EXIF is taken to be upright."""
    try:
        return int(picture.getexif().get(_ORIENTATION, 1))
    except Exception:  # what a broken EXIF block raises is as varied as what a broken file does
        return 1


def _read_large(picture: ImageFile.ImageFile, factor: int, limits: ImageLimits) -> Image.Image:
    """`_read`, when it is its turn."""
    if not limits.patient and not _waiting_for_large.acquire(blocking=False):
        raise ImageError(
            "Other large pictures are being read: try again in a few seconds, or send a smaller "
            "one."
        )
    try:
        return _reader_of_large(os.getpid()).submit(_read, picture, factor).result()
    finally:
        if not limits.patient:
            _waiting_for_large.release()


@cache
def _reader_of_large(process: int) -> ThreadPoolExecutor:
    """Reads the pictures of a process that take more than `_LARGE_BYTES`, one after the other.

    One thread, not a lock: what is freed in a thread's arena may stay with it. Not one for all
    processes, since a fork takes no thread along.
    """
    return ThreadPoolExecutor(1, thread_name_prefix=f"large-pictures-{process}")


def _read(picture: ImageFile.ImageFile, factor: int) -> Image.Image:
    """Load a picture; what is returned is RGB and upright, and the picture itself is gone."""
    picture.load()
    # Not before: a PNG may say it at its end, and is loaded where it is asked for.
    turn = _TURNS.get(_orientation(picture))
    rgb = _to_rgb(picture) if factor == 0 else _in_strips(picture, factor)
    picture.close()
    return rgb if turn is None else rgb.transpose(turn)


def _factor(size: tuple[int, int], least_px: int) -> int:
    """By what a large picture is made smaller while it is converted; 0 for one that is not large.

    >>> _factor((8000, 6000), 700), _factor((8000, 6000), 7000), _factor((600, 800), 80)
    (8, 1, 0)
    """
    large = size[0] * size[1] >= _STRIPS_FROM_PX
    return max(1, min(size) // least_px) if large else 0


def _codec_memory(picture: ImageFile.ImageFile, kind: Format) -> int:
    """Bytes that unpacking takes besides the picture: of a progressive JPEG all coefficients."""
    pixels = picture.width * picture.height
    if isinstance(picture, JpegImageFile) and "progressive" in picture.info:
        sampled = [across * down for _, across, down, *_ in picture.layer]
        return 2 * pixels * sum(sampled) // max(sampled)
    return _CODEC_BYTES.get(kind, 0) * pixels


def _memory(picture: Image.Image, factor: int) -> int:
    """Bytes that a picture takes as it is loaded, and as it is returned."""
    pixels = picture.width * picture.height
    loaded = _BYTES_A_PIXEL.get(picture.mode, 4) * pixels
    return loaded + 4 * pixels // max(factor, 1) ** 2


def _in_strips(picture: Image.Image, factor: int) -> Image.Image:
    """`_to_rgb` of a large picture, made smaller by a factor, without a second one of its size."""
    width, height = picture.size
    rgb = Image.new("RGB", (-(-width // factor), -(-height // factor)))
    step = max(_STRIP_PX // factor, 1) * factor
    for top in range(0, height, step):
        strip = picture.crop((0, top, width, min(top + step, height)))
        rgb.paste(_to_rgb(strip).reduce(factor), (0, top // factor))
    return rgb


def _to_rgb(picture: Image.Image) -> Image.Image:
    """Convert any mode of the allowed formats to RGB, transparency over white."""
    if picture.mode.startswith("I"):  # 16-bit grey; plain convert would clip it to white
        # 65535 = 255 * 257, and + 0.5 rounds where Pillow cuts off
        grey = picture.convert("I").point(lambda value: value * (1 / 257) + 0.5)
        return grey.convert("L").convert("RGB")
    if picture.has_transparency_data:
        rgba = picture.convert("RGBA")
        white = Image.new("RGB", rgba.size, "white")
        white.paste(rgba, mask=rgba.getchannel("A"))
        return white
    return picture.convert("RGB")


def _megabytes(count: int) -> str:
    return f"{count / 2**20:,.0f} MB" if count >= 2**20 else f"{count:,} bytes"
