"""Draw where the network sees the garment in photographs, and what it takes it for.

python -m scripts.contact_sheet --photographs clothing-photos.zip --out benchmarks/regions.jpg
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from recommender.catalog.items import PICTURE_LIMITS
from recommender.catalog.photographs import load_photographs
from recommender.encoding.encoder import Encoder, load_encoder
from recommender.files import whole_file
from recommender.pictures.decode import decode_image
from scripts.command import plain_errors

TILE_PX = (150, 200)
COLUMNS = 10
_OUTSIDE = 0.35
"""How bright is what the mask leaves out."""


def draw_tile(encoder: Encoder, picture: Image.Image, label: str | None) -> Image.Image:
    """A photograph, dimmed where no garment is seen, its boxes, and the type beside the label."""
    seen = encoder.encode_queries([picture])
    [regions], types = seen.regions, encoder.labels["articleType"]
    mask = Image.fromarray(np.float32(regions.mask)).resize(picture.size, Image.Resampling.BICUBIC)
    light = _OUTSIDE + (1 - _OUTSIDE) * np.clip(np.asarray(mask), 0, 1)[..., None]
    shown = Image.fromarray((np.asarray(picture) * light).astype(np.uint8))
    draw = ImageDraw.Draw(shown)
    for box in regions.boxes:
        ends = [end * side for end, side in zip(box, picture.size * 2, strict=True)]
        draw.rectangle(ends, outline="yellow" if box == regions.used else "white", width=2)
    tile = ImageOps.pad(shown, TILE_PX, color="black")
    [believed] = seen.beliefs["articleType"]
    words = f"{types[believed.argmax()]} {believed.max():.0%}\n({label or 'no label'})"
    draw, font = ImageDraw.Draw(tile), ImageFont.load_default(12)
    draw.rectangle((0, TILE_PX[1] - 30, *TILE_PX), fill="black")
    draw.text((3, TILE_PX[1] - 29), words, fill="white", font=font, spacing=1)
    return tile


@plain_errors()
def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photographs", type=Path, required=True, help="an archive of them")
    parser.add_argument("--split", choices=["train", "dev"], default="dev")
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--encoder", default="fashion", help="fashion | a safetensors file")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--out", type=Path, required=True, help="a .jpg")
    options = parser.parse_args(argv)
    photographs = load_photographs(options.photographs, options.split).sample(options.count)
    encoder = load_encoder(options.encoder, device=options.device)
    rows = -(-len(photographs) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * TILE_PX[0], rows * TILE_PX[1]))
    labels = photographs.frame["label"]
    for at, (data, label) in enumerate(zip(photographs.files, labels, strict=True)):
        tile = draw_tile(encoder, decode_image(data, limits=PICTURE_LIMITS), label)
        sheet.paste(tile, (at % COLUMNS * TILE_PX[0], at // COLUMNS * TILE_PX[1]))
    with whole_file(options.out) as building:
        sheet.save(building, "JPEG", quality=80)
    return 0


if __name__ == "__main__":
    sys.exit(main())
