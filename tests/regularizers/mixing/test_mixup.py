"""Mixup: the share's distribution, blends, categories, regression."""

import numpy as np
import pytest
import torch
from scipy import stats

from temperance import Batch, Mixed, MixUp, Recipe
from temperance.core.random import beta_number, fold, permutation
from temperance.records.errors import RecipeError, SettingError
from temperance.regularizers.mixing.mixup import mix
from temperance.testing.problems import PROBLEMS
from temperance.testing.training import attach

CPU = torch.device("cpu")


def shares(alpha, n):
    return np.array([beta_number(fold(0, i), alpha) for i in range(n)])


@pytest.mark.parametrize("alpha", [0.05, 0.2, 1.0, 4.0, 32.0])
def test_shares_follow_the_beta_distribution(alpha):
    drawn = shares(alpha, 4000)
    low = drawn[drawn < 0.5]  # shares above 1 − 1e-16 round to 1, so the symmetric halves are tested on the low side
    assert stats.binomtest(len(low), 4000, 0.5).pvalue > 1e-3
    assert stats.kstest(low, lambda x: 2 * stats.beta(alpha, alpha).cdf(x)).pvalue > 1e-3
    assert drawn.mean() == pytest.approx(0.5, abs=4 * drawn.std() / np.sqrt(4000))
    assert drawn.var() == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.1)


def test_very_small_alpha_mixes_next_to_nothing():
    drawn = shares(1e-3, 2000)
    assert np.isfinite(drawn).all()
    assert np.mean((drawn < 1e-6) | (drawn > 1 - 1e-6)) > 0.95
    assert 0.4 < np.mean(drawn > 0.5) < 0.6
    assert beta_number(1, 0.0) == 1.0


def test_blends_are_the_formula_on_the_drawn_share_and_partner():
    x, y = torch.randn(40, 5, dtype=torch.float64), torch.randn(40, dtype=torch.float64)
    out = mix(Batch(x, y, weight=torch.rand(40)), 1.0, 7)
    order = permutation(fold(7, "partner"), 40, CPU)
    share = float(out.targets.share)
    assert share == np.float32(beta_number(fold(7, "share"), 1.0))
    np.testing.assert_allclose(out.inputs.numpy(), share * x.numpy() + (1 - share) * x.numpy()[order], rtol=1e-12)
    assert torch.equal(out.targets.first, y)
    assert torch.equal(out.targets.second, y[order])
    assert out.weight.shape == (40,)


def test_a_share_of_one_is_the_plain_batch():
    batch = PROBLEMS["embeddings"].batch(0)
    out = mix(batch, 0.0, 7)
    assert torch.equal(out.inputs["numeric"], batch.inputs["numeric"])
    assert torch.equal(out.inputs["categorical"], batch.inputs["categorical"])
    assert float(out.targets.share) == 1.0


def test_categories_are_chosen_never_averaged():
    codes = torch.randint(0, 1000, (2000, 3))
    out = mix(Batch({"c": codes, "x": torch.zeros(2000, 1)}, torch.zeros(2000)), 4.0, 5)
    order = permutation(fold(5, "partner"), 2000, CPU)
    own, other = out.inputs["c"] == codes, out.inputs["c"] == codes[order]
    assert bool((own | other).all())
    undecided = codes == codes[order]
    taken = own[~undecided]
    assert stats.binomtest(int(taken.sum()), taken.numel(), float(out.targets.share)).pvalue > 1e-3


