"""Presets on models of transformers, in a loop and inside RecipeTrainer."""

import pytest
import torch
from small import LENGTH, WORDS, arguments, classifier, language_model, rows, sentences, trainer, weights
from torch.nn import functional as F  # noqa: N812
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    GPT2Config,
    GPT2LMHeadModel,
    Trainer,
    ViTConfig,
    ViTForImageClassification,
)

from temperance import EMA, FrozenPrefix, LayerwiseRateDecay, Mixout, Recipe
from temperance.core.batch import Mixed
from temperance.core.embedding import OnEmbeddings
from temperance.integrations.transformers_callback import RecipeCallback


def bert() -> BertForSequenceClassification:
    torch.manual_seed(0)
    return BertForSequenceClassification(BertConfig(
        vocab_size=WORDS, hidden_size=16, num_hidden_layers=3, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=LENGTH, num_labels=3,
    ))  # fmt: skip


def gpt2() -> GPT2LMHeadModel:
    torch.manual_seed(0)
    return GPT2LMHeadModel(GPT2Config(
        vocab_size=WORDS, n_positions=LENGTH, n_embd=16, n_layer=2, n_head=2, bos_token_id=0, eos_token_id=0
    ))  # fmt: skip


def vit() -> ViTForImageClassification:
    torch.manual_seed(0)
    return ViTForImageClassification(ViTConfig(
        image_size=8, patch_size=4, num_channels=1, hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=32, num_labels=3,
    ))  # fmt: skip


def pictures(count: int) -> list[dict]:
    made = torch.Generator().manual_seed(0)
    pixels = torch.randn(count, 1, 8, 8, generator=made)
    return [{"pixel_values": x, "labels": int(x.mean() > 0)} for x in pixels]


def batch(data: list[dict]) -> dict[str, torch.Tensor]:
    return {key: torch.stack([torch.as_tensor(row[key]) for row in data]) for key in data[0]}


MODELS = [
    ("finetune", {"new": "classifier*"}, bert, rows),
    ("finetune", {"new": "classifier*"}, vit, pictures),
    ("noisy-labels", {}, vit, pictures),
    ("small-data", {}, vit, pictures),
    ("lm", {}, gpt2, sentences),
    ("lm", {}, lambda: language_model(dtype=torch.float32), sentences),
    ("finetune", {"new": None}, gpt2, sentences),
]


@pytest.mark.parametrize(("name", "asked", "model", "data"), MODELS)
def test_in_a_loop(name, asked, model, data) -> None:
    net = model().train()
    optimizer = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=0.0)
    loss = F.cross_entropy if data is pictures else None  # mixed answers need a loss of their own
    session = Recipe.preset(name, **asked).attach(net, optimizer, loss=loss, epochs=5, steps_per_epoch=4)
    before = {n: p.detach().clone() for n, p in net.named_parameters()}
    losses = [float(session.step(batch(data(8))).loss.detach()) for _ in range(20)]
    assert losses[-1] < losses[0]
    assert any(not torch.equal(p, before[n]) for n, p in net.named_parameters())
    session.finish()


@pytest.mark.parametrize(("name", "asked", "model", "data"), MODELS)
def test_inside_recipe_trainer(tmp_path, name, asked, model, data) -> None:
    ours = trainer(tmp_path, Recipe.preset(name, **asked), model=model(), data=data(32))
    ours.train()
    assert ours.session.steps == ours.state.global_step == 8
    assert all(bool(torch.isfinite(w).all()) for w in weights(ours.model).values())


def test_texts_are_mixed_by_their_vectors_and_that_is_told() -> None:
    net = bert().train()
    optimizer = torch.optim.AdamW(net.parameters(), weight_decay=0.0)
    session = Recipe.preset("noisy-labels").attach(net, optimizer, loss=F.cross_entropy)
    with pytest.warns(OnEmbeddings, match="MixUp"):
        passed = session.step(batch(rows(8)))
    assert isinstance(passed.batch.targets, Mixed)


def test_fine_tuning_techniques_go_on_from_a_checkpoint_of_trainer(tmp_path) -> None:
    """Thaw, rates and mixture together: resumed is never stopped, bit for bit."""
    recipe = Recipe(FrozenPrefix(0.8), LayerwiseRateDecay(0.8), Mixout(0.5, new="classifier*"), EMA(0.9))
    named = {"save_strategy": "epoch", "eval_strategy": "epoch"}
    whole = trainer(tmp_path / "a", recipe, model=classifier(), **named)
    whole.train()
    first = trainer(tmp_path / "b", recipe, model=classifier(), **named)
    first.train()
    again = trainer(tmp_path / "b", recipe, model=classifier(), **named)
    again.train(resume_from_checkpoint=str(tmp_path / "b" / "checkpoint-4"))
    for name, w in weights(whole.model).items():
        assert torch.equal(weights(again.model)[name], w), name


def test_rates_by_depth_in_a_callback_equal_those_in_recipe_trainer(tmp_path) -> None:
    ours = trainer(tmp_path, Recipe(LayerwiseRateDecay(0.5)), model=classifier())
    ours.train()
    plain = Trainer(
        classifier(), arguments(tmp_path), train_dataset=rows(32),
        callbacks=[RecipeCallback(Recipe(LayerwiseRateDecay(0.5)))],
    )  # fmt: skip
    plain.train()
    for name, w in weights(ours.model).items():
        torch.testing.assert_close(weights(plain.model)[name], w, rtol=1e-9, atol=1e-9)
