"""RecipeTrainer on other models: compiled ones, those that Trainer makes, those with a loss of their own kind."""

import math

import pytest
import torch
from small import arguments, assert_same, classifier, rows, trainer, weights
from transformers import BertConfig, BertForQuestionAnswering

from temperance import EMA, SAM, Dropout, GapFeedback, Recipe, WeightDecay
from temperance.integrations.transformers import RecipeTrainer

IN_ORDER = {"train_sampling_strategy": "sequential", "num_train_epochs": 1}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")  # dynamo's, which hides it from users
def test_a_compiled_model_trains_as_the_plain_one(tmp_path):
    recipe = Recipe(Dropout(0.3))
    ours = trainer(tmp_path, recipe, torch_compile=True, torch_compile_backend="aot_eager", **IN_ORDER)
    ours.train()
    plain = trainer(tmp_path, recipe, **IN_ORDER)
    plain.train()
    assert ours.session.model is not ours.session.module
    assert_same(weights(ours.session.module), weights(plain.model), 1e-9)


def test_each_training_begins_anew_where_trainer_makes_the_model(tmp_path):
    recipe = Recipe(Dropout(0.2), WeightDecay(0.1), EMA(0.8))
    ours = RecipeTrainer(
        model_init=lambda: classifier(), args=arguments(tmp_path), recipe=recipe, train_dataset=rows(16)
    )
    ours.train()
    first = weights(ours.model)
    ours.train()
    assert_same(weights(ours.model), first)


def test_a_model_whose_targets_have_other_names_computes_its_own_loss(tmp_path):
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=40, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32
    )  # fmt: skip
    data = [{"input_ids": row["input_ids"], "start_positions": 1, "end_positions": 3} for row in rows(16)]
    recipe = Recipe(Dropout(0.1), SAM(0.05), controller=GapFeedback())
    ours = RecipeTrainer(
        BertForQuestionAnswering(config), arguments(tmp_path, eval_strategy="epoch"), recipe=recipe,
        train_dataset=data, eval_dataset=data,
    )  # fmt: skip
    ours.train()
    assert math.isfinite(ours.session.signals["gap"])
    told = [row["eval_loss"] for row in ours.state.log_history if "eval_loss" in row]
    assert told[1] < told[0]
    assert ours.session.signals["valid_loss"] == pytest.approx(told[1], rel=1e-5)
