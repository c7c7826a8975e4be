"""A recipe as a callback of a Trainer that stays as it is: what acts acts as in RecipeTrainer, the rest is refused."""

import pytest
import torch
from small import arguments, assert_same, classifier, rows, trainer, weights
from transformers import Trainer, TrainerCallback

from temperance import EMA, L2SP, SAM, Dropout, GapFeedback, LabelSmoothing, Recipe, SpectralNorm, WeightDecay
from temperance.integrations.transformers import STATE, RecipeCallback
from temperance.records.errors import RecipeError, SettingError
from temperance.records.names import snake

RECIPE = Recipe(Dropout(0.2), WeightDecay(0.1), L2SP(0.1), EMA(0.8))


def with_callback(folder, recipe, *others, model=None, **named):
    callback = RecipeCallback(recipe)
    made = Trainer(
        model or classifier(), arguments(folder, **named), train_dataset=rows(32), eval_dataset=rows(16, seed=1),
        callbacks=[callback, *others],
    )  # fmt: skip
    return made, callback


@pytest.mark.parametrize("parts", [1, 2])
def test_it_trains_as_recipe_trainer_does(parts, tmp_path):
    named = {"gradient_accumulation_steps": parts, "max_grad_norm": 0.3, "eval_strategy": "epoch", "optim": "sgd"}
    made, callback = with_callback(tmp_path, RECIPE, **named)
    made.loss_is_scaled_for_ga = False  # else Trainer adds up the means of BERT's micro-batches
    made.train()
    ours = trainer(tmp_path, RECIPE, **named)
    ours.train()
    assert callback.session.steps == made.state.global_step == 8 // parts
    assert_same(weights(made.model), weights(ours.model), 1e-9)
    told = [[row["eval_loss"] for row in one.state.log_history if "eval_loss" in row] for one in (made, ours)]
    assert told[0] == pytest.approx(told[1], rel=1e-9)


def test_resuming_is_never_having_stopped(tmp_path):
    steps = dict.fromkeys(("save_strategy", "eval_strategy"), "steps")
    named = {**steps, "save_steps": 3, "eval_steps": 3, "num_train_epochs": 3}
    recipe = RECIPE.replace(controller=GapFeedback())
    whole, one = with_callback(tmp_path / "whole", recipe, **named)
    with pytest.warns(UserWarning, match="GapFeedback"):
        whole.train()

    class Stop(TrainerCallback):
        def on_save(self, args, state, control, **_):
            control.should_training_stop = True

    first, _ = with_callback(tmp_path / "parts", recipe, Stop(), **named)
    with pytest.warns(UserWarning, match="GapFeedback"):
        first.train()
    assert first.state.global_step == 3
    second, other = with_callback(tmp_path / "parts", recipe, model=classifier(seed=3), **named)
    with pytest.warns(UserWarning, match="GapFeedback"):
        second.train(resume_from_checkpoint=True)
    assert_same(weights(second.model), weights(whole.model))
    assert one.session.steps == other.session.steps == 12


def test_averages_are_scored_saved_and_left(tmp_path):
    seen = []

    class Watch(TrainerCallback):
        def on_prediction_step(self, args, state, control, *, model, **_):
            seen.append(weights(model)["classifier.weight"])

    named = {"eval_strategy": "epoch", "save_strategy": "epoch", "learning_rate": 0.1, "num_train_epochs": 4}
    made, _ = with_callback(tmp_path, RECIPE, Watch(), load_best_model_at_end=True, **named)
    made.train()
    kept = type(made.model).from_pretrained(tmp_path / "checkpoint-4", dtype=torch.float64)
    torch.testing.assert_close(kept.classifier.weight.detach(), seen[0], rtol=0, atol=0)
    assert (tmp_path / "checkpoint-4" / STATE).is_file()
    scores = [row["eval_loss"] for row in made.state.log_history if "eval_loss" in row]
    assert made.evaluate()["eval_loss"] == pytest.approx(min(scores), rel=1e-6)
    assert not hasattr(made.model, "_temperance_session")


def test_another_callback_that_asks_later_is_not_scored_on_the_wrong_weights(tmp_path):
    class Late(TrainerCallback):
        def on_step_end(self, args, state, control, **_):
            control.should_evaluate = state.global_step == 2

    made, callback = with_callback(tmp_path, RECIPE, Late())
    with pytest.raises(RecipeError, match="as the last callback"):
        made.train()
    made.remove_callback(Late)
    assert made.train().global_step == 8
    assert not callback.session.is_open


@pytest.mark.parametrize("one", [LabelSmoothing(0.1), SAM(0.05), SpectralNorm()], ids=lambda o: snake(type(o).__name__))
def test_what_a_callback_cannot_do_is_refused_by_name(one):
    with pytest.raises(RecipeError, match=f"{snake(type(one).__name__)} in a callback"):
        RecipeCallback(Recipe(one, Dropout(0.1)))


def test_saving_the_best_is_refused_where_the_recipe_averages(tmp_path):
    best, _ = with_callback(
        tmp_path, RECIPE, save_strategy="best", eval_strategy="epoch", metric_for_best_model="loss",
    )  # fmt: skip
    with pytest.raises(RecipeError, match="save_strategy='best'"):
        best.train()


def test_strengths_are_logged(tmp_path):
    made, _ = with_callback(tmp_path, Recipe(Dropout(0.25)))
    made.train()
    told = [row for row in made.state.log_history if "loss" in row]
    assert [row["strength/dropout.p"] for row in told] == [0.25] * 4


def test_a_checkpoint_of_another_training_is_refused(tmp_path):
    made, _ = with_callback(tmp_path, RECIPE, save_strategy="epoch")
    made.train()
    (tmp_path / "checkpoint-8" / STATE).unlink()
    again, _ = with_callback(tmp_path, RECIPE, num_train_epochs=3)
    with pytest.raises(RecipeError, match="resumed at a step"):
        again.train(resume_from_checkpoint=True)


def test_a_technique_in_place_of_a_recipe_is_named_before_the_training(tmp_path):
    with pytest.raises(SettingError, match=r"RecipeTrainer got recipe=Dropout\(\)"):
        trainer(tmp_path, Dropout(0.1))
    with pytest.raises(SettingError, match=r"RecipeCallback got recipe=Dropout\(\)"):
        RecipeCallback(Dropout(0.1))


@pytest.mark.parametrize("is_callback", [False, True])
def test_two_decays_name_the_optimizer_and_trainers_own_argument(is_callback, tmp_path):
    make = (lambda *given, **named: with_callback(*given, **named)[0]) if is_callback else trainer
    built = make(tmp_path, Recipe(WeightDecay(0.1)), weight_decay=0.1)
    with pytest.raises(RecipeError, match=r"optimizer AdamW has .*TrainingArguments\(weight_decay=0\)"):
        built.train()
