"""What ``accelerate`` prepared attaches: the same weights as without it, clipping, accumulation, bf16, checkpoints."""

import pytest
import torch
from small import assert_same, classifier, rows, weights
from torch import nn
from torch.utils.data import DataLoader
from transformers import default_data_collator

from temperance import EMA, SAM, Dropout, LabelSmoothing, Recipe, WeightDecay
from temperance.records.errors import RecipeError, SettingError

accelerate = pytest.importorskip("accelerate")
COCKTAIL = Recipe(Dropout(0.2), LabelSmoothing(0.1), WeightDecay(0.1), EMA(0.8))
LOSS = nn.CrossEntropyLoss(reduction="none")


@pytest.fixture(autouse=True)
def _one_accelerator_at_a_time():
    accelerate.state.AcceleratorState._reset_state(reset_partial_state=True)
    accelerate.state.GradientState._reset_state()
    yield
    accelerate.state.AcceleratorState._reset_state(reset_partial_state=True)
    accelerate.state.GradientState._reset_state()


def prepared(recipe, *, model=None, accelerator=None, count=32, **settings):
    accelerator = accelerator or accelerate.Accelerator(cpu=True)
    model = model or classifier()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.0)
    loader = DataLoader(rows(count), 8, collate_fn=default_data_collator)
    model, optimizer, loader = accelerator.prepare(model, optimizer, loader)
    session = recipe.attach(model, optimizer, **{"loss": LOSS, "epochs": 3, "select": None} | settings)
    return accelerator, session, loader


def plain(recipe, *, model=None, batch=8, count=32, **settings):
    model = model or classifier()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.0)
    session = recipe.attach(model, optimizer, loss=LOSS, epochs=3, select=None, **settings)
    return session, list(DataLoader(rows(count), batch, collate_fn=default_data_collator))


@pytest.mark.parametrize("recipe", [COCKTAIL, Recipe(SAM(0.05))], ids=["cocktail", "sam"])
def test_the_weights_are_those_without_it(recipe):
    accelerator, session, loader = prepared(recipe)
    other, batches = plain(recipe)
    for _ in range(3):
        for batch in loader:
            session.gradients(batch)
            accelerator.clip_grad_norm_(session.model.parameters(), 0.5)
            session.update()
        for batch in batches:
            other.gradients(batch)
            nn.utils.clip_grad_norm_(other.model.parameters(), 0.5)
            other.update()
    assert_same(weights(session.finish()), weights(other.finish()), 1e-9)


def test_accumulation_in_a_loop_that_owns_its_backward():
    accelerator, session, loader = prepared(
        Recipe(LabelSmoothing(0.1), WeightDecay(0.1)),
        accelerator=accelerate.Accelerator(cpu=True, gradient_accumulation_steps=2),
    )
    whole, batches = plain(session.recipe, batch=16)
    for batch in loader:
        with accelerator.accumulate(session.model):
            accelerator.backward(session.loss(batch))
            if accelerator.sync_gradients:
                session.update()
                session.optimizer.zero_grad()
    for batch in batches:
        whole.step(batch)
    assert session.steps == whole.steps == 2
    assert_same(weights(session.finish()), weights(whole.finish()), 1e-7)


def test_an_update_that_accelerate_would_leave_out_is_refused():
    accelerator, session, loader = prepared(
        Recipe(), accelerator=accelerate.Accelerator(cpu=True, gradient_accumulation_steps=2)
    )
    batch = next(iter(loader))
    with accelerator.accumulate(session.model), pytest.raises(RecipeError, match="waits for more micro-batches"):
        session.step(batch)
    session.close()
    with pytest.raises(SettingError, match="divides by gradient_accumulation_steps"):
        session.recipe.attach(session.model, session.optimizer, loss=LOSS, backward=accelerator.backward)


def test_bf16_runs_in_the_prepared_model():
    _, session, loader = prepared(
        Recipe(SAM(0.05)), model=classifier(dtype=torch.float32),
        accelerator=accelerate.Accelerator(cpu=True, mixed_precision="bf16"),
    )  # fmt: skip
    other, batches = plain(Recipe(SAM(0.05)), model=classifier(dtype=torch.float32), autocast=torch.bfloat16)
    for batch, same_batch in zip(loader, batches, strict=True):
        assert session.step(batch).loss.item() == pytest.approx(other.step(same_batch).loss.item(), rel=1e-2)
    assert all(p.dtype is torch.float32 for p in session.finish().parameters())


def test_its_own_checkpoints_hold_the_session(tmp_path):
    accelerator, session, loader = prepared(COCKTAIL)
    accelerator.register_for_checkpointing(session)
    batches = list(loader)
    session.step(batches[0])
    accelerator.save_state(str(tmp_path))
    session.step(batches[1])
    expected = weights(session.module)
    accelerator.load_state(str(tmp_path))
    assert session.steps == 1
    session.step(batches[1])
    assert_same(weights(session.module), expected)


def test_its_backward_is_called_and_a_second_scaling_is_refused():
    accelerator = accelerate.Accelerator(cpu=True)
    _, session, loader = prepared(Recipe(), accelerator=accelerator, backward=accelerator.backward)
    other, batches = plain(Recipe())
    session.step(next(iter(loader)))
    other.step(batches[0])
    assert_same(weights(session.module), weights(other.module), 1e-9)
    session.close()
    session.optimizer.scaler = torch.amp.GradScaler("cpu")
    with pytest.raises(RecipeError, match="its step unscales"):
        Recipe().attach(session.model, session.optimizer, loss=LOSS)
