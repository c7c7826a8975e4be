"""The recipe in Hugging Face's Trainer: the same weights as a plain loop, checkpoints, averages, logs, refusals."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from small import arguments, assert_same, classifier, language_model, rows, sentences, trainer, weights
from torch import nn
from torch.utils.data import DataLoader
from transformers import Trainer, TrainerCallback, default_data_collator, get_scheduler

from temperance import (
    AWP,
    EMA,
    SAM,
    ConcreteDropout,
    Dropout,
    EarlyStopping,
    GapFeedback,
    GradientClipping,
    GradientNoise,
    GreedySoup,
    LabelSmoothing,
    LookSAM,
    ManifoldMixUp,
    Recipe,
    SpectralNorm,
    WeightDecay,
)
from temperance.control import Linear
from temperance.integrations.transformers import STATE, RecipeTrainer, RecipeTraining
from temperance.records.errors import RecipeError, SettingError

COCKTAIL = (Dropout(0.2), LabelSmoothing(0.1), WeightDecay(0.1), EMA(0.8))
IN_ORDER = {"train_sampling_strategy": "sequential"}


def by_hand(recipe, *, data, model, batch=8, parts=1, clip=0.0, epochs=2, loss="rows", autocast=None):
    """Return the model that a plain loop trains on the batches that Trainer draws in order."""
    loader = list(DataLoader(data, batch, collate_fn=default_data_collator))
    steps = [loader[i : i + parts] for i in range(0, len(loader), parts)]
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.0)
    total = len(steps) * epochs
    session = recipe.attach(
        model, optimizer, loss=nn.CrossEntropyLoss(reduction="none") if loss == "rows" else loss, steps=total,
        steps_per_epoch=len(steps), epochs=epochs, select=None, autocast=autocast,
    )  # fmt: skip
    scheduler = get_scheduler("linear", optimizer, 0, total)
    held_out = list(DataLoader(rows(16, seed=1), 16, collate_fn=default_data_collator))
    for _ in range(epochs):
        for batches in steps:
            model.train()
            session.gradients(batches)
            if clip:
                nn.utils.clip_grad_norm_(model.parameters(), clip)
            session.update()
            scheduler.step()
        if recipe.is_adaptive:
            session.validate(held_out)
    return session.finish()


@pytest.mark.filterwarnings("ignore::temperance.core.embedding.OnEmbeddings")
@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(),
        Recipe(*COCKTAIL),
        Recipe(SAM(0.05), WeightDecay(0.1)),
        Recipe(AWP(0.01)),
        Recipe(LookSAM(0.05, every=2), Dropout(0.2)),
        Recipe(ManifoldMixUp(0.4, at="bert.embeddings"), GradientNoise(0.01)),
        Recipe(*COCKTAIL, controller=GapFeedback()),
        Recipe(Dropout(0.3), GreedySoup(), controller=Linear(0.0, 1.0)),
    ],
    ids=lambda r: "+".join(r.by_address) + ("*" if r.is_adaptive else "") or "empty",
)
def test_the_weights_are_those_of_the_plain_loop(recipe, tmp_path):
    data = rows(28)
    asked = {"eval_strategy": "epoch"} if recipe.is_adaptive else {}
    ours = trainer(tmp_path, recipe, data=data, **asked, **IN_ORDER)
    done = ours.train()
    assert done.global_step == ours.state.global_step == ours.session.steps == 8
    assert_same(weights(ours.model), weights(by_hand(recipe, data=data, model=classifier())), 1e-9)


def test_an_empty_recipe_is_trainer(tmp_path):
    data = rows(28)
    named = {"max_grad_norm": 0.3, "weight_decay": 0.1, "lr_scheduler_type": "cosine", "warmup_steps": 2, **IN_ORDER}
    plain = Trainer(classifier(), arguments(tmp_path, **named), train_dataset=data)
    plain.train()
    ours = trainer(tmp_path, Recipe(), data=data, **named)
    ours.train()
    assert_same(weights(ours.model), weights(plain.model), 1e-9)
    pairs = zip(ours.state.log_history, plain.state.log_history, strict=True)
    for one, other in pairs:
        for name in {"loss", "grad_norm", "learning_rate"} & set(other):
            assert one[name] == pytest.approx(other[name], rel=1e-6)


def test_micro_batches_of_bert_are_those_of_trainer_where_it_divides(tmp_path):
    named = {"gradient_accumulation_steps": 2, "optim": "sgd", **IN_ORDER}
    plain = Trainer(classifier(), arguments(tmp_path, **named), train_dataset=rows(32))
    plain.loss_is_scaled_for_ga = False  # BERT takes its mean whatever Trainer tells it to divide by
    plain.train()
    ours = trainer(tmp_path, Recipe(), **named)
    ours.train()
    assert_same(weights(ours.model), weights(plain.model), 1e-9)


@pytest.mark.parametrize("recipe", [Recipe(*COCKTAIL), Recipe(SAM(0.05))], ids=["cocktail", "sam"])
def test_micro_batches_and_clipping(recipe, tmp_path):
    data = rows(36)  # 5 batches of 8, 8, 8, 8 and 4 rows; 3 updates an epoch
    ours = trainer(tmp_path, recipe, data=data, gradient_accumulation_steps=2, max_grad_norm=0.2, **IN_ORDER)
    assert ours.train().global_step == 6
    expected = by_hand(recipe, data=data, model=classifier(), parts=2, clip=0.2)
    assert_same(weights(ours.model), weights(expected), 1e-9)


def test_micro_batches_without_noise_are_the_big_batch(tmp_path):
    recipe, data = Recipe(LabelSmoothing(0.1), SAM(0.05), WeightDecay(0.1)), rows(32)
    parts = trainer(
        tmp_path, recipe, data=data, gradient_accumulation_steps=4, per_device_train_batch_size=4, **IN_ORDER
    )
    whole = trainer(tmp_path, recipe, data=data, per_device_train_batch_size=16, **IN_ORDER)
    parts.train(), whole.train()
    assert_same(weights(parts.model), weights(whole.model), 1e-9)


def test_tokens_of_a_language_model_count_as_in_trainer(tmp_path):
    named = {"gradient_accumulation_steps": 2, "per_device_train_batch_size": 4, "optim": "sgd", **IN_ORDER}
    data = sentences(24)
    plain = Trainer(language_model(), arguments(tmp_path, **named), train_dataset=data)
    plain.train()
    ours = trainer(tmp_path, Recipe(), model=language_model(), data=data, **named)
    ours.train()
    assert_same(weights(ours.model), weights(plain.model), 1e-5)  # the model's own loss is float32


def test_bf16_trains_as_the_plain_loop_under_autocast(tmp_path):
    recipe, data = Recipe(Dropout(0.2), SAM(0.05)), rows(16)
    ours = trainer(tmp_path, recipe, data=data, model=classifier(dtype=torch.float32), bf16=True, **IN_ORDER)
    ours.train()
    other = by_hand(recipe, data=data, model=classifier(dtype=torch.float32), autocast=torch.bfloat16)
    assert_same(weights(ours.model), weights(other), 2e-2)
    exact = by_hand(recipe, data=data, model=classifier(dtype=torch.float32))
    name = "classifier.weight"
    assert not torch.equal(weights(ours.model)[name], weights(exact)[name])
    assert all(p.dtype is torch.float32 for p in ours.model.parameters())


# -- checkpoints and averages -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "recipe",
    [Recipe(*COCKTAIL, controller=GapFeedback()), Recipe(SAM(0.05), GreedySoup())],
    ids=["cocktail", "sam"],
)
@pytest.mark.parametrize("every", [4, 3], ids=["end of an epoch", "within an epoch"])
def test_resuming_is_never_having_stopped(recipe, every, tmp_path):
    steps = dict.fromkeys(("save_strategy", "eval_strategy"), "steps")
    named = {**steps, "save_steps": every, "eval_steps": every, "num_train_epochs": 3}
    whole = trainer(tmp_path / "whole", recipe, model=classifier(dropout=0.1), **named)
    whole.train()
    first = trainer(tmp_path / "parts", recipe, model=classifier(dropout=0.1), **named)

    class Stop(TrainerCallback):
        def on_save(self, args, state, control, **_):
            control.should_training_stop = True

    first.add_callback(Stop())
    first.train()
    assert first.state.global_step == every
    second = trainer(tmp_path / "parts", recipe, model=classifier(dropout=0.1, seed=5), **named)
    second.train(resume_from_checkpoint=True)
    assert second.session.steps == second.state.global_step == 12
    assert_same(weights(second.model), weights(whole.model))
    assert second.session.strengths == whole.session.strengths
    assert [str(m) for m in second.session.trace] == [str(m) for m in whole.session.trace]


def test_what_is_scored_is_what_is_saved_and_the_trained_weights_stand_beside(tmp_path):
    seen = []

    class Watch(TrainerCallback):
        def on_prediction_step(self, args, state, control, **_):
            seen.append(weights(ours.model)["classifier.weight"])

    named = {"eval_strategy": "epoch", "save_strategy": "epoch"}
    ours = trainer(tmp_path, Recipe(EMA(0.9)), init={"callbacks": [Watch()]}, **named)
    ours.train()
    folder = tmp_path / "checkpoint-4"
    kept = type(ours.model).from_pretrained(folder, dtype=torch.float64)
    torch.testing.assert_close(kept.classifier.weight.detach(), seen[0], rtol=0, atol=0)
    state = torch.load(folder / STATE, weights_only=True)
    assert not torch.equal(state["model"]["classifier.weight"], seen[0])
    torch.testing.assert_close(weights(ours.model)["classifier.weight"], seen[-1], rtol=0, atol=0)


def test_the_best_checkpoint_holds_what_was_scored(tmp_path):
    named = {
        "eval_strategy": "epoch", "save_strategy": "epoch", "load_best_model_at_end": True, "num_train_epochs": 4,
        "learning_rate": 0.1,
    }  # fmt: skip
    ours = trainer(tmp_path, Recipe(EMA(0.5), Dropout(0.1)), **named)
    ours.train()
    scores = [row["eval_loss"] for row in ours.state.log_history if "eval_loss" in row]
    assert ours.state.best_metric == min(scores)
    assert ours.evaluate()["eval_loss"] == pytest.approx(min(scores), rel=1e-6)


def test_a_checkpoint_without_the_sessions_state_is_refused(tmp_path):
    ours = trainer(tmp_path, Recipe(EMA(0.9)), save_strategy="epoch")
    ours.train()
    (tmp_path / "checkpoint-8" / STATE).unlink()
    again = trainer(tmp_path, Recipe(EMA(0.9)), num_train_epochs=3)
    with pytest.raises(RecipeError, match=r"has no temperance\.pt"):
        again.train(resume_from_checkpoint=True)


@pytest.mark.parametrize("one", [ConcreteDropout(), SpectralNorm(), Dropout(0.2)], ids=lambda o: type(o).__name__)
def test_a_model_saved_in_training_loads_without_the_technique_and_answers_as_it_was_scored(one, tmp_path):
    ours = trainer(tmp_path, Recipe(one), save_strategy="epoch", eval_strategy="epoch", num_train_epochs=1)
    ours.train()
    saved = load_file(tmp_path / "checkpoint-4" / "model.safetensors")
    assert set(saved) == set(classifier().state_dict())
    again = type(ours.model).from_pretrained(tmp_path / "checkpoint-4", dtype=torch.float64)
    (scored,) = [row["eval_loss"] for row in ours.state.log_history if "eval_loss" in row]
    plain = Trainer(again, arguments(tmp_path), eval_dataset=rows(16, seed=1))
    assert plain.evaluate()["eval_loss"] == pytest.approx(scored, rel=1e-6)


# -- controllers, logs, the end ---------------------------------------------------------------------------------------


def test_strengths_and_signals_are_logged(tmp_path):
    recipe = Recipe(Dropout(0.2), LabelSmoothing(0.1), controller=GapFeedback())
    ours = trainer(tmp_path, recipe, eval_strategy="epoch", save_strategy="epoch")
    ours.train()
    logged = json.loads((tmp_path / "checkpoint-8" / "trainer_state.json").read_text())["log_history"]
    training = [row for row in logged if "loss" in row]
    assert training
    assert all("strength/dropout.p" in row for row in training)
    measured = [row["signal/gap"] for row in logged if "signal/gap" in row and "loss" not in row]
    assert len(measured) == 2
    assert all(abs(v) < 5 for v in measured)


def test_a_controller_ends_the_training_and_its_weights_are_kept(tmp_path):
    recipe = Recipe(Dropout(0.1), controller=EarlyStopping(patience=1))
    named = {"eval_strategy": "epoch", "num_train_epochs": 30, "learning_rate": 0.3, "lr_scheduler_type": "constant"}
    ours = trainer(tmp_path, recipe, **named)
    ours.train()
    scores = [row["eval_loss"] for row in ours.state.log_history if "eval_loss" in row]
    assert len(scores) < 30
    assert ours.session.stopped
    assert ours.evaluate()["eval_loss"] == pytest.approx(min(scores), rel=1e-6)


def test_a_metric_judges_where_trainer_is_told_so(tmp_path):
    def accuracy(told):
        return {"accuracy": float((told.predictions.argmax(-1) == told.label_ids).mean())}

    recipe = Recipe(Dropout(0.1), controller=EarlyStopping(patience=2, signal="metric", better="higher"))
    ours = trainer(
        tmp_path, recipe, init={"compute_metrics": accuracy}, eval_strategy="epoch", num_train_epochs=6,
        metric_for_best_model="accuracy", greater_is_better=True,
    )  # fmt: skip
    ours.train()
    scores = [row["eval_accuracy"] for row in ours.state.log_history if "eval_accuracy" in row]
    assert ours.session.signals["metric"] == scores[-1]
    assert ours.evaluate()["eval_accuracy"] == max(scores)


def test_training_twice_and_breaking_off(tmp_path):
    ours = trainer(tmp_path, Recipe(*COCKTAIL))
    ours.train()
    first = weights(ours.model)
    ours.train()
    assert ours.session.steps == ours.state.global_step == 8
    assert not torch.equal(first["classifier.weight"], weights(ours.model)["classifier.weight"])

    class Fails(TrainerCallback):
        def on_step_end(self, args, state, control, **_):
            raise KeyError("mine")

    ours.add_callback(Fails())
    with pytest.raises(KeyError, match="mine"):
        ours.train()
    assert not ours.session.is_open
    assert isinstance(ours.optimizer, torch.optim.Optimizer)
    ours.remove_callback(Fails)
    assert ours.train().global_step == 8


def test_a_step_that_is_no_number_is_left_out_or_named(tmp_path):
    data, model = rows(24), classifier()
    broken = lambda _, args, named, out: out * torch.where((named["input_ids"] == 39).all(), torch.nan, 1.0)  # noqa: E731
    model.bert.embeddings.register_forward_hook(broken, with_kwargs=True)
    poisoned = [dict(row, input_ids=row["input_ids"] % 39) for row in data]
    for row in poisoned[8:16]:
        row["input_ids"] = torch.full((8,), 39)
    plain = trainer(tmp_path, Recipe(Dropout(0.1)), model=model, data=poisoned, **IN_ORDER)
    with pytest.raises(RecipeError, match="the loss of step 2"):
        plain.train()
    skips = trainer(
        tmp_path, Recipe(Dropout(0.1)), data=poisoned, model=model, init={"settings": {"nan": "skip"}}, **IN_ORDER
    )
    with pytest.warns(UserWarning, match="left out"):
        skips.train()
    assert skips.session.left_out == [2, 5]


def test_decay_groups_of_trainer_are_taken_over(tmp_path):
    ours = trainer(tmp_path, Recipe(), weight_decay=0.1, **IN_ORDER)
    with pytest.warns(UserWarning, match="took over"):
        ours.recipe = Recipe(WeightDecay.from_optimizer(ours.create_optimizer()))
    ours.train()
    plain = Trainer(classifier(), arguments(tmp_path, weight_decay=0.1, **IN_ORDER), train_dataset=rows(32))
    plain.train()
    assert_same(weights(ours.model), weights(plain.model), 1e-9)
    twice = trainer(tmp_path, Recipe(WeightDecay(0.1)), weight_decay=0.1)
    with pytest.raises(RecipeError, match=r"weight_decay=0\.1 and the recipe decays"):
        twice.train()


def test_an_own_loss_is_that_of_training_and_of_evaluation(tmp_path):
    focal = lambda logits, labels: (1 - logits.softmax(-1).gather(1, labels[:, None])[:, 0]) ** 2  # noqa: E731
    ours = trainer(tmp_path, Recipe(Dropout(0.1)), init={"loss": focal}, eval_strategy="epoch", num_train_epochs=1)
    ours.train()
    (told,) = [row["eval_loss"] for row in ours.state.log_history if "eval_loss" in row]
    batch = default_data_collator(rows(16, seed=1))
    labels = batch.pop("labels")
    with torch.no_grad():
        expected = focal(ours.model(**batch).logits, labels).mean()
    assert told == pytest.approx(float(expected), rel=1e-6)


# -- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("named", "init", "match"),
    [
        ({"label_smoothing_factor": 0.1}, {}, r"put LabelSmoothing\(0\.1\) into the recipe"),
        ({}, {"compute_loss_func": lambda *_, **__: 0}, "compute_loss_func"),
    ],
)
def test_what_a_recipe_cannot_go_along_with(named, init, match, tmp_path):
    with pytest.raises(RecipeError, match=match):
        trainer(tmp_path, Recipe(), init=init, **named)


def test_settings_and_losses_that_are_not_known(tmp_path):
    with pytest.raises(SettingError, match="'select'"):
        trainer(tmp_path, Recipe(), init={"settings": {"select": "best"}})
    with pytest.raises(SettingError, match="loss='mean'"):
        trainer(tmp_path, Recipe(), init={"loss": "mean"})


def test_own_subclasses_train_and_own_losses_are_refused(tmp_path):
    class Plain(Trainer):
        pass

    class Weighs(Trainer):
        def compute_loss(self, *args, **named):
            return super().compute_loss(*args, **named)

    class Mine(RecipeTraining, Plain):
        pass

    class Lost(RecipeTraining, Weighs):
        pass

    assert trainer(tmp_path, Recipe(SAM(0.05)), kind=Mine).train().global_step == 8
    with pytest.raises(RecipeError, match=r"Weighs\.compute_loss would not be called"):
        trainer(tmp_path, Recipe(), kind=Lost)


def test_labels_of_several_classes_per_row_are_not_taken_for_shares(tmp_path):
    data = [dict(row, labels=torch.tensor([1.0, 0.0, 1.0])) for row in rows(16)]
    with pytest.raises(RecipeError, match="problem_type"):
        trainer(tmp_path, Recipe(), data=data).train()
    model = classifier()
    model.config.problem_type = "multi_label_classification"
    assert trainer(tmp_path, Recipe(), data=data, model=model).train().global_step == 4


def test_two_clips_are_told(tmp_path):
    with pytest.warns(UserWarning, match="both clip"):
        trainer(tmp_path, Recipe(GradientClipping(1.0)), max_grad_norm=1.0)
    assert isinstance(trainer(tmp_path, Recipe(GradientClipping(1.0))), RecipeTrainer)


def test_the_path_of_the_state_is_each_ranks_own(tmp_path):
    ours = trainer(tmp_path, Recipe())
    assert Path(ours._state_path(str(tmp_path))).name == STATE
