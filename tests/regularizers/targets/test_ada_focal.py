"""AdaFocal: vectorised as a loop over examples, moved by validation."""

import numpy as np
import pytest
import torch

from temperance import AdaFocal, Mixed, MixUp, Recipe
from temperance.records.errors import RecipeError, SettingError
from temperance.regularizers.targets.ada_focal import BINS, EDGES, GAPS, next_gammas
from temperance.signals.calibration_bins import BINS as SIGNAL_BINS
from temperance.testing.said import LABELS, LOGITS, MEMBERS, RIGHT, attach, value

GAMMAS = torch.linspace(-2, 5, BINS, dtype=torch.float64)


def test_equals_a_loop_over_examples():
    session = attach(AdaFocal())
    memory = session._memory["ada_focal"]
    memory["gammas"] = GAMMAS
    edges = memory["edges"].tolist()
    total = 0.0
    for p in RIGHT:
        gamma = float(GAMMAS[sum(p >= edge for edge in edges)])
        total += (1 - np.sign(gamma) * p) ** abs(gamma) * -np.log(p)
    assert float(session.loss((LOGITS, LABELS)).detach()) == pytest.approx(total / 10, abs=1e-10)


def test_no_gap_leaves_the_exponents_alone():
    kept = torch.where(GAMMAS.abs() < 0.2, 0.2, GAMMAS)
    assert torch.equal(next_gammas(kept, torch.zeros(BINS, dtype=torch.float64)), kept)


def test_overconfidence_raises_exponents_on_both_sides_the_published_way():
    after = next_gammas(torch.tensor([1.0, 1.0, -1.0, 15.0, -1.9]), torch.tensor([0.5, -0.5, 0.5, 1.0, -1.0]))
    torch.testing.assert_close(
        after, torch.tensor([np.e**0.5, np.e**-0.5, -(np.e**-0.5), 20.0, -2.0], dtype=torch.float32)
    )


def test_validation_moves_them_and_a_missing_number_holds_them():
    session = attach(AdaFocal())
    assert SIGNAL_BINS == BINS
    numbers = session.validate([(LOGITS * 3, LABELS)])
    memory = session._memory["ada_focal"]
    wanted = next_gammas(torch.ones(BINS, dtype=torch.float64), torch.tensor([numbers[g] for g in GAPS]).double())
    torch.testing.assert_close(memory["gammas"], wanted, rtol=1e-6, atol=1e-6)
    assert memory["edges"].tolist() == pytest.approx([numbers[e] for e in EDGES])
    assert AdaFocal().hear({GAPS[0]: 0.1}, memory) == {}


def test_a_population_hears_for_each_member():
    memory = {"gammas": torch.ones(3, BINS), "edges": torch.ones(3, BINS - 1)}
    gaps = {name: np.array([0.0, 0.1, 0.2]) for name in GAPS} | dict.fromkeys(EDGES, np.array([0.5, 0.5, 0.5]))
    after = AdaFocal().hear(gaps, memory)["gammas"]
    torch.testing.assert_close(after[:, 0], torch.exp(torch.tensor([0.0, 0.1, 0.2])))


def test_mixing_and_wrong_settings_are_refused():
    with pytest.raises(RecipeError, match="one label"):
        Recipe(AdaFocal(), MixUp())
    with pytest.raises(RecipeError, match="mixed batch"):
        value(AdaFocal(), LOGITS, Mixed(LABELS, LABELS, torch.tensor(0.5)))
    with pytest.raises(SettingError, match="rate"):
        AdaFocal(rate=-1.0)


def test_members_are_averaged():
    single = [value(AdaFocal(), MEMBERS[:, k], LABELS) for k in range(3)]
    torch.testing.assert_close(value(AdaFocal(), MEMBERS, LABELS), torch.stack(single).mean())


def test_a_regression_is_refused_by_name():
    with pytest.raises(RecipeError, match="AdaFocal"):
        value(AdaFocal(), LOGITS[:, :1], torch.zeros(10), loss=lambda z, y: z.squeeze(1) - y)
