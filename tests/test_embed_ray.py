"""Two machines of a Ray cluster embed what one does, whatever becomes of them on the way."""

import importlib.util
import os
import resource
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import datasets
import numpy as np
import numpy.typing as npt
import pytest
from conftest import ROWS, TinyEncoder
from object_store import object_store
from test_embed import FailingEncoder, items, load_tiny

from recommender.catalog.views import VIEW_FEATURES, as_items
from recommender.encoding.protocol import Encoded
from recommender.errors import ClusterError, StoreError, WeightsError
from recommender.schema import key_of
from recommender.store import embed as module
from recommender.store.embed import EmbeddedCatalog, LoadEncoder, embed_catalog
from recommender.store.embed_ray import RayEngine, Worker
from recommender.store.known import ByPicture
from recommender.store.shared import SharedPictures

__all__ = ["items"]

# What Ray itself is warned of.
pytestmark = pytest.mark.filterwarnings("ignore")


class TellingEncoder(TinyEncoder):
    """Leaves a file for each picture that it has seen, named by its machine.

    Where there is a file `kill` beside them, the process that takes it away dies of it.
    """

    def __init__(self, told: Path) -> None:
        super().__init__()
        self.told = told

    def encode_prepared(self, prepared: npt.NDArray[np.uint8]) -> Encoded:
        import ray

        time.sleep(0.2)  # so that the other machine has something left to do
        if (self.told / "kill").exists():
            (self.told / "kill").unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        node = ray.get_runtime_context().get_node_id()
        for _ in prepared:
            (self.told / f"{node}-{uuid4().hex}").touch()
        return super().encode_prepared(prepared)


@dataclass(frozen=True)
class LoadTelling:
    """Gives such an encoder."""

    told: Path

    def __call__(self, rank: int | None) -> TellingEncoder:
        return TellingEncoder(self.told)


def load_here_alone(rank: int | None) -> TinyEncoder:
    """Weights that lie where the command is given, by a path that is another one elsewhere."""
    if not Path("mine.safetensors").exists():
        raise WeightsError("There are no weights 'mine.safetensors'.")
    return TinyEncoder()


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two machines of one core, each a raylet of its own. Skipped without Ray, but fails in CI."""
    if importlib.util.find_spec("ray") is None:
        if os.environ.get("CI"):
            pytest.fail("CI needs requirements-scale.txt")
        pytest.skip("requirements-scale.txt is not installed")
    import ray
    from ray.cluster_utils import Cluster

    here = Path(__file__).parent
    node = {"num_cpus": 1, "object_store_memory": 80 * 2**20, "include_dashboard": False}
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setenv("PYTHONPATH", f"{here}{os.pathsep}{here.parent}")
        # Where Ray notes what it connects to, without looking whether there is such a folder.
        patch.setenv("RAY_TMPDIR", folder)
        Path(folder, "ray").mkdir()
        # A machine that does not answer is a lost one soon; workers do not stand back for others.
        settings = {
            **{"health_check_period_ms": 1000, "health_check_timeout_ms": 5000},
            "worker_niceness": 0,
        }
        cluster = Cluster(
            initialize_head=True,
            head_node_args={**node, "temp_dir": folder, "_system_config": settings},
        )
        cluster.add_node(**node)
        ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
        yield cluster
        ray.shutdown()
        cluster.shutdown()


def embed(
    items: datasets.Dataset,
    directory: Path,
    load: LoadEncoder = load_tiny,
    pictures: str = "",
    workers: int = 2,
) -> EmbeddedCatalog:
    engine = RayEngine(pictures=pictures)
    return embed_catalog(items, directory, load, batch_size=3, workers=workers, engine=engine)


@pytest.fixture(scope="module")
def spoiled(items: datasets.Dataset) -> datasets.Dataset:
    """The same items, one of which has a picture that is none."""

    def spoil(item: dict) -> dict:
        return {"image": {"bytes": b"no picture", "path": None}} if item["id"] == 7 else {}

    return items.map(spoil, features=items.features, load_from_cache_file=False)


def test_either_engine_goes_on_from_the_others_work(
    cluster: Any, spoiled: datasets.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pictures come from an object store that drops every third connection."""
    monkeypatch.setattr(module, "PART_ITEMS", 3)
    parts = tmp_path / "parts"
    stopped = FailingEncoder(4)
    with pytest.raises(KeyboardInterrupt):
        embed_catalog(spoiled, parts, lambda rank: stopped, batch_size=3)
    assert len(list(parts.iterdir())) == 2  # of two items each
    with object_store(dropping=3) as store:
        embedded = embed(spoiled, parts, pictures=store.uri("bucket/shop"))
        assert store.dropped > 3
        assert len([name for name in store.objects if name.endswith(".parquet")]) == 5
    # What was made here stays, and what was made there is found here.
    again = TinyEncoder()
    here = embed_catalog(spoiled, parts, lambda rank: again, batch_size=3)
    assert again.encoded == 0
    alone = embed_catalog(spoiled, tmp_path / "alone", load_tiny, batch_size=3)
    for one in (embedded, here):
        assert list(one.skipped) == list(alone.skipped) == [7]
        assert [path.name for path in one.parts] == [path.name for path in alone.parts]
        assert one.embeddings.ids.tolist() == [row[0] for row in ROWS if row[0] != 7]
        vectors = one.embeddings.vectors
        assert vectors.tobytes() == alone.embeddings.vectors.tobytes()


