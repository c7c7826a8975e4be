"""A watch names every no-op of the museum, is silent on sound runs, and changes nothing."""

import copy
import gc
import sys
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from temperance import proof
from temperance.core.convention import convention_of
from temperance.core.objective import is_cross_entropy
from temperance.records.errors import SettingError

sys.path.insert(0, str(Path(__file__).parent))
from museum import MUSEUM
from noops import Net, X, Y, adamw, epochs, score
from sound_runs import sound


@pytest.mark.parametrize("name", MUSEUM)
def test_a_no_op_is_named(name: str) -> None:
    run, rule = MUSEUM[name]
    report = run()
    assert [one.rule for one in report.warnings] == [rule], str(report)


@pytest.mark.parametrize("number", range(50))
def test_a_sound_run_raises_no_alarm(number: int) -> None:
    report = sound(number)
    assert report.warnings == (), str(report)
    assert report.steps >= 8


def test_the_run_is_bit_for_bit_the_same() -> None:
    found = []
    for watched in (False, True):
        torch.manual_seed(3)
        model = Net(0.4, norm=True)
        optimizer = adamw(model)
        seen = proof.watch(model, optimizer) if watched else None
        clip = lambda m=model: torch.nn.utils.clip_grad_norm_(m.parameters(), 0.1) and None  # noqa: E731
        epochs(model, optimizer, before=clip, end=lambda m=model: score(m) and None)
        found.append(copy.deepcopy(model.state_dict()))
        if seen is not None:
            assert seen.report().warnings == ()
            seen.close()
    assert all(torch.equal(a, b) for a, b in zip(found[0].values(), found[1].values(), strict=True))


def test_closed_it_leaves_nothing_behind() -> None:
    gc.collect()  # watches of other tests
    now = (F.cross_entropy, torch.nn.utils.clip_grad_norm_)  # another test's watch may have gone without close
    plain = tuple(getattr(one, "temperance_plain", one) for one in now)
    model = Net()
    optimizer = adamw(model)
    first, second = proof.watch(model, optimizer), proof.watch(model, optimizer)
    assert F.cross_entropy is not plain[0]
    first.close()
    second.close()
    assert (F.cross_entropy, torch.nn.utils.clip_grad_norm_) == plain
    hooks = [m._forward_hooks or m._forward_pre_hooks or m._state_dict_hooks for m in model.modules()]
    assert not any(hooks)
    assert not optimizer._optimizer_step_pre_hooks


def test_a_generator_of_parameters_is_still_clipped() -> None:
    model = Net()
    seen = proof.watch(model, adamw(model))
    F.cross_entropy(model(X), Y).mul(100).backward()
    total = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    assert float(total) > 1.0
    after = torch.stack([p.grad.norm() for p in model.parameters()]).norm()
    assert float(after) == pytest.approx(1.0, rel=1e-3)
    seen.close()


def test_the_report_says_what_is_there() -> None:
    model = Net(0.3)
    seen = proof.watch(model, optimizer := adamw(model, 0.1), loss=nn.CrossEntropyLoss(label_smoothing=0.1))
    epochs(model, optimizer, loss=nn.CrossEntropyLoss(label_smoothing=0.1))
    report = seen.report()
    assert {one.what: one.acted for one in report.present} == {"dropout": True, "decay": True, "smoothing": True}
    assert "12 steps" in str(report)
    assert "p 0.3 (acted)" in str(report)
    assert report.to_dict()["warnings"] == ()


def test_a_session_beside_a_watch_knows_torchs_loss_all_the_same() -> None:
    """Sessions tell losses by identity, and the watch stands in the place of the cross-entropy."""
    model = Net(0.0)
    seen = proof.watch(model, adamw(model))
    for loss in (F.cross_entropy, F.cross_entropy.temperance_plain, partial(F.cross_entropy, ignore_index=-1)):
        assert convention_of(loss).kind == "classes"
    assert is_cross_entropy(F.cross_entropy)
    assert is_cross_entropy(F.cross_entropy.temperance_plain)
    assert seen.report().steps == 0


