"""What Kaggle's full-size data says of each item: read, joined by id, and what cannot be read."""

import json
import time
import zipfile
from functools import reduce
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from conftest import ROWS, write_archive
from hypothesis import given
from hypothesis import strategies as st

from recommender.catalog.cleaning import RawCatalog
from recommender.catalog.filled import as_markdown
from recommender.catalog.markup import plain_text
from recommender.catalog.sources import read_source
from recommender.catalog.styles import ATTRIBUTES, COLUMNS_OF_STYLES, LEAST_ITEMS, SYNONYMS
from recommender.errors import CatalogError
from recommender.schema import COLUMNS

SHIRT = {
    "id": 1,
    "price": 1299,
    "discountedPrice": 899.5,
    "productDisplayName": "Ako Red Tee, the other one",
    "variantName": "NA",
    "articleNumber": "73; 00",
    "catalogAddDate": 1445524255,
    "brandName": " Ako ",
    "ageGroup": "Adults-Men",
    "fashionType": "",
    "baseColour": "Red",
    "colour1": "Red",
    "colour2": "White",
    "landingPageUrl": "Tshirts/Ako/Ako Red Tee & more/1/buy",
    "articleAttributes": {
        "Pattern": "Solid",
        "Print or Pattern Type": "Graphic",
        "Fabric": "Cotton",
        "Sleeve Length": "No Sleeves",
        "Neck": "Round Neck",
        "Fit": "NA",
        "Fastening": "Zip",
        "Closure": "Button",
        "Surface Styling": "Chest Pocket",
    },
    "productDescriptors": {
        "description": {"value": "<p><strong>Fit</strong><br />Regular<br />As it is</p>"},
        "style_note": {"value": "<p>NA</p>"},
        "care": "what nobody knows",
    },
    "styleOptions": [{"name": "Size", "value": "S"}, {"name": "Size", "value": "M"}, {}, 7],
}


