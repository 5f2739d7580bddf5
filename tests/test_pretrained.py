"""Tiny local checkpoints of the architectures that others' models have: compared, built, served."""

import shutil
from pathlib import Path

import huggingface_hub
import numpy as np
import pytest
import timm
import torch
import transformers
from conftest import ROWS, draw_picture
from hub_server import Repo, hub_server
from PIL import Image
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from torch import nn

from recommender.encoding.named import OF_OTHERS, load_named
from recommender.encoding.open_clip import load_open_clip, siglip_text_from_open_clip
from recommender.encoding.pretrained import Preparation, load_transformers
from recommender.errors import QueryError, StoreError, WeightsError
from recommender.evaluation.baselines import load_any_encoder, open_with
from recommender.evaluation.words import by_image_alone
from recommender.hub import parcel
from recommender.hub.parcel import pack
from recommender.pictures.decode import decode_image
from recommender.search.leaning import leaning
from recommender.search.options import Options
from recommender.service.answers import Service
from recommender.service.open import check_servable, load_recommender
from recommender.store.store import Store
from scripts import build_index

PICTURES = [decode_image(draw_picture(row)) for row in ROWS[:4]]
TOWER = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 32,
    "patch_size": 8,
}
WORDS = {k: TOWER[k] for k in list(TOWER)[:4]}
WORDS |= {"vocab_size": 99, "max_position_embeddings": 12, "bos_token_id": 0, "eos_token_id": 1}
TEXTS = ["red shirt", "a black shoe for men", "Zebra stripes"]


def write_tokenizer(folder: Path) -> None:
    """Pieces of words, whose ends are marked as CLIP's are, between a beginning and an end."""
    tokenizer = Tokenizer(models.BPE(unk_token="<?>", end_of_word_suffix="</w>"))  # noqa: S106
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.BpeTrainer(
        vocab_size=99,
        special_tokens=["<s>", "</s>", "<?>"],
        end_of_word_suffix="</w>",
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXTS * 3, trainer)
    tokenizer.post_processor = processors.BertProcessing(("</s>", 1), ("<s>", 0))
    special = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<?>", "pad_token": "</s>"}
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special)
    fast.save_pretrained(folder)


def clip(folder: Path) -> None:
    config = transformers.CLIPConfig(
        text_config=WORDS,
        vision_config=TOWER,
        projection_dim=24,
    )
    transformers.CLIPModel(config).save_pretrained(folder)
    size = {"shortest_edge": 32}, {"height": 32, "width": 32}
    processor = transformers.CLIPImageProcessor(size=size[0], crop_size=size[1])
    processor.save_pretrained(folder)
    write_tokenizer(folder)


def siglip(folder: Path) -> None:
    config = transformers.SiglipConfig(text_config=WORDS, vision_config=TOWER)
    transformers.SiglipModel(config).save_pretrained(folder)
    size = {"height": 32, "width": 32}
    transformers.SiglipImageProcessor(size=size).save_pretrained(folder)
    write_tokenizer(folder)


def dinov2(folder: Path) -> None:
    transformers.Dinov2Model(transformers.Dinov2Config(**TOWER)).save_pretrained(folder)
    size = {"shortest_edge": 40}, {"height": 32, "width": 32}
    processor = transformers.BitImageProcessor(size=size[0], crop_size=size[1])
    processor.save_pretrained(folder)