def test_the_loss_of_a_hand_computed_case():
    x = torch.tensor([[1.0], [3.0]])
    y = torch.tensor([10.0, 20.0])
    model = torch.nn.Linear(1, 1, bias=False)
    model.weight.data.fill_(1.0)
    recipe = Recipe(MixUp(1.0))
    loss = lambda out, target: (out.squeeze(1) - target).square()  # noqa: E731
    session = recipe.attach(model, torch.optim.SGD(model.parameters(), lr=0.0), loss=loss, seed=4)
    got = session.loss((x, y)).item()
    key = fold(fold(4, 0), "mixup")
    share, order = np.float32(beta_number(fold(key, "share"), 1.0)), permutation(fold(key, "partner"), 2, CPU)
    mixed = share * x.numpy() + (1 - share) * x.numpy()[order]
    out = mixed[:, 0]
    expected = share * (out - y.numpy()) ** 2 + (1 - share) * (out - y.numpy()[order]) ** 2
    assert got == pytest.approx(expected.mean(), rel=1e-5)


def test_same_key_same_mixture():
    batch = PROBLEMS["mlp"].batch(0)
    assert torch.equal(mix(batch, 0.4, 9).inputs, mix(batch, 0.4, 9).inputs)
    assert not torch.equal(mix(batch, 0.4, 9).inputs, mix(batch, 0.4, 10).inputs)


def test_trains_with_losses_that_give_one_number():
    problem = PROBLEMS["mlp"]
    model = problem.model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    session = Recipe(MixUp(0.4)).attach(model, optimizer, loss=torch.nn.functional.cross_entropy)
    per_row = attach(Recipe(MixUp(0.4)), problem)
    batch = problem.batch(0)
    assert session.loss(batch).item() == pytest.approx(per_row.loss(batch).item(), rel=1e-6)


def test_wrong_uses_are_refused():
    mixed = Batch(torch.zeros(2, 1), Mixed(torch.zeros(2), torch.zeros(2), torch.tensor(0.5)))
    with pytest.raises(RecipeError, match="mixed already"):
        mix(mixed, 1.0, 0)
    with pytest.raises(SettingError, match="alpha=100"):
        MixUp(100)
    with pytest.raises(RecipeError, match="twice"):
        Recipe(MixUp(0.1), MixUp(0.2))


@pytest.mark.filterwarnings("ignore::temperance.core.embedding.OnEmbeddings")
def test_of_tokens_the_vectors_are_blended_and_the_masks_united():
    hf = pytest.importorskip("transformers")

    def bert():
        torch.manual_seed(0)
        return hf.BertForSequenceClassification(hf.BertConfig(
            vocab_size=30, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=24,
            max_position_embeddings=16, initializer_range=0.3, hidden_dropout_prob=0, attention_probs_dropout_prob=0,
        )).double().train()  # fmt: skip

    ids = torch.randint(3, 30, (4, 5), generator=torch.Generator().manual_seed(2))
    lengths = torch.tensor([5, 2, 3, 4])
    there = torch.arange(5) < lengths[:, None]
    y, loss = torch.tensor([0, 1, 1, 0]), torch.nn.functional.cross_entropy
    ours, hand, seen = bert(), bert(), []
    ours.bert.embeddings.word_embeddings.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    session = Recipe(MixUp(1.0)).attach(ours, torch.optim.SGD(ours.parameters(), lr=0.5), loss=loss)
    passed = session.step({"input_ids": ids, "attention_mask": there.long(), "labels": y})
    key = fold(fold(0, 0), "mixup")
    share, partner = beta_number(fold(key, "share"), 1.0), permutation(fold(key, "partner"), 4, CPU)
    vectors = hand.bert.embeddings.word_embeddings(ids) * there.unsqueeze(-1)  # padding counts as 0
    blended = share * vectors + (1 - share) * vectors[partner]
    out = hand(inputs_embeds=blended, attention_mask=(there | there[partner]).long()).logits
    expected = share * loss(out, y) + (1 - share) * loss(out, y[partner])
    expected.backward()
    torch.optim.SGD(hand.parameters(), lr=0.5).step()
    assert 0.01 < share < 0.99
    assert float(passed.loss.detach()) == pytest.approx(float(expected.detach()), abs=1e-6)
    for a, b in zip(ours.parameters(), hand.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-6)
    assert all(torch.equal(one, ids) for one in seen)  # ids are never mixed
