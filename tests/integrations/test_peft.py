"""Adapters of PEFT under a recipe: the base does not move, dropout of adapters acts, averages are saved as adapters."""

import pytest
import torch
from small import assert_same, classifier, rows, trainer, weights

from temperance import EMA, L2SP, SAM, LoRADropout, Recipe, SpectralNorm, WeightDecay

peft = pytest.importorskip("peft")
pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing.*:FutureWarning")  # what PEFT calls
LORA_B = "base_model.model.bert.encoder.layer.0.attention.self.query.lora_B.default.weight"


def adapted(seed=0):
    config = peft.LoraConfig(
        r=2, target_modules=["query", "value"], lora_dropout=0.0, modules_to_save=["classifier"], task_type="SEQ_CLS",
    )  # fmt: skip
    base = classifier()
    torch.manual_seed(seed)
    return peft.get_peft_model(base, config)


def base_of(model):
    return {n: p.detach().clone() for n, p in model.named_parameters() if not p.requires_grad}


@pytest.mark.parametrize(
    "recipe",
    [Recipe(LoRADropout(0.2), WeightDecay(0.1), EMA(0.8)), Recipe(SAM(0.05)), Recipe(L2SP(0.1))],
    ids=lambda r: "+".join(r.by_address),
)
def test_the_base_does_not_move_and_the_adapter_learns(recipe, tmp_path):
    model = adapted()
    base, before = base_of(model), weights(model)
    ours = trainer(tmp_path, recipe, model=model, num_train_epochs=1)
    ours.train()
    assert_same(base_of(model), base)
    moved = [n for n, t in weights(model).items() if not torch.equal(t, before[n])]
    assert any("lora_B" in n for n in moved)
    assert all("lora_" in n or "classifier.modules_to_save" in n for n in moved)


def test_dropout_of_adapters_acts_on_them_alone(tmp_path):
    ours = {}
    for recipe in (Recipe(), Recipe(LoRADropout(0.5))):
        made = trainer(tmp_path, recipe, model=adapted(), train_sampling_strategy="sequential", num_train_epochs=1)
        made.train()
        ours[len(recipe)] = weights(made.model)
    assert not torch.equal(ours[0][LORA_B], ours[1][LORA_B])


def test_checkpoints_are_adapters_of_the_average_and_resume(tmp_path):
    recipe = Recipe(LoRADropout(0.2), WeightDecay(0.1), EMA(0.8))
    named = {"save_strategy": "epoch", "eval_strategy": "epoch", "num_train_epochs": 3}
    whole = trainer(tmp_path / "whole", recipe, model=adapted(), **named)
    whole.train()
    loaded = peft.PeftModel.from_pretrained(classifier(), tmp_path / "whole" / "checkpoint-12")
    torch.testing.assert_close(weights(loaded)[LORA_B], weights(whole.model)[LORA_B], rtol=0, atol=0)
    again = trainer(tmp_path / "parts", recipe, model=adapted(seed=4), **named)
    again.train(resume_from_checkpoint=str(tmp_path / "whole" / "checkpoint-4"))
    assert_same(weights(again.model), weights(whole.model))


def test_layer_wise_rates_are_groups_of_the_optimizer(tmp_path):
    model = classifier()
    deep = [p for n, p in model.named_parameters() if "embeddings" in n]
    rest = [p for n, p in model.named_parameters() if "embeddings" not in n]
    groups = [{"params": deep, "lr": 1e-4}, {"params": rest, "lr": 1e-2}]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.0)
    before = weights(model)
    ours = trainer(
        tmp_path, Recipe(WeightDecay(0.5), L2SP(0.1)), model=model, num_train_epochs=1,
        lr_scheduler_type="constant", init={"optimizers": (optimizer, None)}, data=rows(8),
    )  # fmt: skip
    ours.train()
    moved = {n: float((t - before[n]).abs().max()) for n, t in weights(model).items()}
    assert max(v for n, v in moved.items() if "embeddings" in n) < 3e-4
    assert max(v for n, v in moved.items() if "embeddings" not in n) > 5e-3


def test_layers_that_a_wrapper_passes_on_are_shipped_once(tmp_path):
    ours = trainer(tmp_path, Recipe(SpectralNorm(0.1)), model=adapted(), num_train_epochs=1, save_strategy="epoch")
    ours.train()
    assert ours.state.global_step == ours.session.steps