def read_by_library(folder: Path) -> np.ndarray:
    """What its library makes of `TEXTS`, in its own way."""
    tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained(folder)
    model = transformers.AutoModel.from_pretrained(folder).eval()
    full = model.config.model_type == "siglip"
    padding = {"padding": "max_length", "max_length": 12} if full else {"padding": True}
    pieces = tokenizer(TEXTS, return_tensors="pt", **padding)
    given = {"input_ids": pieces["input_ids"]} if full else pieces
    given.pop("token_type_ids", None)
    with torch.inference_mode():
        vectors = model.get_text_features(**given).pooler_output.numpy()
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def reference(folder: Path) -> np.ndarray:
    """The same by the library's own processor."""
    processor = transformers.AutoImageProcessor.from_pretrained(folder)
    model = transformers.AutoModel.from_pretrained(folder).eval()
    pixels = processor(images=PICTURES, return_tensors="pt")
    with torch.inference_mode():
        run = getattr(model, "get_image_features", model)
        vectors = run(**pixels).pooler_output.numpy()
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.parametrize(("make", "dim"), [(clip, 24), (siglip, 32), (dinov2, 32)])
def test_a_checkpoint_means_what_its_library_says(make, dim, tmp_path: Path, store: Path) -> None:
    torch.manual_seed(0)
    folder = tmp_path / "model"
    make(folder)
    encoder = load_transformers(str(folder), device="cpu")
    vectors = encoder.encode_items(PICTURES).vectors
    assert vectors.shape == (4, encoder.dim) == (4, dim)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    # bfloat16 here, and another library's resampling there
    assert (vectors * reference(folder)).sum(1) == pytest.approx(1, abs=0.02)
    again = load_any_encoder(f"transformers:{folder}", device="cpu")
    assert again.fingerprint == encoder.fingerprint
    assert encoder.record()["config"]["weights"] == f"transformers:{folder}"
    assert len(open_with(store, again, tmp_path / "cache").by_id(1, Options(k=3)).ids) == 3


@pytest.mark.parametrize("make", [clip, siglip])
def test_what_it_reads_is_where_its_library_puts_it(make, tmp_path: Path) -> None:
    torch.manual_seed(1)
    make(tmp_path / "model")
    texts = load_named(f"transformers:{tmp_path / 'model'}", device="cpu", dtype="float32").texts
    assert texts is not None
    assert texts.words >= {"red", "black", "shirt", "shoe", "zebra", "stripes", "men", "for"}
    assert texts(TEXTS) == pytest.approx(read_by_library(tmp_path / "model"), abs=1e-5)
    alone = np.concatenate([texts([text]) for text in TEXTS])
    assert texts(TEXTS) == pytest.approx(alone, abs=1e-5), "whoever else is read beside"
    assert texts(["red " * 500]).shape == (1, texts(["red"]).shape[1])