def styles_zip(path: Path, files: dict[str, Any]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, said in files.items():
            data = said if isinstance(said, bytes) else json.dumps({"data": said}).encode()
            archive.writestr(name, data)
    return path


def joined(tmp_path: Path, *styles: Any, rows: list[tuple] = ROWS) -> RawCatalog:
    files = {f"styles/{at}.json": said for at, said in enumerate(styles, 1)}
    archive = styles_zip(tmp_path / "styles.zip", files)
    return read_source(str(write_archive(tmp_path / "a.zip", rows)), styles=str(archive))


def test_what_a_file_says_becomes_columns(tmp_path: Path) -> None:
    row = joined(tmp_path, SHIRT).rows.iloc[0].dropna().to_dict()
    assert {name: value for name, value in row.items() if name not in COLUMNS} == {
        "brand": "Ako",
        "price": "1299",
        "discountedPrice": "899.5",
        "currency": "INR",
        "ageGroup": "Adults-Men",
        "colour2": "White",
        "pattern": "Solid",
        "print": "Graphic",
        "fabric": "Cotton",
        "sleeveLength": "Sleeveless",
        "neck": "Round Neck",
        "fastening": "Zip",
        "sizes": "S, M",
        "description": "Fit: Regular. As it is",
        "details": "Closure: Button; Surface Styling: Chest Pocket; Article number: 73, 00; "
        "Added: 2015-10-22",
        "link": "https://www.myntra.com/Tshirts/Ako/Ako%20Red%20Tee%20&%20more/1/buy",
    }


def test_a_column_is_there_where_an_item_has_it(tmp_path: Path) -> None:
    rows = joined(tmp_path, {"brandName": "Ako"}, {"brandName": "Bil", "price": 5}).rows
    assert list(rows.columns) == [*COLUMNS, "brand", "price", "currency"]
    assert rows["price"].tolist() == [None, "5", *[None] * (len(ROWS) - 2)]


@pytest.mark.parametrize(
    ("attributes", "column", "value"),
    [
        ({"Material": "Leather"}, "fabric", "Leather"),
        ({"Collar": "Spread Collar"}, "neck", "Spread Collar"),
        ({"Print or Pattern Type": "Striped"}, "pattern", "Striped"),
        ({"Print or Pattern Type": "Floral"}, "pattern", None),
        ({"Closure": "Velcro Closure"}, "fastening", "Velcro"),
        ({"Heel Height": "1 inch"}, "heelHeight", "1 inch"),
        ({"Warranty": "2 years"}, "details", "Warranty: 2 years"),
    ],
)
def test_what_means_the_same_is_one_column(
    tmp_path: Path, attributes: dict, column: str, value: str | None
) -> None:
    rows = joined(tmp_path, {"articleAttributes": attributes}).rows
    assert rows.get(column, [None])[0] == value


def test_a_name_with_a_comma_comes_back(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "a.zip")
    with zipfile.ZipFile(archive) as opened:
        members = {name: opened.read(name) for name in opened.namelist()}
    table = members["styles.csv"].replace(b"Ako Red Tee\n", b"Ako Red, one\n", 1)
    members |= {"styles.csv": table, "styles/1.json": SHIRT, "styles/3.json": {"price": 1}}
    raw = read_source(str(styles_zip(tmp_path / "b.zip", members)))
    assert raw.repaired_ids == ["1"]
    assert raw.rows["productDisplayName"].tolist()[:2] == [SHIRT["productDisplayName"], ROWS[1][-1]]
    assert "1 names with an unquoted comma are those of their styles" in raw.notes
    assert raw.rows["price"].tolist()[:3] == ["1299", None, "1"]


@pytest.mark.parametrize("beside", [True, False])
def test_a_folder_has_them_beside_its_table_or_elsewhere(tmp_path: Path, beside: bool) -> None:
    folder, other = tmp_path / "shop", tmp_path / "other"
    with zipfile.ZipFile(write_archive(tmp_path / "a.zip")) as opened:
        opened.extractall(folder)
    styles = (folder if beside else other) / "styles"
    styles.mkdir(parents=True)
    (styles / "0001.json").write_text(json.dumps({"data": SHIRT}))
    (styles / "notes.txt").write_text("nothing")
    raw = read_source(str(folder), styles="" if beside else str(other))
    assert raw.rows["brand"].tolist()[:2] == ["Ako", None]


def test_what_the_table_says_goes_before_what_the_styles_say(tmp_path: Path) -> None:
    rows = joined(tmp_path, SHIRT | {"gender": "Girls", "season": "Winter"}).rows
    assert rows["gender"].tolist() == [row[1] for row in ROWS]
    assert rows["season"].tolist()[0] == ROWS[0][6]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"{", "the file is not JSON"),
        (b"\xff\xfe", "the file is not JSON"),
        (b"[" * 100_000, "the file is not JSON"),
        (b'{"data": {"price": ' + b"9" * 5000 + b"}}", "the file is not JSON"),
        (b"[1]", "the file has no object `data`"),
        (b'{"data": 7}', "the file has no object `data`"),
        ({"id": 2}, "the file is of the id '2'"),
        ({"price": -1, "brandName": "Ako"}, "its price is no number: '-1'"),
        (b'{"data": {"discountedPrice": Infinity}}', "its discountedPrice is no number: 'inf'"),
        ({"price": "on request"}, "its price is no number: 'on request'"),
        ({"landingPageUrl": "javascript:alert(1)"}, "its landingPageUrl is not of the shop"),
        ({"landingPageUrl": "//evil.example/1"}, "its landingPageUrl is not of the shop"),
        (b" " * (2**20 + 1), "refused as a bomb"),
    ],
)
def test_what_cannot_be_read_is_said_of_its_id(tmp_path: Path, said: Any, reason: str) -> None:
    raw = joined(tmp_path, said, {"brandName": "Bil"})
    [note] = [note for note in raw.notes if note.startswith("styles of ")]
    assert note.startswith("styles of 1: ")
    assert reason in note
    assert raw.rows["brand"].tolist()[1] == "Bil"
    assert len(raw.rows) == len(ROWS)


