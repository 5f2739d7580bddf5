"""Train the text tower: a product's words shall land where the encoder puts its picture.

The picture side is frozen: its embeddings are the store's own. A text's partners are all items
that it is true of: those of its name, or those that have all the values that a caption names. The
loss is minus the log of the share that they have of the softmax over many items.
Source: Miech et al., End-to-End Learning of Visual Representations, CVPR 2020 (MIL-NCE).

The split is by name group (`catalog.split_names`), so nothing that is scored later was seen here.
"""

import math
import re
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm.auto import tqdm

from recommender.catalog.splits import name_groups, split_names
from recommender.encoding.text import TextConfig, TextNet, pieces_of, write_text_encoder
from recommender.errors import TrainingError
from recommender.files import whole_file
from recommender.schema import Column
from recommender.training.run import Run

Ints = np.ndarray[Any, np.dtype[np.int64]]
_NAME = "productDisplayName"
_WATCHED = 2000
_SPOKEN = {"Tshirts": ("t-shirt", "tee", "tshirt"), "Navy Blue": ("navy", "navy blue")}
"""Values as people say them, besides as they are written and without the plural."""


@dataclass(frozen=True, kw_only=True)
class TextTraining:
    """A run.

    `names`, `captions` are the shares of texts that are a product's name and of those that name
    some of its values; the others are a few words of its further texts, or of its name where it has
    none. `bank` is how many items a text is compared with at a step.
    """

    epochs: int = 8
    batch_size: int = 256
    bank: int = 4096
    peak_lr: float = 3e-3
    weight_decay: float = 0.01
    names: float = 0.45
    captions: float = 0.45
    average_share: float = 0.15
    vocabulary: int = 4000
    width: int = 128
    layers: int = 1
    heads: int = 4
    longest: int = 16
    seed: int = 0


class _Texts:
    """What is said of a catalog's items, and of which of them each text is true."""

    def __init__(self, frame: pd.DataFrame, columns: Sequence[Column], seed: int) -> None:
        self._random = np.random.default_rng(seed)
        kinds: dict[str, list[str]] = {"choice": [], "text": []}
        for column in columns:
            if column.kind in kinds and column.name != _NAME:
                kinds[column.kind].append(column.name)
        self.names = [name or "" for name in frame[_NAME]]
        self.groups = name_groups(frame)
        coded = [pd.factorize(frame[name]) for name in kinds["choice"]]
        coded = [pair for pair in coded if len(pair[1]) > 1]  # else it tells nothing
        self.codes = np.stack([codes for codes, _ in coded], 1)  # (n, columns), -1 where missing
        self._values = [list(values) for _, values in coded]
        # Each column is named as often as items have it, none more than twice as often as another.
        self._weights = np.clip((self.codes >= 0).mean(0), 0.2, 0.4)
        texts: Sequence[str] = []
        if kinds["text"]:
            texts = frame[kinds["text"]].fillna("").agg(" ".join, axis=1).tolist()
        self._others = [re.findall(r"[^.;\n]+", text) for text in texts] or [[]] * len(frame)

    def draw(self, rows: Ints, config: TextTraining) -> tuple[list[str], Ints]:
        """A text of each row, and the codes that an item has to have for it to be true.

        Returns:
            The codes are of shape (b, columns), -1 where anything will do; a row of -1 is a text of
            that item, which is true of its name group.
        """
        wanted = np.full((len(rows), self.codes.shape[1]), -1)
        texts: list[str] = []
        for i, (row, kind) in enumerate(zip(rows, self._random.random(len(rows)), strict=True)):
            if kind < config.captions:
                texts.append(self._caption(row, wanted[i]))
            elif kind < config.captions + config.names or not self._others[row]:
                texts.append(self._some(self.names[row]))
            else:
                texts.append(str(self._random.choice(self._others[row])))
        return texts, wanted

    def _caption(self, row: int, wanted: Ints) -> str:
        has = np.flatnonzero(self.codes[row] >= 0)
        weights = self._weights[has] / self._weights[has].sum()
        count = min(len(has), int(self._random.choice([1, 2, 3, 4], p=[0.3, 0.4, 0.2, 0.1])))
        chosen = self._random.choice(has, count, replace=False, p=weights)
        wanted[chosen] = self.codes[row, chosen]
        return " ".join(self._said(self._values[c][self.codes[row, c]]) for c in chosen)

    def _said(self, value: str) -> str:
        """A value as one of the ways in which it is said."""
        ways = [value, re.sub(r"(?<=[a-z])s\b", "", value), *_SPOKEN.get(value, ())]
        return str(self._random.choice(ways))

    def _some(self, name: str) -> str:
        """A name, every other time without some of its words."""
        words = name.split()
        kept = [word for word in words if self._random.random() > 0.25]
        return " ".join(kept if kept and self._random.random() < 0.5 else words)


