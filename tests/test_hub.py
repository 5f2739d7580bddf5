"""Push and pull over real HTTP to a Hub on loopback, with faults; always old-whole or new-whole."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pyarrow.parquet as pq
import pytest
from conftest import ROWS, TinyEncoder, build_store, open_store, write_archive
from hub_server import Hub, answer, cut, echo, hang_up, no_token_told, reached_hub, spoil
from safetensors import safe_open
from safetensors.numpy import save_file
from test_own_columns import shop, shop_rows

from recommender.catalog.features import FEATURES
from recommender.catalog.fingerprint import catalog_fingerprint
from recommender.errors import HubError, IndexMismatchError
from recommender.hub import hub as module
from recommender.hub.card import make_card
from recommender.hub.hub import Address, pull_store, push_store
from recommender.store.manifest import MANIFEST_FILE, Manifest, check_encoder, load_manifest

# huggingface_hub uploads plain files in a way that its HTTP client is about to drop.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

REPO = "shop/catalog"
KEY = f"datasets/{REPO}"


@pytest.fixture
def hub(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> Iterator[Hub]:
    monkeypatch.setattr("time.sleep", lambda seconds: slept.append(seconds))
    slept.clear()
    with reached_hub(monkeypatch, tmp_path) as served, no_token_told(caplog, tmp_path):
        yield served


slept: list[float] = []


def push(hub: Hub, directory: Path, token: str | None = "hf_write", **options: Any) -> str:  # noqa: S107
    card = partial(make_card, title="A shop", licence="mit", grid=True)
    options = {"make_card": card, "endpoint": hub.address, "token": token, **options}
    return push_store(directory, REPO, **options)


def accept(manifest: Manifest) -> None:
    check_encoder(manifest, TinyEncoder.fingerprint)


def pull(hub: Hub, directory: Path, revision: str = "main", **options: Any) -> str:
    options = {"accept": accept, "endpoint": hub.address, "token": "hf_write", **options}
    return pull_store(Address(REPO, revision), directory, **options)


def refused(call: Any, *arguments: Any, **options: Any) -> str:
    with pytest.raises(HubError) as caught:
        call(*arguments, **options)
    text = str(caught.value)
    assert "\n" not in text
    assert text.endswith(".")
    assert "hf_" not in text
    return text


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """The next version: an item less, another name."""
    rows = [*ROWS[1:-1], (*ROWS[-1][:-1], "Ivo Watch 2")]
    build_store(tmp_path / "other", write_archive(tmp_path / "other.zip", rows), with_map=True)
    return tmp_path / "other"


def assert_same(directory: Path, expected: Path) -> None:
    ours, theirs = open_store(directory), open_store(expected)
    assert ours.frame.equals(theirs.frame)
    assert ours.index.vectors.tobytes() == theirs.index.vectors.tobytes()
    assert ours.places.tolist() == theirs.places.tolist()
    np.testing.assert_array_equal(ours.gallery.colours, theirs.gallery.colours)
    for item_id in ours.index.ids.tolist():
        assert ours.picture_bytes(item_id) == theirs.picture_bytes(item_id)


def test_there_and_back(hub: Hub, store: Path, tmp_path: Path) -> None:
    commit = push(hub, store)
    assert pull(hub, tmp_path / "back") == commit
    assert_same(tmp_path / "back", store)
    assert not list((tmp_path / "back").rglob("*.building"))
    asked = len(hub.asked)
    assert pull(hub, tmp_path / "back", commit) == commit
    assert len(hub.asked) == asked, "a pinned commit that is there asks nobody"


def test_the_dataset_is_one_that_the_viewer_shows(hub: Hub, store: Path, tmp_path: Path) -> None:
    push(hub, store)
    tree = hub.tree(KEY)
    shards = [path for path in tree if path.endswith(".parquet")]
    (tmp_path / "a.parquet").write_bytes(tree[shards[0]])
    items = datasets.Dataset.from_parquet(str(tmp_path / "a.parquet"), cache_dir=str(tmp_path))
    assert isinstance(items.features["image"], datasets.Image)
    assert items[0]["image"].size == (60, 80)
    card = tree["README.md"].decode()
    head = card.split("---")[1]
    assert f'"path": {json.dumps(shards)}' in head
    assert 'license: "mit"' in head
    assert "| Tshirts | 4 |" in card
    assert tree["thumbnails.jpg"].startswith(b"\xff\xd8")


def test_names_on_the_card_are_names(hub: Hub, tmp_path: Path) -> None:
    """Neither markup nor HTML nor a link of a catalog's becomes the card's."""
    strange = "<img src=x>|[Tops](http://evil.example) *www.evil.example* pay@evil.example"
    rows = [(*row[:4], strange, *row[5:]) if row[4] == "Tshirts" else row for row in ROWS]
    build_store(tmp_path / "strange", write_archive(tmp_path / "strange.zip", rows))
    push(hub, tmp_path / "strange")
    card = hub.tree(KEY)["README.md"].decode()
    [line] = [line for line in card.splitlines() if "Tops" in line and "evil" in line]
    assert line.startswith("| &lt;img src=x&gt;\\|\\[Tops\\](http\u200b://evil.example) ")
    assert line.endswith("\\*www\u200b.evil.example\\* pay@\u200bevil.example | 4 | 30.8% |")


@pytest.mark.parametrize("kind", ["repeated id", "no picture", "a path"])
def test_items_that_are_none_are_not_pulled(
    hub: Hub, store: Path, tmp_path: Path, kind: str
) -> None:
    """Of a catalog that its manifest fits; a path that it names is never opened."""
    push(hub, store)
    tree = hub.tree(KEY)
    manifest = json.loads(tree[MANIFEST_FILE])
    [shard] = manifest["catalog"]
    (tmp_path / "a.parquet").write_bytes(tree[shard["path"]])
    items = datasets.Dataset.from_parquet(str(tmp_path / "a.parquet"), cache_dir=str(tmp_path))
    rows = items.cast_column("image", datasets.Image(decode=False)).to_dict()
    outside = tmp_path / "outside.jpg"
    outside.write_bytes(rows["image"][0]["bytes"])
    if kind == "repeated id":
        rows["id"][1] = rows["id"][0]
    else:
        path = {"bytes": None, "path": str(outside)}
        rows["image"][1] = None if kind == "no picture" else path
    made = datasets.Dataset.from_dict(rows, features=FEATURES)
    pq.write_table(made.data.table, tmp_path / "b.parquet")
    data = (tmp_path / "b.parquet").read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    shard.update(path=f"data/{sha256[:24]}.parquet", sha256=sha256, size=len(data))
    manifest["store"]["catalog_fingerprint"] = catalog_fingerprint(made)
    tree[shard["path"]] = data
    tree[MANIFEST_FILE] = json.dumps(manifest).encode()
    here = tmp_path / "here"
    shutil.copytree(store, here)
    assert "holds no catalog that fits it" in refused(pull, hub, here)
    assert_same(here, store)


def test_each_commit_of_a_push_is_a_whole_store(
    hub: Hub, store: Path, other: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_FILES_A_COMMIT", 1)
    push(hub, store)
    before = set(hub.repos[KEY].commits)
    old, last = hub.repos[KEY].head, push(hub, other)
    between = [c for c in hub.repos[KEY].commits if c not in before and c != last]
    assert len(between) > 2
    for number, commit in enumerate([old, *between, last]):
        pull(hub, tmp_path / str(number), commit)
        assert_same(tmp_path / str(number), other if commit == last else store)
    stored = [path for path in hub.tree(KEY) if path.startswith(("data/", "store/"))]
    assert len(stored) == 6, "what is stale is gone from the last"


def test_a_push_again_uploads_nothing(hub: Hub, store: Path) -> None:
    commit = push(hub, store)
    asked = len(hub.asked)
    assert push(hub, store) == commit
    assert not [a for a in hub.asked[asked:] if a.startswith("PUT") or "/commit/" in a]


@pytest.mark.parametrize(
    ("at", "fault", "times"),
    [
        ("PUT /blobs", answer(500), 2),
        ("PUT /blobs", hang_up, 1),
        ("POST .*/preupload", answer(503), 2),
        ("POST .*objects/batch", answer(429, {"Retry-After": "3"}), 1),
    ],
)
def test_a_push_outlives_what_passes(
    hub: Hub, store: Path, tmp_path: Path, at: str, fault: Any, times: int
) -> None:
    hub.fail(at, fault, times)
    push(hub, store)
    assert not [f for f in hub.faults if f[1]], "the fault happened"
    if at.endswith("batch"):
        assert 4.0 in slept, "it waits as long as it is told to"
    pull(hub, tmp_path / "back")
    assert_same(tmp_path / "back", store)


@pytest.mark.parametrize(
    ("at", "fault", "said"),
    [
        ("PUT /blobs", answer(500), "trouble"),
        ("PUT /blobs", hang_up, "goes on where it was"),
        ("POST .*/commit/", answer(500), "trouble"),
        ("POST .*/commit/", hang_up, "goes on where it was"),
        ("POST .*/commit/", answer(412), "somebody else"),
        ("POST .*/preupload", answer(429), "pause"),
        ("POST .*/commit/", echo(403), "take one with write access"),
        ("POST .*/preupload", echo(500), "trouble"),
    ],
)
def test_a_push_that_breaks_off_leaves_the_old_and_resumes(
    hub: Hub, store: Path, other: Path, tmp_path: Path, at: str, fault: Any, said: str
) -> None:
    push(hub, store)
    hub.fail(at, fault, 99)
    assert said in refused(push, hub, other)
    hub.faults.clear()
    pull(hub, tmp_path / "old")
    assert_same(tmp_path / "old", store)
    push(hub, other)
    pull(hub, tmp_path / "new")
    assert_same(tmp_path / "new", other)


@pytest.mark.parametrize(
    ("at", "fault", "times"),
    [
        (r"GET .*/resolve/.*parquet", cut, 1),
        (r"GET .*/resolve/.*faiss", answer(429, {"Retry-After": "2"}), 1),
        (r"HEAD .*/resolve/.*safetensors", answer(500), 2),
        (r"GET .*/tree/", answer(500), 2),
    ],
)
def test_a_pull_outlives_what_passes(
    hub: Hub, store: Path, tmp_path: Path, at: str, fault: Any, times: int
) -> None:
    push(hub, store)
    hub.fail(at, fault, times)
    pull(hub, tmp_path / "back")
    assert not [f for f in hub.faults if f[1]]
    assert_same(tmp_path / "back", store)


@pytest.mark.parametrize(
    ("at", "fault", "said"),
    [
        (r"GET .*/resolve/.*parquet", cut, "goes on where it was"),
        (r"GET .*/resolve/.*parquet", spoil, "other bytes"),
        (r"GET .*/resolve/.*faiss", spoil, "other bytes"),
        (r"GET .*/resolve/.*manifest", spoil, "cannot be used"),
        (r"GET .*/resolve/.*npy", answer(500), "trouble"),
        (r"GET .*/api/", answer(503), "trouble"),
        (r"GET .*/api/", hang_up, "network"),
        (r"GET .*/api/", answer(401), "log in"),
        (r"GET .*/api/", echo(401), "log in"),
        (r"GET .*/resolve/.*npy", echo(500), "trouble"),
    ],
)
def test_a_pull_that_breaks_off_leaves_the_old_and_resumes(
    hub: Hub, store: Path, other: Path, tmp_path: Path, at: str, fault: Any, said: str
) -> None:
    push(hub, store)
    pull(hub, tmp_path / "here")
    push(hub, other)
    hub.fail(at, fault, 99)
    assert said in refused(pull, hub, tmp_path / "here")
    assert_same(tmp_path / "here", store)
    hub.faults.clear()
    pull(hub, tmp_path / "here")
    assert_same(tmp_path / "here", other)


def test_who_may_do_what(hub: Hub, store: Path, tmp_path: Path) -> None:
    assert "log in" in refused(push, hub, store, token=False)
    assert "write access" in refused(push, hub, store, "hf_read")
    assert "write access" in refused(push, hub, store, "hf_other")
    assert not hub.repos
    push(hub, store, private=True)
    for token in ("hf_read", "hf_other"):
        assert hub.repos[KEY].private
        refused(push, hub, store, token)
    for token in (False, "hf_other"):
        assert "shows no" in refused(pull, hub, tmp_path / "no", token=token)
    pull(hub, tmp_path / "yes", token="hf_read")  # noqa: S106
    assert "branch or tag" in refused(pull, hub, tmp_path / "no", "gone")
    assert "OWNER/NAME" in refused(Address.parse, "../etc/passwd")
    assert "OWNER/NAME" in refused(push_store, store, "shop", make_card=make_card)


def map_name(manifest: dict[str, Any]) -> str:
    [name] = [name for name in manifest["files"] if name.startswith("map/")]
    return name


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.update(schema_version=2),
        lambda m: m.update(store=None),
        lambda m: m.update(catalog=[]),
        lambda m: m["catalog"][0].update(path="../../outside.parquet"),
        lambda m: m["catalog"][0].update(size=-1),
        lambda m: m["catalog"][0].update(size=1),
        lambda m: m["catalog"][0].update(sha256="0" * 64),
        lambda m: m["files"].update({"../outside": m["catalog"][0]}),
        lambda m: m["files"].update({f"map/{'0' * 24}.safetensors": m["catalog"][0]}),
        lambda m: m["files"].update({map_name(m): m["files"][m["store"]["parts"][0]]}),
        lambda m: m["files"].update({"map/../../outside": m["files"].pop(map_name(m))}),
        lambda m: m["files"].update({m["store"]["parts"][0]: m["files"][map_name(m)]}),
        lambda m: m["store"].update(index_file="../index.faiss"),
        lambda m: m["store"].update(parts=["/etc/hostname"]),
        lambda m: m["store"].update(dim=3),
        lambda m: m["store"].update(dim=10**30),
        lambda m: m["store"].update(count=float(m["store"]["count"])),
        lambda m: m["store"].update(parts=m["store"]["parts"] * 2),
        lambda m: m["store"].update(count=3),
        lambda m: m["store"].update(ids_sha256="0" * 64),
        lambda m: m["store"].update(catalog_fingerprint="0" * 64),
        lambda m: m["store"].update(encoder={}),
    ],
)
def test_a_manifest_that_lies(hub: Hub, store: Path, tmp_path: Path, change: Any) -> None:
    push(hub, store)
    here = tmp_path / "in" / "here"
    shutil.copytree(store, here)
    tree = hub.tree(KEY)
    manifest = json.loads(tree[MANIFEST_FILE])
    change(manifest)
    tree[MANIFEST_FILE] = json.dumps(manifest).encode()
    assert "again" in refused(pull, hub, here)
    assert_same(here, store)
    assert [path.name for path in (tmp_path / "in").iterdir()] == ["here"]


def test_what_another_machine_rounds_otherwise_lies_beside(
    hub: Hub, store: Path, tmp_path: Path
) -> None:
    """A part and the map are there under the same names, with other bytes that are being served."""
    there, here = tmp_path / "there", tmp_path / "here"
    shutil.copytree(store, there)
    shutil.copytree(store, here)
    old = load_manifest(here)
    files = json.loads((there / MANIFEST_FILE).read_text())
    for name in [
        name for name in files["files"] if name.startswith(("embeddings/", "map/", "colours/"))
    ]:
        with safe_open(there / name, framework="np") as file:
            tensors, header = {k: file.get_tensor(k) for k in file.keys()}, file.metadata()  # noqa: SIM118
        save_file(tensors, there / name, metadata={**(header or {}), "made": "elsewhere"})
        files["files"][name] = hashlib.sha256((there / name).read_bytes()).hexdigest()
    (there / MANIFEST_FILE).write_text(json.dumps(files))
    push(hub, there)
    with pytest.raises(IndexMismatchError):
        pull(hub, here, accept=partial(check_encoder, fingerprint="another"))
    assert load_manifest(here) == old
    pull(hub, here)
    assert_same(here, store)
    assert not set(load_manifest(here).parts) & set(old.parts)


def test_a_store_that_was_built_without_a_map(hub: Hub, archive: Path, tmp_path: Path) -> None:
    build_store(tmp_path / "old", archive)
    push(hub, tmp_path / "old")
    pull(hub, tmp_path / "here")
    assert open_store(tmp_path / "here").places is None


def test_a_repo_without_a_store(hub: Hub, store: Path, tmp_path: Path) -> None:
    push(hub, store)
    del hub.tree(KEY)[MANIFEST_FILE]
    assert "push_to_hub" in refused(pull, hub, tmp_path / "here")


def test_a_store_of_another_encoder(hub: Hub, store: Path, tmp_path: Path) -> None:
    push(hub, store)
    shutil.copytree(store, tmp_path / "here")

    def other(manifest: Manifest) -> None:
        check_encoder(manifest, "another")

    with pytest.raises(IndexMismatchError):
        pull(hub, tmp_path / "here", accept=other)
    assert_same(tmp_path / "here", store)


def test_a_full_disk(
    hub: Hub, store: Path, other: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(hub, other)
    shutil.copytree(store, tmp_path / "here")
    usage = shutil.disk_usage(tmp_path)._replace(free=20_000)  # for the manifest, not for more
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda path: usage)
        assert "disk is too full" in refused(pull, hub, tmp_path / "here")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copyfile", full)
        assert "disk is too full" in refused(pull, hub, tmp_path / "here")
    assert_same(tmp_path / "here", store)
    pull(hub, tmp_path / "here")
    assert_same(tmp_path / "here", other)
    assert load_manifest(tmp_path / "here").count == len(ROWS) - 1


def test_a_catalog_of_own_columns_and_ids_comes_as_it_was(hub: Hub, tmp_path: Path) -> None:
    source = shop(tmp_path / "shop", shop_rows())
    build_store(tmp_path / "own", source)
    push(hub, tmp_path / "own")
    pull(hub, tmp_path / "pulled")
    pushed, pulled = open_store(tmp_path / "own"), open_store(tmp_path / "pulled")
    assert pulled.columns == pushed.columns
    assert {"price", "vegan", "Lager"} < {column.name for column in pulled.columns}
    assert pulled.frame.equals(pushed.frame)
    assert pulled.picture_bytes("A/004 ü") == pushed.picture_bytes("A/004 ü")
