"""The gate keeps its budget, whatever the gradients do."""

import pytest
import torch

from temperance import SAM, GatedSAM, Recipe
from temperance.records.errors import SettingError
from temperance.regularizers.flatness.gated_sam import gate, gate_of_numbers
from temperance.testing.problems import PROBLEMS
from temperance.testing.training import assert_same, attach, outcome, train, trained


def realised(scores, fraction):
    memory = {name: torch.zeros(()) for name in ("mean", "variance", "lift", "steps", "opened")}
    for score in scores:
        _, memory = gate(score, memory, torch.tensor(fraction), 0.9)
    return float(memory["opened"] / memory["steps"])


@pytest.mark.parametrize("fraction", [0.1, 0.25, 0.5, 0.8])
@pytest.mark.parametrize("kind", ["steady", "falling", "heavy", "constant"])
def test_the_realised_share_is_within_5_hundredths(fraction, kind):
    noise = torch.randn(300, generator=torch.Generator().manual_seed(1))
    scores = {
        "steady": (1 + 0.2 * noise).abs(),
        "falling": torch.exp(-torch.arange(300) / 60 + 0.3 * noise),
        "heavy": torch.exp(2 * noise),
        "constant": torch.ones(300) + 1e-3 * noise,
    }[kind]
    assert abs(realised(scores, fraction) - fraction) <= 0.05


def test_the_share_counts_in_a_training_too():
    problem = PROBLEMS["mlp"]
    session = attach(Recipe(GatedSAM(fraction=0.3)), problem)
    count = []
    session.model.register_forward_pre_hook(lambda *_: count.append(1))
    train(session, problem, range(120))
    assert abs((len(count) - 120) / 120 - 0.3) <= 0.05


def test_it_prefers_steps_with_large_gradients():
    scores = torch.exp(torch.randn(400, generator=torch.Generator().manual_seed(2)))
    memory = {name: torch.zeros(()) for name in ("mean", "variance", "lift", "steps", "opened")}
    chosen = []
    for score in scores:
        opened, memory = gate(score, memory, torch.tensor(0.3), 0.9)
        chosen.append(bool(opened))
    mask = torch.tensor(chosen)
    assert float(scores[mask].median()) > 2 * float(scores[~mask].median())


def test_share_1_is_sam_bit_for_bit():
    problem = PROBLEMS["convnet"]
    one, two = (outcome(trained(Recipe(r), problem)) for r in (GatedSAM(0.1, fraction=1.0), SAM(0.1)))
    assert_same(one, two, "always open")


def test_a_wrong_memory_is_refused():
    with pytest.raises(SettingError, match="decay"):
        GatedSAM(decay=1.0)


@pytest.mark.parametrize("fraction", [0.0, 0.3, 1.0])
def test_the_gate_decides_alike_with_numbers_and_with_tensors(fraction):
    names = ("mean", "variance", "lift", "steps", "opened")
    tensors = {name: torch.zeros((), dtype=torch.float64) for name in names}
    numbers = dict.fromkeys(names, 0.0)
    for score in torch.rand(50, generator=torch.Generator().manual_seed(3), dtype=torch.float64):
        wide, tensors = gate(score, tensors, torch.tensor(fraction, dtype=torch.float64), 0.9)
        opened, numbers = gate_of_numbers(float(score), numbers, fraction, 0.9)
        assert opened == bool(wide)
    assert numbers == pytest.approx({name: float(value) for name, value in tensors.items()})