def train_text(
    frame: pd.DataFrame,
    columns: Sequence[Column],
    vectors: np.ndarray[Any, np.dtype[np.float32]],
    fingerprint: str,
    directory: Path,
    config: TextTraining,
) -> dict[str, Any]:
    """Train on the train split; killed, it goes on after the last epoch.

    Args:
        frame: a catalog's columns, row by row with the embeddings.
        columns: which those are.
        vectors: float32 of shape (n, dim), the encoder's own embeddings of the pictures.
        fingerprint: of that encoder.
        directory: takes `words.safetensors`, the checkpoint and `history.json`.
        config: the run.

    Returns:
        The last epoch's figures.

    Raises:
        TrainingError: there is nothing to train on.
    """
    splits = split_names(frame)
    train = np.flatnonzero(splits == "train")
    if len(train) < 2:
        raise TrainingError("There are too few items to train on: at least two are needed.")
    torch.manual_seed(config.seed)
    texts = _Texts(frame, columns, config.seed)
    tokenizer = _tokenizer(texts, train, config, directory / "tokenizer.json")
    shape = TextConfig(
        dim=vectors.shape[1],
        vocabulary=tokenizer.get_vocab_size(),
        **{name: getattr(config, name) for name in ("width", "layers", "heads", "longest")},
    )
    net, scale = TextNet(shape), nn.Parameter(torch.tensor(math.log(20.0)))
    net.register_parameter("scale", scale)  # the inverse temperature, learnt
    run = _start(net, directory, {**asdict(config), "encoder": fingerprint}, len(train))
    gallery = torch.tensor(vectors)  # a copy, as a store's own are on disk and read alone
    history = run.resume()
    random = np.random.default_rng([config.seed, len(history)])
    for epoch in range(len(history), config.epochs):
        started, losses = time.perf_counter(), []
        run.net.train()
        for rows in tqdm(_batches(train, config.batch_size, random), f"epoch {epoch + 1}"):
            bank = np.unique(np.concatenate([rows, random.choice(train, config.bank)]))
            said, wanted = texts.draw(rows, config)
            found = run.net(*pieces_of(tokenizer, said))
            loss = _loss(found, scale, gallery[bank], _true_of(texts, rows, wanted, bank))
            run.step(loss, longest=1.0)
            losses.append(loss.item())
        figures = {"epoch": epoch + 1, "loss": round(float(np.mean(losses)), 4)}
        figures |= _watch(run.average.module, tokenizer, texts, splits, gallery)
        history.append(figures | {"seconds": round(time.perf_counter() - started)})
        run.save(history)
    state = {name: t for name, t in run.average.module.state_dict().items() if name != "scale"}
    path, told = directory / "words.safetensors", {**asdict(config), **history[-1]}
    write_text_encoder(path, shape, state, tokenizer.to_str(), fingerprint, trained=told)
    return dict(history[-1])


def _start(net: TextNet, directory: Path, settings: dict[str, Any], items: int) -> Run:
    steps = max(6, settings["epochs"] * math.ceil(items / settings["batch_size"]))
    optimizer = torch.optim.AdamW(
        net.parameters(), settings["peak_lr"], weight_decay=settings["weight_decay"]
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, settings["peak_lr"], total_steps=steps, pct_start=0.15, cycle_momentum=False
    )
    decay = 1 - 1 / max(settings["average_share"] * steps, 1)
    ema = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
    average = AveragedModel(net, multi_avg_fn=ema, use_buffers=True)
    optimizer.register_step_post_hook(lambda *_: average.update_parameters(net))
    return Run(net, average, optimizer, schedule, directory, settings)


def _batches(rows: Ints, size: int, random: np.random.Generator) -> list[Ints]:
    return np.array_split(random.permutation(rows), math.ceil(len(rows) / size))


def _true_of(texts: _Texts, rows: Ints, wanted: Ints, bank: Ints) -> Tensor:
    """Of which items of the bank each text is true: bool of shape (b, m)."""
    same = texts.groups[rows][:, None] == texts.groups[bank][None]
    captions = np.flatnonzero((wanted >= 0).any(1))
    for i in captions:
        named = np.flatnonzero(wanted[i] >= 0)
        same[i] = (texts.codes[bank][:, named] == wanted[i, named]).all(1)
    return torch.from_numpy(same)


def _loss(found: Tensor, scale: Tensor, bank: Tensor, true: Tensor) -> Tensor:
    logits = scale.clamp(max=math.log(100)).exp() * found @ bank.T  # (b, m)
    right = logits.masked_fill(~true, -torch.inf).logsumexp(1)
    return (logits.logsumexp(1) - right).mean()


def _watch(
    net: nn.Module, tokenizer: Tokenizer, texts: _Texts, splits: Any, gallery: Tensor
) -> dict[str, float]:
    """How often one of a dev name's items is among the ten found of all of the gallery."""
    dev = np.flatnonzero(splits == "dev")
    firsts = dev[np.unique(texts.groups[dev], return_index=True)[1]][:_WATCHED]
    if not len(firsts):
        return {}
    net.eval()
    hits = []
    with torch.inference_mode():
        for rows in np.array_split(firsts, math.ceil(len(firsts) / 256)):
            found = net(*pieces_of(tokenizer, [texts.names[row] for row in rows]))
            best = (found @ gallery.T).topk(min(10, len(gallery)), dim=1).indices.numpy()
            hits += (texts.groups[best] == texts.groups[rows][:, None]).any(1).tolist()
    return {"dev hit@10": round(float(np.mean(hits)), 4)}


def _tokenizer(texts: _Texts, rows: Ints, config: TextTraining, path: Path) -> Tokenizer:
    """WordPiece on the words of the train split alone; that of a run that goes on is there."""
    if path.is_file():
        return Tokenizer.from_file(str(path))
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))  # noqa: S106 - is no password
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(
        vocab_size=config.vocabulary,
        special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]"],
        show_progress=False,
    )
    own = [[texts.names[row], *texts._others[row][:4]] for row in rows]
    captions = [[texts._caption(row, np.full(texts.codes.shape[1], -1))] for row in rows]
    tokenizer.train_from_iterator((text for many in own + captions for text in many), trainer)
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.enable_truncation(config.longest)
    tokenizer.enable_padding(pad_id=0)
    with whole_file(path) as building:
        tokenizer.save(str(building))
    return tokenizer