def test_an_unknown_word_is_refused() -> None:
    model = Net()
    with pytest.raises(SettingError, match="dropuot"):
        proof.watch(model, adamw(model), expects=["dropuot"])


def test_gradients_of_the_inputs_after_the_training_are_no_training() -> None:
    model = Net()
    seen = proof.watch(model, optimizer := adamw(model))
    epochs(model, optimizer)
    model.eval()
    moved = X.clone().requires_grad_()
    for _ in range(5):
        torch.autograd.grad(F.cross_entropy(model(moved), Y), moved)
    assert seen.report().warnings == ()


def test_a_loss_of_the_validation_alone_smooths_nothing() -> None:
    model, criterion = Net(), nn.CrossEntropyLoss(label_smoothing=0.1)
    seen = proof.watch(model, optimizer := adamw(model), loss=criterion)
    epochs(model, optimizer, end=lambda: criterion(model(X).detach(), Y) and None)
    assert [one.rule for one in seen.report().warnings] == ["smoothing not heard of"]


def test_clipping_that_never_had_to_act_does_not_say_that_it_acted() -> None:
    found = {}
    for limit in (1e6, 1e-3):
        model, other = Net(), Net()
        optimizer = adamw(model)
        seen = proof.watch(model, optimizer, expects=["clipping"])

        def clip(model: nn.Module = model, other: nn.Module = other, limit: float = limit) -> None:
            torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm=limit)
            other.requires_grad_()  # a net of its own, whose norm says nothing about this one
            other(X).sum().backward()
            torch.nn.utils.clip_grad_norm_(list(other.parameters()), 1e-6)

        epochs(model, optimizer, before=clip)
        report = seen.report()
        seen.close()
        found[limit] = next(one for one in report.present if one.what == "clipping")
        assert report.warnings == ()
    assert found[1e6].acted is None
    assert "of the length" in found[1e6].said
    assert found[1e-3].acted is True


def test_targets_that_the_user_smoothed_are_no_missing_smoothing() -> None:
    model = Net()
    optimizer = adamw(model)
    seen = proof.watch(model, optimizer, expects=["smoothing"])
    for _ in range(3):
        optimizer.zero_grad()
        F.cross_entropy(model(X), F.one_hot(Y, 2) * 0.9 + 0.05).backward()
        optimizer.step()
    assert seen.report().warnings == ()
    seen.close()


def test_a_model_whose_parts_are_called_is_said_so_and_nothing_is_blamed() -> None:
    """As in a LightningModule that calls ``self.net`` and has no ``forward``."""
    model = nn.Module()
    model.net = Net()
    optimizer = adamw(model)
    seen = proof.watch(model, optimizer)
    epochs(model.net, optimizer, before=lambda: torch.nn.utils.clip_grad_norm_(model.parameters(), 1e-3) and None)
    report = seen.report()
    seen.close()
    assert "The watched model itself was not run" in str(report)
    assert [one.acted for one in report.present if one.what == "clipping"] == [None]
    assert report.warnings == ()


def test_the_rate_of_the_decay_is_told_and_one_place_is_one() -> None:
    model = Net()
    optimizer = adamw(model, decay=1e-8)
    seen = proof.watch(model, optimizer)
    epochs(model, optimizer)
    said = {one.what: one.said for one in seen.report().present}
    assert said["decay"] == "1e-08 on 4 of 4 parameters, 2 of 2 trained weight matrices"
    assert said["dropout"].startswith("1 place, p 0.3")


def test_a_decay_at_learning_rate_0_is_named_as_that() -> None:
    model = Net()
    optimizer = adamw(model, lr=0.0)
    seen = proof.watch(model, optimizer)
    epochs(model, optimizer)
    assert "decay at rate 0" in [one.rule for one in seen.report().warnings]
    assert "none of which had a gradient" not in str(seen.report())
