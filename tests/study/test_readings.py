"""Readings: kept on disk, weighed over (reading, slot) pairs, cleared."""

import numpy as np
import pytest
import torch

from temperance.study.mixture import Evidence
from temperance.study.readings import KEPT_PRIOR, MOST_PICKS, Readings, prior_of


def made(folder, *, rows=300, slots=2, readings=5, best=2):
    rng = np.random.default_rng(0)
    truth = rng.normal(size=rows)
    found = Readings(folder, truth, np.arange(rows) % 5, (False, True), banks=5)
    for number in range(readings):
        spread = 0.2 + 0.3 * abs(number - best)
        answers = truth[:, None] + spread * rng.normal(size=(rows, slots))
        found.add((number + 1) / readings, answers.astype(np.float32), {"w": torch.full((2,), float(number))})
    return found, truth


def test_the_best_readings_are_picked(tmp_path):
    found, truth = made(tmp_path)
    mixed = found.mixture("regression")
    assert 1 <= len(mixed.picks) <= MOST_PICKS
    assert max(mixed.picks, key=lambda p: p.share).reading == 2
    assert sum(p.share for p in mixed.picks) == pytest.approx(1.0)
    last = np.load(tmp_path / "answers_4.npy").mean(1)
    assert ((mixed.selection - truth) ** 2).mean() < 0.2 * ((last - truth) ** 2).mean()
    worth = {row["ingredient"]: row["difference"]["value"] for row in mixed.attribution}
    assert worth["stopping early and averaging several moments"] < 0


def test_weights_come_back_and_are_cleared(tmp_path):
    found, _ = made(tmp_path)
    assert found.state(3)["w"].tolist() == [3.0, 3.0]
    found.clear()
    assert list(tmp_path.iterdir()) == []


def test_a_reading_that_is_not_finite_is_left_out(tmp_path):
    found, _ = made(tmp_path)
    found.add(1.0, np.full((300, 2), np.nan, dtype=np.float32), {"w": torch.zeros(2)})
    assert len(found.fractions) == 5


def test_the_prior_lies_on_the_best_group():
    evidence = Evidence.of([np.array([0.0, 0.0]), np.array([1.0, 1.0]), np.array([3.0, 3.0])], np.array([1.0, 1.0]))
    prior = prior_of(evidence, groups=np.array([0, 1, 2]))
    assert prior == pytest.approx([(1 - KEPT_PRIOR) / 3, KEPT_PRIOR + (1 - KEPT_PRIOR) / 3, (1 - KEPT_PRIOR) / 3])
