"""Models of others that `transformers` runs: CLIP, SigLIP and DINOv2, from the Hub or a folder.

Weights are read from safetensors only, and no code that comes with them is run. Of a model with
two sides, the one for texts puts words where the other puts pictures of what they say.
"""

import hashlib
import json
import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from recommender.encoding.agreement import Floats
from recommender.encoding.backbone import Device, choose_device, choose_dtype, hash_state
from recommender.encoding.protocol import Encoded, PictureEncoder, Shown
from recommender.errors import WeightsError

log = logging.getLogger(__name__)

Pixels = npt.NDArray[np.uint8]
_LARGEST_BATCH = 256


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """A published model's own preprocessing; sizes are (width, height) in pixels.

    `resize_px` is the size that a picture is brought to, or the length of its shorter side;
    `crop_px` is then cut from its middle.
    """

    resize_px: tuple[int, int] | int
    crop_px: tuple[int, int] | None
    resample: int
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def apply(self, picture: Image.Image) -> Pixels:
        """RGB -> uint8 of shape (h, w, 3)."""
        size = self.resize_px
        if isinstance(size, int):
            scale = size / min(picture.size)
            width, height = (max(size, round(side * scale)) for side in picture.size)
            size = (width, height)
        picture = picture.resize(size, Image.Resampling(self.resample))
        if self.crop_px:
            left, top = ((a - b) // 2 for a, b in zip(picture.size, self.crop_px, strict=True))
            picture = picture.crop((left, top, left + self.crop_px[0], top + self.crop_px[1]))
        return np.asarray(picture)


class Side:
    """One of a model's sides: what it is given -> unit embeddings."""

    def __init__(self, model: nn.Module, asks: str, device: Device, dtype: str) -> None:
        """Args:
        model: is made ready to answer.
        asks: its method for this side; a model of one side is called as it is.
        device: where it runs.
        dtype: what it multiplies in, as `EncoderConfig` has it.
        """
        self.device = choose_device(device)
        self.dtype = choose_dtype(dtype, self.device)
        model.eval().requires_grad_(False).to(self.device)
        self._run: Callable[..., Any] = getattr(model, asks, model)

    def __call__(self, **given: Tensor) -> Floats:
        """Tensors by the names that the model has for them -> float32 of shape (b, dim)."""
        in_bfloat16 = self.dtype == torch.bfloat16
        with (
            torch.inference_mode(),
            torch.autocast(self.device.type, torch.bfloat16, enabled=in_bfloat16),
        ):
            answer = self._run(**{name: t.to(self.device) for name, t in given.items()})
            vectors = answer if isinstance(answer, Tensor) else answer.pooler_output
            unit: Floats = F.normalize(vectors.float()).cpu().numpy()
        return unit


class TextSide:
    """The side of a model that reads: texts in, unit embeddings out. Thread-safe.

    Attributes:
        words: whole words among the pieces that it knows, in lower case.
    """

    def __init__(self, side: Side, tokenizer: Any, longest: int, *, padded: bool) -> None:
        """Args:
        side: what embeds pieces of words.
        tokenizer: of `transformers`.
        longest: pieces of a text that are read.
        padded: whether every text is made so long, as SigLIP has learnt to read them.
        """
        self.words = whole_words(tokenizer.get_vocab())
        self._side, self._tokenizer, self._longest, self._padded = side, tokenizer, longest, padded
        self._lock = threading.Lock()

    @property
    def shown(self) -> Shown:
        """Nothing that its words do not say."""
        return {}

    def __call__(self, texts: Sequence[str]) -> Floats:
        """Encode texts: float32 of shape (b, dim), unit rows."""
        starts = range(0, len(texts), _LARGEST_BATCH)
        return np.concatenate([self._encode(texts[at : at + _LARGEST_BATCH]) for at in starts])

    def _encode(self, texts: Sequence[str]) -> Floats:
        with self._lock:  # its padding is set for each call
            pieces = self._tokenizer(
                [text.lower() for text in texts],
                padding="max_length" if self._padded else "longest",
                truncation=True,
                max_length=self._longest,
                return_tensors="pt",
            )
        # What pads to the full length has learnt to read the padding too.
        there = {} if self._padded else {"attention_mask": pieces["attention_mask"]}
        return self._side(input_ids=pieces["input_ids"], **there)


class TransformersEncoder(PictureEncoder):
    """The picture side of a model that `transformers` runs, with its own preprocessing."""

    def __init__(
        self,
        name: str,
        model: nn.Module,
        preparation: Preparation,
        device: Device,
        dtype: str = "auto",
        texts: TextSide | None = None,
    ) -> None:
        """Args:
        name: under which it is loaded again.
        model: of two sides, or of pictures alone.
        preparation: of pictures.
        device: where it runs.
        dtype: what it multiplies in, as `EncoderConfig` has it.
        texts: its side for texts.
        """
        self.name = name
        self.preparation = preparation
        size = preparation.resize_px
        self.input_px = (size, size) if isinstance(size, int) else size
        self._hash = hash_state(model.state_dict())
        self._config = {"weights": name, "dtype": dtype}
        settings = [self._hash, asdict(preparation), *([dtype] if dtype != "auto" else [])]
        told = json.dumps(settings, sort_keys=True)
        self.fingerprint = hashlib.sha256(told.encode()).hexdigest()[:16]
        # CLIP and SigLIP have two sides; DINOv2 and a lone tower are called as they are.
        self._side, self._texts = Side(model, "get_image_features", device, dtype), texts
        self._mean = torch.tensor(preparation.mean).view(3, 1, 1) * 255
        self._std = torch.tensor(preparation.std).view(3, 1, 1) * 255
        self.dim = self.encode_items([Image.new("RGB", self.input_px, "white")]).vectors.shape[1]

    @property
    def texts(self) -> TextSide | None:
        """What puts words where pictures of what they say are; None where it cannot read."""
        return self._texts

    def prepare(self, picture: Image.Image) -> Pixels:
        """RGB -> uint8 of shape (h, w, 3)."""
        return self.preparation.apply(picture)

    def encode_prepared(self, prepared: Pixels) -> Encoded:
        """uint8 of shape (b, h, w, 3) -> embeddings; nothing is believed."""
        pixels = torch.from_numpy(prepared).to(self._side.device).permute(0, 3, 1, 2).float()
        mean, std = (t.to(pixels.device) for t in (self._mean, self._std))
        return Encoded(self._side(pixel_values=(pixels - mean) / std), {})

    def record(self) -> dict[str, Any]:
        """What a manifest or a report says of it: enough to load it again and to tell another."""
        return {
            "config": self._config,
            "preparation": asdict(self.preparation),
            "fingerprint": self.fingerprint,
            "weights_hash": self._hash,
        }


class Origin(NamedTuple):
    """Where a model is: a folder, or a repo of the Hub at a commit."""

    place: str
    revision: str | None

    def __str__(self) -> str:
        return f"{self.place}@{self.revision}" if self.revision else self.place


def origin_of(name: str, files: Sequence[str]) -> Origin:
    """Where a model is.

    Args:
        name: a folder, `OWNER/NAME` or `OWNER/NAME@REVISION`, which is pinned to a commit.
        files: any of which it has.

    Raises:
        Exception: whatever the Hub and `transformers` let through.
    """
    from transformers.utils.hub import cached_file, extract_commit_hash

    if Path(name).is_dir():
        return Origin(str(Path(name).absolute()), None)
    place, _, revision = name.partition("@")
    missing_is = {"_raise_exceptions_for_missing_entries": False}
    found = (cached_file(place, file, revision=revision or None, **missing_is) for file in files)
    if (path := next((path for path in found if path), None)) is None:
        raise FileNotFoundError(f"there is no {files[0]}")
    return Origin(place, extract_commit_hash(path, None) or revision or None)


def load_transformers(
    name: str, *, device: Device = "auto", dtype: str = "auto"
) -> TransformersEncoder:
    """A CLIP, SigLIP or DINOv2 checkpoint of `transformers`, from the Hub or a folder.

    Args:
        name: as `origin_of` takes it.
        device: where it runs.
        dtype: what it multiplies in.

    Raises:
        WeightsError: it cannot be had, or is of another kind.
    """
    import transformers  # heavy, and only this road needs it

    try:
        origin = origin_of(name, ["config.json"])
        at: dict[str, Any] = {"revision": origin.revision or "main", "trust_remote_code": False}
        model = transformers.AutoModel.from_pretrained(
            origin.place, use_safetensors=True, dtype=torch.float32, **at
        )
        processor = transformers.AutoImageProcessor.from_pretrained(origin.place, **at)
        settings = processor.to_dict()
        size = dict(settings["size"])
        crop = dict(settings["crop_size"]) if settings.get("do_center_crop") else None
        preparation = Preparation(
            resize_px=size.get("shortest_edge") or (size["width"], size["height"]),
            crop_px=(crop["width"], crop["height"]) if crop else None,
            resample=int(processor.resample),
            mean=tuple(processor.image_mean),
            std=tuple(processor.image_std),
        )
        texts = None
        if hasattr(model, "get_text_features"):
            texts = text_side(model, origin, model.config.text_config, device, dtype)
        named = f"transformers:{origin}"
        return TransformersEncoder(named, model, preparation, device, dtype, texts)
    except Exception as error:  # transformers and the Hub let every kind of error through
        raise cannot_be_had(name, error) from error


def text_side(
    model: nn.Module, origin: Origin, config: Any, device: Device, dtype: str
) -> TextSide | None:
    """The side for texts of a model, None where its tokenizer is not there, which is said.

    Args:
        model: of two sides, or of texts alone.
        origin: where its tokenizer is.
        config: of the side for texts.
        device: where it runs.
        dtype: what it multiplies in.
    """
    import transformers

    try:
        # What tokenizer.json says, whatever class of which library its model names besides.
        tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained(
            origin.place, revision=origin.revision or "main"
        )
        if tokenizer.pad_token is None:
            tokenizer.pad_token = tokenizer.eos_token
        padded = config.model_type.startswith("siglip")
        side = Side(model, "get_text_features", device, dtype)
        texts = TextSide(side, tokenizer, config.max_position_embeddings, padded=padded)
        texts(["a word", "and a few more"])
        return texts
    except Exception as error:  # as of `load_transformers`
        log.warning(
            "%s has no tokenizer.json that its side for texts can read by (%s): words are served "
            "by what they state and by the items' texts.",
            origin.place,
            type(error).__name__,
        )
        return None


def cannot_be_had(name: str, error: Exception) -> WeightsError:
    """What is said of a model that is not there, or is none."""
    return WeightsError(
        f"The model {name} cannot be had ({type(error).__name__}): see that it is a CLIP, SigLIP "
        "or DINOv2 checkpoint in safetensors (open_clip:NAME for a SigLIP that OpenCLIP wrote) and "
        "that the Hub can be reached, or name a folder."
    )


def whole_words(pieces: Iterable[str]) -> frozenset[str]:
    """The words of more than two letters that are one piece, however their beginning is marked.

    >>> sorted(whole_words(["shirt</w>", "ed", "a</w>"])), sorted(whole_words(["▁Kurta", "ed"]))
    (['shirt'], ['kurta'])
    """
    known = list(pieces)
    ends = [piece.removesuffix("</w>") for piece in known if piece.endswith("</w>")]
    begins = [piece[1:] for piece in known if piece.startswith("▁")]
    words = (word.lower() for word in ends or begins or known)
    return frozenset(word for word in words if len(word) > 2 and word.isalpha())
