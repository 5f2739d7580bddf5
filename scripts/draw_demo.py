"""Draw the embedded demo catalog: an archive in the layout of Kaggle's data set.

    python -m scripts.draw_demo [--out FILE] [--seed N] [--items N]

The same arguments write the same bytes. Needs skia-python, which the app itself does not.
"""

import argparse
import io
import zipfile
from collections import Counter
from pathlib import Path

from tqdm import tqdm

from recommender.demo.drawing.plan import FIELDS, Plan, plan_catalog

OUT = Path(__file__).parents[1] / "recommender" / "demo" / "fashion-demo.zip"
QUALITY = 68  # of the JPEGs; about 6 KB each


def jpeg(plan: Plan) -> bytes:
    """The item's picture as a JPEG without metadata."""
    buffer = io.BytesIO()
    plan.picture().save(buffer, "JPEG", quality=QUALITY, optimize=True)
    return buffer.getvalue()


def styles_csv(plans: list[Plan]) -> str:
    """The table, unquoted as the data set's own is, commas in names included."""
    lines = [",".join(FIELDS), *(",".join(plan.row.values()) for plan in plans)]
    return "\n".join(lines) + "\n"


def write_archive(plans: list[Plan], out: Path) -> None:
    """Draw every item into one zip archive."""
    out.parent.mkdir(parents=True, exist_ok=True)
    # Default entries carry the year 1980 and no clock, so that the bytes repeat.
    with zipfile.ZipFile(out, "w") as archive:
        for plan in tqdm(plans, desc="draw", unit="item"):
            archive.writestr(zipfile.ZipInfo(f"images/{plan.row['id']}.jpg"), jpeg(plan))
        archive.writestr(zipfile.ZipInfo("styles.csv"), styles_csv(plans), zipfile.ZIP_DEFLATED)


def main(argv: list[str] | None = None) -> None:
    """Draw the demo and say what it holds."""
    parser = argparse.ArgumentParser(description="Draw the demo catalog.")
    parser.add_argument("--out", type=Path, default=OUT, help="the archive to write")
    parser.add_argument("--seed", type=int, default=2024)
    parser.add_argument("--items", type=int, default=880)
    args = parser.parse_args(argv)
    plans = plan_catalog(args.items, args.seed)
    write_archive(plans, args.out)
    print(f"{args.out}: {len(plans)} items, {args.out.stat().st_size / 1e6:.1f} MB")
    for column in ("masterCategory", "articleType", "baseColour", "gender", "season", "year"):
        counts = Counter(plan.row[column] for plan in plans)
        common = ", ".join(f"{value or 'blank'} {n}" for value, n in counts.most_common(6))
        print(f"  {len(counts):3} {column}: {common}")


if __name__ == "__main__":
    main()