def test_further_views_are_embedded_as_items_are(
    cluster: Any, items: datasets.Dataset, tmp_path: Path
) -> None:
    """Beside the items, whose ids are numbers, at the same place."""
    pictures = [items[row]["image"] for row in (3, 4, 5)]
    rows = {
        "id": [1, 2, 3],
        "more_images": [pictures[:2], None, pictures[2:]],
        "more_image_hashes": [items["image_hash"][3:5], None, items["image_hash"][5:6]],
    }
    features = datasets.Features({"id": items.features["id"], **VIEW_FEATURES})
    views = as_items(datasets.Dataset.from_dict(rows, features))
    place = str(tmp_path / "pictures")
    list(SharedPictures(place).put([items]))
    embedded = embed(views, tmp_path / "views", pictures=place)
    alone = embed_catalog(views, tmp_path / "alone", load_tiny, batch_size=3)
    assert embedded.embeddings.ids.tolist() == [
        key_of(name) for name in ("1, picture 2", "1, picture 3", "3, picture 2")
    ]
    assert [path.name for path in embedded.parts] == [path.name for path in alone.parts]
    assert embedded.embeddings.vectors.tobytes() == alone.embeddings.vectors.tobytes()


def test_what_is_known_is_not_seen_again(items: datasets.Dataset, tmp_path: Path) -> None:
    """Nor is a cluster asked where nothing is left."""
    alone = embed_catalog(items, tmp_path / "alone", load_tiny)
    known = ByPicture(items["image_hash"][:], alone.embeddings.vectors)
    embedded = embed_catalog(
        items, tmp_path / "parts", load_tiny, load_known=lambda _: known, engine=RayEngine()
    )
    assert embedded.embeddings.vectors.tobytes() == alone.embeddings.vectors.tobytes()
    assert len(list((tmp_path / "parts").iterdir())) == 1