def test_a_model_that_cannot_read_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clip(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{}")
    encoder = load_transformers(str(tmp_path), device="cpu")
    assert encoder.texts is None
    assert "words are served by what they state" in caplog.text
    dinov2(tmp_path / "dinov2")
    assert load_transformers(str(tmp_path / "dinov2"), device="cpu").texts is None


@pytest.fixture(scope="module")
def served(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`ROWS` as a store that was built with a CLIP of a folder."""
    torch.manual_seed(2)
    directory, folder = tmp_path_factory.mktemp("clip"), tmp_path_factory.mktemp("model")
    clip(folder)
    shutil.copytree(store / "catalog", directory / "catalog")
    argv = ["--data", str(directory), "--encoder", f"transformers:{folder}", "--device", "cpu"]
    assert build_index.main(argv) == 0
    return directory


def test_a_clip_is_served_by_both_of_its_sides(served: Path) -> None:
    engine = load_recommender(served, device="cpu")
    assert engine.rankings == ("image",)
    assert engine.texts is not None
    # Of items of which nothing is known, words find what the model finds.
    alone = by_image_alone(engine, engine.texts)
    hits = alone.by_text("zebra stripes", Options(k=5, repeats=True))
    cosines = engine.index.vectors @ engine.texts(["zebra stripes"])[0]
    assert hits.rows.tolist() == np.argsort(-cosines, kind="stable")[:5].tolist()
    # What they state comes first, though no picture is believed to show it.
    answer = Service(engine).recommend_by_text("black shoes", "http://here", Options(k=1))
    assert answer["results"][0]["id"] == 5
    assert answer["query"]["stated"][0]["column"] == "baseColour"
    with pytest.raises(QueryError, match="ranked by image only: its encoder has no heads"):
        engine.by_id(1, Options(ranking="hybrid"))
    assert engine.by_id(1, Options(k=2), text="but in green").ids.tolist()[0] == 10


def test_words_move_what_a_picture_asks_of_a_clip(served: Path) -> None:
    engine = load_recommender(served, device="cpu")
    assert engine.texts is not None
    seen, zebra = engine.see(PICTURES[:2]), engine.texts(["zebra stripes"])
    moved = engine.but(seen, "but with zebra stripes, not red")
    assert (moved.vectors @ zebra.T > seen.vectors @ zebra.T).all()
    assert moved.vectors == pytest.approx(leaning(seen.vectors, zebra, engine.index.vectors))
    # What a column states comes first by that column, and nobody reads what is not understood.
    for text in ("but in black", "qqqq"):
        assert engine.but(seen, text).vectors.tolist() == seen.vectors.tolist()
    # Page and API ask by the one corridor, a picture as an item does.
    alone = by_image_alone(engine, engine.texts)
    for hits in (
        alone.by_image(PICTURES[0], Options(k=5), text="zebra stripes"),
        alone.by_id(1, Options(k=5), text="zebra stripes"),
    ):
        assert len(hits) == 5
    [asked] = alone.but(alone.like(0), "zebra stripes").vectors
    products = engine.index.vectors @ asked
    expected = [row for row in np.argsort(-products, kind="stable") if row != 0]
    hits = alone.by_id(1, Options(k=5, repeats=True), text="zebra stripes")
    assert hits.rows.tolist() == expected[:5]


def test_a_mixture_is_near_what_is_like_both() -> None:
    """However little words tell items apart, beside what pictures do."""
    shirt, shoe, red = np.eye(4, dtype=np.float32)[:3]
    for gap in (1.0, 0.1):  # of a model that puts words far from pictures, and near each other
        words = gap * red + np.sqrt(1 - gap**2) * np.eye(4, dtype=np.float32)[3]
        gallery = np.stack([shirt, shoe, shirt + red, shoe + red]).astype(np.float32)
        gallery /= np.linalg.norm(gallery, axis=1, keepdims=True)
        [asked] = leaning(shirt[None], words[None], gallery)
        assert np.linalg.norm(asked) == pytest.approx(1)
        assert np.argsort(-(gallery @ asked))[0] == 2
    same = leaning(shirt[None], red[None], np.stack([shirt, shirt]))
    assert np.isfinite(same).all()


def test_a_store_says_which_model_it_is_of(served: Path, capsys: pytest.CaptureFixture) -> None:
    store = Store.open(served)
    check_servable(store.manifest)
    assert store.manifest.encoder["config"]["weights"].startswith("transformers:/")
    with pytest.raises(StoreError, match="a folder of this machine, which nobody else has"):
        pack(store)
    assert set(parcel._OF_OTHERS) == OF_OTHERS.keys()
    argv = ["--data", str(served), "--encoder", "transformers:x", "--pooling", "max"]
    assert build_index.main(argv) == 1
    assert "takes no setting such as pooling" in capsys.readouterr().err


def test_a_model_of_the_hub_is_pinned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(3)
    clip(tmp_path / "model")
    files = {path.name: path.read_bytes() for path in (tmp_path / "model").iterdir()}
    constants = huggingface_hub.constants
    with hub_server() as hub, monkeypatch.context() as patch:
        repo = hub.repos["models/shop/clip"] = Repo(private=False)
        commit = repo.commit(files)
        repo.commit({})  # since then it is gone
        patch.setattr(constants, "HF_HUB_OFFLINE", False)
        patch.setattr(constants, "ENDPOINT", hub.address)
        template = hub.address + "/{repo_id}/resolve/{revision}/{filename}"
        patch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        patch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        there = load_named(f"transformers:shop/clip@{commit}", device="cpu")
    here = load_named(f"transformers:{tmp_path / 'model'}", device="cpu")
    name = there.record()["config"]["weights"]
    assert name == f"transformers:shop/clip@{commit}"
    assert not parcel._is_path(name)
    assert there.fingerprint == here.fingerprint
    assert there.texts is not None


def test_open_clip_s_texts_are_read_as_there() -> None:
    """Beside the layers of PyTorch that OpenCLIP's are made of."""
    torch.manual_seed(0)
    block = nn.TransformerEncoderLayer(
        64,
        1,
        96,
        dropout=0,
        activation="gelu",
        layer_norm_eps=1e-6,
        batch_first=True,
        norm_first=True,
    ).eval()
    for parameter in block.parameters():
        nn.init.normal_(parameter, std=0.2)
    names = {"norm1": "ln_1", "norm2": "ln_2", "linear1": "mlp.c_fc", "linear2": "mlp.c_proj"}
    names |= {"self_attn.out_proj": "attn.out_proj"}
    state = {}
    for name, tensor in block.state_dict().items():
        inner, _, end = name.rpartition(".")
        other = f"attn.{end}" if inner == "self_attn" else f"{names[inner]}.{end}"
        state[f"model.text.transformer.resblocks.0.{other}"] = tensor
    pieces, places = torch.randn(20, 64), torch.randn(6, 64)
    last, head = nn.LayerNorm(64, eps=1e-6), nn.Linear(64, 24)
    state |= {"model.text.token_embedding.weight": pieces}
    state |= {"model.text.positional_embedding": places}
    for name, layer in {"ln_final": last, "text_projection": head}.items():
        state |= {f"model.text.{name}.{end}": t for end, t in layer.state_dict().items()}
    settings, renamed = siglip_text_from_open_clip({**state, "model.logit_scale": torch.ones(1)})
    model = transformers.SiglipTextModel(transformers.SiglipTextConfig(**settings)).eval()
    level = "text_model." if hasattr(model, "text_model") else ""
    model.load_state_dict({level + name: t for name, t in renamed.items()}, strict=True)
    asked = torch.randint(0, 20, (3, 6))
    with torch.inference_mode():
        expected = head(last(block(pieces[asked] + places))[:, -1])
        found = model(input_ids=asked).pooler_output
    assert found.numpy() == pytest.approx(expected.numpy(), abs=1e-4)


def test_open_clip_s_siglip_is_timm_s(tmp_path: Path) -> None:
    torch.manual_seed(0)
    size = {"img_size": 32, "patch_size": 8, "embed_dim": 64, "depth": 2, "num_heads": 1}
    model = timm.create_model("vit_base_patch16_siglip_224", num_classes=0, **size).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    state = {f"model.visual.trunk.{n}": t for n, t in model.state_dict().items()}
    folder = tmp_path / "model"
    folder.mkdir()
    save_file(state | {"model.logit_scale": torch.ones(1)}, folder / "model.safetensors")
    encoder = load_open_clip(str(folder), device="cpu", dtype="float32")
    prepared = np.stack([encoder.prepare(picture) for picture in PICTURES])
    with torch.inference_mode():
        pixels = torch.from_numpy(prepared).permute(0, 3, 1, 2).float() / 127.5 - 1
        expected = torch.nn.functional.normalize(model(pixels)).numpy()
        assert encoder.encode_prepared(prepared).vectors == pytest.approx(expected, abs=1e-4)
    assert np.ptp(expected, axis=0).max() > 0.01


@pytest.mark.parametrize("name", ["transformers:nobody/nothing", "open_clip:nobody/nothing"])
def test_a_model_that_cannot_be_had(name: str, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="nobody/nothing cannot be had"):
        load_any_encoder(name)
    kind = name.split(":")[0]
    (tmp_path / "model.safetensors").write_bytes(b"nonsense")
    with pytest.raises(WeightsError, match="or name a folder"):
        load_any_encoder(f"{kind}:{tmp_path}")


def test_a_preparation_scales_then_cuts() -> None:
    settings = {"resample": 3, "mean": (0.5,) * 3, "std": (0.5,) * 3}
    cut = Preparation(resize_px=40, crop_px=(32, 32), **settings)
    picture = Image.new("RGB", (80, 200), "white")
    picture.paste("red", (0, 80, 80, 120))  # the middle fifth
    prepared = cut.apply(picture)  # 80×200 -> 40×100 -> its middle 32×32
    assert prepared.shape == (32, 32, 3)
    assert (prepared[16, 16] == [255, 0, 0]).all()
    assert (prepared[0, 0] == 255).all()
    stretched = Preparation(resize_px=(24, 48), crop_px=None, **settings)
    assert stretched.apply(picture).shape == (48, 24, 3)