def test_rows_and_files_without_each_other_are_counted(tmp_path: Path) -> None:
    files = {"styles/1.json": SHIRT, "styles/999.json": SHIRT, "styles/other.json": SHIRT}
    archive = styles_zip(tmp_path / "styles.zip", files)
    raw = read_source(str(write_archive(tmp_path / "a.zip", ROWS[:3])), styles=str(archive))
    assert raw.notes[-3:] == [
        "joined 1 rows with their styles",
        "2 rows have no styles: 2, 3",
        "2 files of styles are of no row",
    ]


def test_an_archive_without_styles_is_refused(tmp_path: Path) -> None:
    source = str(write_archive(tmp_path / "a.zip"))
    for files, reason in (
        ({"styles/1.txt": b"x"}, "has no styles: they are files such as styles/1.json"),
        ({"styles/999.json": SHIRT}, "has the id of a row"),
        ({"../styles/1.json": SHIRT}, "climbs out of it"),
    ):
        with pytest.raises(CatalogError, match=reason):
            read_source(source, styles=str(styles_zip(tmp_path / "styles.zip", files)))
    with pytest.raises(CatalogError, match="not a zip archive"):
        read_source(source, styles=str(tmp_path / "nowhere.zip"))


def test_a_synonym_is_not_another_words_synonym() -> None:
    for column, words in SYNONYMS.items():
        assert column in ATTRIBUTES
        assert not set(words) & set(words.values())


# --- markup


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("plain words", "plain words"),
        ("<p>One.</p><p>Two</p>", "One. Two"),
        ("one<br>two<BR/>three<br/four <i>", "one. two. three. four"),
        ("<ul>\n<li>one</li>\n<li>two</li></ul>", "one. two"),
        ("<p><strong>Care</strong>: wipe</p>", "Care: wipe"),
        ("<b>Care:</b><br><i>wipe</i> it", "Care: wipe it"),
        ("<b>Care</b><br><b>Fit</b><br>loose", "Fit: loose"),
        ("<b>All of it</b>", "All of it"),
        ("&lt;b&gt;soft&lt;/b&gt; &amp;amp; warm", "soft & warm"),
        ("5'8&amp;rdquo  33&amp;  rdquo ;", "5'8”33”"),
        ("5 < 6 and 7 > 6", "5 < 6 and 7 > 6"),
        ("I <3 it", "I <3 it"),
        ('a <a href="x" onclick="y">link</a><', "a link"),
        ("<script>evil()</script>seen<!-- not --><style>p {}</style>", "seen"),
        ("the end <a href='cut", "the end"),
        ("grÃ?Â?Ã?Â?Ã?Â?een ï»¿tea", "gr een tea"),
        ("Crème Â brûlée, São", "Crème Â brûlée, São"),
        ("<p>NA</p>", None),
        ("-", None),
        ("<p>&nbsp;</p>", None),
        ("", None),
    ],
)
def test_markup_becomes_plain_text(markup: str, text: str | None) -> None:
    assert plain_text(markup) == text


@given(st.text("<>/!-&;apbr \n'\"ÃÂ?x", max_size=60))
def test_any_markup_becomes_text_without_tags(markup: str) -> None:
    text = plain_text(markup)
    assert text is None or ("<p>" not in text and "<b>" not in text and text == text.strip())