def test_a_worker_without_the_weights_is_told_in_a_sentence(
    cluster: Any, items: datasets.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.safetensors").touch()
    with pytest.raises(ClusterError) as raised:
        embed(items, tmp_path / "parts", load_here_alone, workers=1)
    said = str(raised.value)
    assert "cannot load the encoder (There are no weights 'mine.safetensors'): give every" in said
    assert said.endswith("same command goes on from there.")


def test_a_full_disk_is_told_and_nothing_is_lost(
    cluster: Any, items: datasets.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What this machine may write to one file is limited, to less than a part of five items."""
    monkeypatch.setattr(module, "PART_ITEMS", 9)
    pictures = str(tmp_path / "pictures")
    small, large = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (850, large))
        with pytest.raises(StoreError, match="pictures cannot be written: "):
            list(SharedPictures(pictures).put([items]))
        resource.setrlimit(resource.RLIMIT_FSIZE, (small, large))
        list(SharedPictures(pictures).put([items]))
        resource.setrlimit(resource.RLIMIT_FSIZE, (850, large))
        with pytest.raises(StoreError, match="Embeddings cannot be written: "):
            embed(items, tmp_path / "parts", pictures=pictures, workers=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (small, large))
    left = list((tmp_path / "parts").iterdir())
    assert [path.suffix for path in left] in ([], [".safetensors"])  # the smaller part, or none
    embedded = embed_catalog(items, tmp_path / "parts", load_tiny)
    assert embedded.embeddings.ids.tolist() == [row[0] for row in ROWS]


def test_a_killed_worker_and_a_lost_machine_cost_what_they_were_at(
    cluster: Any, items: datasets.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of four parts at a time, two on each machine, no more are made again."""
    monkeypatch.setattr(module, "PART_ITEMS", 1)
    told, lost = tmp_path / "told", next(iter(cluster.worker_nodes))
    told.mkdir()
    (told / "kill").touch()
    removed = threading.Event()

    def lose() -> None:
        while not list(told.glob(f"{lost.node_id}-*")):
            time.sleep(0.02)
        cluster.remove_node(lost, allow_graceful=False)
        removed.set()

    threading.Thread(target=lose, daemon=True).start()
    embedded = embed(items, tmp_path / "parts", LoadTelling(told))
    assert removed.is_set()
    assert not (told / "kill").exists()
    assert embedded.embeddings.ids.tolist() == [row[0] for row in ROWS]
    alone = embed_catalog(items, tmp_path / "alone", load_tiny)
    assert embedded.embeddings.vectors.tobytes() == alone.embeddings.vectors.tobytes()
    seen = len(list(told.iterdir()))
    assert len(ROWS) <= seen <= len(ROWS) + 2


# --- where pictures lie


def test_pictures_are_read_from_whatever_parquet_holds_them(
    items: datasets.Dataset, tmp_path: Path
) -> None:
    """As the Hub has them: many items a file, in row groups; beside other files, and halves."""
    folder = tmp_path / "elsewhere"
    (folder / "data").mkdir(parents=True)
    items.select(range(8)).to_parquet(folder / "data" / "a.parquet", batch_size=3)
    whole = (folder / "data" / "a.parquet").read_bytes()
    (folder / "b.parquet").write_bytes(whole[:-20])
    datasets.Dataset.from_dict({"id": [1]}).to_parquet(folder / "c.parquet")
    place = SharedPictures(str(folder))
    ids, pixels = list(items["id"]), list(items["image_hash"])
    lying = place.find(ids, pixels)
    assert [there is None for there in lying] == [False] * 8 + [True] * 5
    assert len({there[:2] for there in lying if there}) == 3
    lying[8:] = next(place.put([items.select(range(8, 13))]))
    assert place.find(ids, pixels) == lying
    mixed = [12, 3, 4, 0]
    read = place.read([lying[at] for at in mixed], [pixels[at] for at in mixed])
    assert read == [items[at]["image"]["bytes"] for at in mixed]
    with pytest.raises(StoreError, match="changed meanwhile"):
        place.read(lying[:1], pixels[1:2])
    assert place.find([2], pixels[:1]) == [None]


def test_a_place_that_is_away_is_told_without_its_secrets(
    items: datasets.Dataset, tmp_path: Path
) -> None:
    with object_store(dropping=1) as store:
        place = SharedPictures(store.uri("bucket/shop"))
        block = {"at": np.array([0]), "pictures": np.array(['[[["bucket/a", 0, 0]], ["x"]]'])}
        answer = Worker(load_tiny, TinyEncoder.fingerprint, 3, place)(block)
    assert answer["refused"][0].startswith("The pictures in s3://bucket/shop cannot be read: ")
    assert "sesame" not in answer["refused"][0]
    assert answer["refused"][0].endswith(".")
    with object_store(refused={"PUT", "POST"}) as store:
        place = SharedPictures(store.uri("bucket/shop"))
        assert place.find([1], ["x"]) == [None]
        with pytest.raises(StoreError, match=r"cannot be written: .*ACCESS_DENIED"):
            list(place.put([items.select([0])]))
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be written"):
        list(SharedPictures(str(tmp_path / "file")).put([items.select([0])]))
    with pytest.raises(StoreError, match="cannot be read"):
        SharedPictures("nowhere://bucket/shop").find([1], ["x"])


def test_a_place_of_one_machine_alone_is_told(tmp_path: Path) -> None:
    """Pictures were put where the command was given, and are not there for a worker."""
    block = {"at": np.array([0]), "pictures": np.array(['[[["bucket/a.parquet", 0, 0]], ["x"]]'])}
    for place in (str(tmp_path), "memory://bucket"):
        answer = Worker(load_tiny, TinyEncoder.fingerprint, 3, SharedPictures(place))(block)
        assert "name a folder or an address that every machine reaches." in answer["refused"][0]


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        ("Version mismatch: The cluster was started with:\n  Ray: 1.0", "another version of Ray"),
        ("something\nelse", "No Ray cluster answers: see the address in RAY_ADDRESS"),
    ],
)
def test_why_ray_does_not_start_is_told(
    raised: str,
    said: str,
    items: datasets.Dataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ray = pytest.importorskip("ray")

    def refuse(**_: Any) -> None:
        raise RuntimeError(raised)

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", refuse)
    with pytest.raises(ClusterError, match=said):
        embed(items, tmp_path / "parts")


def test_other_weights_are_told(tmp_path: Path) -> None:
    worker = Worker(load_tiny, "another", 3, SharedPictures(str(tmp_path)))
    answer = worker({"at": np.array([0]), "pictures": np.array(["[[], []]"])})
    assert "has other weights than this machine: give every machine" in answer["refused"][0]
