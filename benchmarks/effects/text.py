"""Questions of six kinds (TREC), for techniques that act on the vectors of tokens."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from benchmarks.effects.problems import Data
from benchmarks.effects.train import _accuracy, _calibration, fit
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from temperance import Recipe

WORDS = "trec6: 800 questions of six kinds (text), a net of one attention layer"
PADDING, UNKNOWN, LONG, ROWS, EPOCHS, HIDDEN = 0, 1, 16, 800, 30, 0.2


class Text(nn.Module):
    """Embedding, one layer of attention, mean over the words. Shapes: ids (b, t) → (b, 6)."""

    def __init__(self, words: int, width: int = 64) -> None:
        super().__init__()
        self.words = nn.Embedding(words, width, padding_idx=PADDING)
        self.layer = nn.TransformerEncoderLayer(width, 4, 2 * width, 0.0, batch_first=True)
        self.head = nn.Linear(width, 6)
        self.config = SimpleNamespace(pad_token_id=PADDING, unk_token_id=UNKNOWN)

    def forward(self, ids: Tensor) -> Tensor:
        there = ids != PADDING
        hidden = self.layer(self.words(ids), src_key_padding_mask=~there) * there.unsqueeze(-1)
        return self.head(hidden.sum(1) / there.sum(1, keepdim=True))  # type: ignore[no-any-return]


@cache
def read(folder: Path) -> tuple[list[list[str]], np.ndarray] | None:
    import polars as pl

    place = folder / "trec6" / "data.parquet"
    if not place.exists():
        return None
    frame = pl.read_parquet(place)
    texts = [re.findall(r"[a-z0-9]+|[^\sa-z0-9]", text.lower())[:LONG] for text in frame["text"]]
    return texts, frame["label"].to_numpy().astype(np.int64)


def questions(folder: Path, recipe: Recipe, seed: int) -> dict[str, float] | None:
    """Return the figures on 3000 other questions; ``noisy``: accuracy where a fifth of their words is unknown."""
    found = read(folder)
    if found is None:
        return None
    texts, y = found
    order = np.random.default_rng(1000 + seed).permutation(len(texts))
    train, test = order[:ROWS], order[ROWS : ROWS + 3000]
    seen = Counter(word for i in train for word in texts[i])
    number = {word: i + 2 for i, word in enumerate(word for word, count in seen.most_common() if count > 1)}
    ids = torch.zeros(len(texts), LONG, dtype=torch.int64)
    for i, words in enumerate(texts):
        ids[i, : len(words)] = torch.tensor([number.get(word, UNKNOWN) for word in words])
    x, answers = (ids[train], ids[test]), (torch.from_numpy(y[train]), torch.from_numpy(y[test]))
    torch.manual_seed(seed)
    model = fit(recipe, Text(len(number) + 2), Data(x[0], answers[0], x[1], answers[1], 6), EPOCHS, seed)
    drawn = torch.rand(x[1].shape, generator=torch.Generator().manual_seed(seed))
    hidden = torch.where((drawn < HIDDEN) & (x[1] != PADDING), UNKNOWN, x[1])
    with torch.no_grad():
        out, noisy = model(x[1]), model(hidden)
    return {
        "accuracy": _accuracy(out, answers[1]),
        "log_loss": float(F.cross_entropy(out.double(), answers[1])),
        "calibration": _calibration(out, answers[1]),
        "noisy": _accuracy(noisy, answers[1]),
    }