@pytest.mark.parametrize("piece", ["<a", "<!--", "<p x='", "</", "&amp ", "<b>", "Ã?", "<br", "& "])
def test_hostile_markup_takes_no_time(piece: str) -> None:
    started = time.perf_counter()
    plain_text(piece * (2**20 // len(piece)))
    assert time.perf_counter() - started < 20


# --- the committed table, and the real data

ROOT = Path(__file__).parents[1]
COMMITTED = json.loads((ROOT / "benchmarks" / "columns.json").read_text(encoding="utf-8"))


def test_the_readme_s_table_is_the_committed_one() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert as_markdown(COMMITTED["columns"]) in readme


def test_what_is_committed_has_the_columns_that_styles_make() -> None:
    own = [of for of in COMMITTED["columns"] if of["own"]]
    assert {of["column"] for of in own} == set(COLUMNS_OF_STYLES)
    assert min(of["items"] for of in own) >= LEAST_ITEMS


class Words(HTMLParser):
    """The words of a piece of HTML, told by the standard library."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def handle_data(self, data: str) -> None:
        self.said.append(data)


def dicts(column: pd.Series) -> pd.DataFrame:
    return pd.DataFrame([of if isinstance(of, dict) else {} for of in column])


def says_something(of: Any) -> bool:
    words = Words()
    words.feed(str((of or {}).get("value") or ""))
    said = " ".join("".join(words.said).split()).strip(" -:")
    return said.lower() not in ("", "na", "n/a", "none", "null", "nan", "style note")


@pytest.mark.real_data
def test_the_table_is_what_the_files_say(real_styles: Path, real_archive: Path) -> None:
    """By json and pandas alone; nothing of the package has a part in it."""
    with zipfile.ZipFile(real_archive) as archive:
        there = {Path(name).stem for name in archive.namelist() if name.endswith(".jpg")}
    with zipfile.ZipFile(real_styles) as archive:
        files = [json.loads(archive.read(f"styles/{item_id}.json"))["data"] for item_id in there]
    said = pd.DataFrame(files)
    attributes = dicts(said.articleAttributes).replace(["", "NA"], pd.NA)
    descriptors = dicts(said.productDescriptors)

    def first(*names: str) -> pd.Series:
        return reduce(pd.Series.combine_first, (attributes[name] for name in names))

    expected = {
        "brand": said.brandName.str.upper(),
        "ageGroup": said.ageGroup.replace("", pd.NA),
        "fashionType": said.fashionType.replace("", pd.NA),
        "price": said.price,
        "discountedPrice": said.discountedPrice,
        "variety": first("Type"),
        "print": first("Print or Pattern Type"),
        "fabric": first("Fabric", "Material", "Saree Fabric").replace("Textile", "Fabric"),
        "fabric2": first("Fabric 2"),
        "sleeveLength": first("Sleeve Length").replace("No Sleeves", "Sleeveless"),
        "sleeveStyle": first("Sleeve Styling"),
        "neck": first("Neck", "Collar").replace({"Hood": "Hooded", "Mock Neck": "Mock Collar"}),
        "fit": first("Fit").replace("Loose", "Loose Fit"),
        "length": first("Length"),
        "occasion": first("Occasion").replace("Daily", "Everyday"),
        "heelType": first("Heel Type"),
        "heelHeight": first("Heel Height"),
        "toeShape": first("Toe Shape"),
        "ankleHeight": first("Ankle Height"),
        "waistRise": first("Waist Rise"),
        "weave": first("Weave Type", "Knit or Woven"),
        "waterResistance": first("Water Resistance").replace("No", "Non-Resistant"),
        "washCare": first("Wash Care"),
        "link": said.landingPageUrl,
    }
    committed = {of["column"]: of for of in COMMITTED["columns"]}
    assert len(said) == 40_041
    for column, values in expected.items():
        of = committed[column]
        assert (of["items"], of["values"]) == (values.notna().sum(), values.nunique()), column
        assert of["share"] == round(values.notna().mean(), 4)
    for column, name in {
        "description": "description",
        "styleNote": "style_note",
        "care": "materials_care_desc",
        "sizeAndFit": "size_fit_desc",
    }.items():
        count = sum(map(says_something, descriptors[name].dropna()))
        assert committed[column]["items"] == pytest.approx(count, abs=5), column


@pytest.mark.real_data
def test_kaggles_names_and_brands_are_those_of_its_styles(
    real_archive: Path, real_styles: Path
) -> None:
    raw = read_source(str(real_archive), styles=str(real_styles))
    assert raw.rows[list(COLUMNS_OF_STYLES)].notna().sum().min() >= LEAST_ITEMS
    assert not [note for note in raw.notes if note.startswith("styles of")]
    with zipfile.ZipFile(real_styles) as archive:
        said = {Path(name).stem: json.loads(archive.read(name)) for name in archive.namelist()}
    for column, key in {"productDisplayName": "productDisplayName", "brand": "brandName"}.items():
        found = raw.rows.set_index("id")[column].reindex(said.keys()).str.split().str.join(" ")
        assert found.to_dict() == {i: " ".join(of["data"][key].split()) for i, of in said.items()}
