"""Token dropout: the share, what is spared, which id stands for a hidden token, and vectors of 0."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from temperance import Recipe, TokenDropout
from temperance.core.embedding import OnEmbeddings
from temperance.records.errors import RecipeError, SettingError

PAD, BEGIN, UNKNOWN = 0, 1, 2


class Text(nn.Module):
    """Keeps the ids and vectors that it saw. Shapes: ids (b, t) → (b, 3)."""

    def __init__(self, **config):
        super().__init__()
        torch.manual_seed(0)
        self.words, self.head = nn.Embedding(40, 4, padding_idx=PAD), nn.Linear(4, 3)
        self.config = SimpleNamespace(**config)

    def forward(self, ids):
        self.ids, self.vectors = ids, self.words(ids)
        return self.head(self.vectors.mean(1))


def texts(rows=400):
    ids = torch.randint(3, 40, (rows, 10), generator=torch.Generator().manual_seed(3))
    ids[:, 0] = BEGIN
    ids[:, 7:] = PAD
    return ids


def step(one, model):
    session = Recipe(one).attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=F.cross_entropy)
    ids = texts()
    with pytest.warns(OnEmbeddings) as said:
        session.step((ids, torch.zeros(len(ids), dtype=torch.int64)))
    assert torch.equal(ids, texts())  # the user's batch is not touched
    return ids, " ".join(str(one.message) for one in said)


def test_a_share_of_the_tokens_becomes_the_unknown_one():
    model = Text(bos_token_id=BEGIN, unk_token_id=UNKNOWN)
    ids, said = step(TokenDropout(0.3, special=(5,)), model)
    hidden = model.ids != ids
    assert bool((model.ids[hidden] == UNKNOWN).all())
    spared = (ids == PAD) | (ids == BEGIN) | (ids == 5)
    assert not bool(hidden[spared].any())
    share, n = float(hidden[~spared].float().mean()), int((~spared).sum())
    assert share == pytest.approx(0.3, abs=4 * (0.21 / n) ** 0.5)
    assert "writes id 2 for hidden tokens" in said
    assert "knows: 1, 5" in said


def test_the_given_id_goes_before_the_config_and_a_mask_before_unknown():
    for one, fill in ((TokenDropout(0.3), 3), (TokenDropout(0.3, fill=4), 4)):
        model = Text(mask_token_id=3, unk_token_id=UNKNOWN)
        ids, _ = step(one, model)
        assert set(model.ids[model.ids != ids].tolist()) == {fill}


def test_without_an_id_the_vector_is_0():
    model = Text()
    with torch.no_grad():
        start = Text().words(texts())
    ids, said = step(TokenDropout(0.3), model)
    assert torch.equal(model.ids, ids)
    hidden = (model.vectors == 0).all(-1) & (ids != PAD)
    assert 0.2 < float(hidden[ids != PAD].float().mean()) < 0.4
    assert torch.equal(model.vectors.detach()[~hidden], start[~hidden])
    assert "sets the vectors of hidden tokens to 0" in said


def test_wrong_ids_are_refused():
    with pytest.raises(SettingError, match="fill=-1"):
        TokenDropout(fill=-1)
    with pytest.raises(RecipeError, match=r"TokenDropout got fill=99.*40 tokens"):
        Recipe(TokenDropout(fill=99)).attach(
            model := Text(), torch.optim.SGD(model.parameters(), lr=0.1), loss=F.cross_entropy
        ).step((texts(), torch.zeros(400, dtype=torch.int64)))


def test_several_ends_in_the_config_are_all_spared():
    model = Text(bos_token_id=BEGIN, eos_token_id=[7, 8], unk_token_id=UNKNOWN)
    ids, said = step(TokenDropout(0.9), model)
    spared = (ids == 7) | (ids == 8)
    assert bool(spared.any())
    assert torch.equal(model.ids[spared], ids[spared])
    assert "knows: 1, 7, 8" in said
