"""Bins of equal count against a loop; what cannot be known is NaN."""

import math

import numpy as np
import torch

from temperance.signals.calibration_bins import CalibrationBins, _rows, calibration


def test_equals_a_count_by_hand():
    """Six rows in three bins: bounds 0.2, 0.4, 0.6; the first bin holds what is above its lower bound."""
    confidence = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    right = np.array([0.0, 1.0, 0.0, 1.0, 1.0, 1.0])
    gaps, edges = calibration(confidence, right, bins=3)
    np.testing.assert_allclose(edges, [0.3, 0.5])
    np.testing.assert_allclose(gaps, [0.25 - 0.5, 0.45 - 1.0, 0.6 - 1.0])


def test_a_calibrated_net_has_small_gaps_and_an_oversure_one_large_ones():
    generator = np.random.default_rng(0)
    confidence = generator.uniform(0.5, 1.0, 20_000)
    right = (generator.uniform(size=20_000) < confidence).astype(float)
    assert np.abs(calibration(confidence, right)[0]).max() < 0.05
    assert calibration(np.sqrt(confidence), right)[0].mean() > 0.05


def test_members_are_averaged_and_other_targets_are_unknown():
    outputs = torch.tensor([[[2.0, 0.0], [0.0, 0.0]]])
    confidence, right = _rows(outputs, torch.tensor([0]))
    assert abs(confidence[0] - (torch.sigmoid(torch.tensor(2.0)) + 0.5).item() / 2) < 1e-6
    assert right.tolist() == [1.0]
    assert _rows(outputs[:, 0, :1], torch.tensor([0.5])) is None
    assert _rows((outputs,), torch.tensor([0])) is None


def test_without_held_out_rows_everything_is_nan():
    from types import SimpleNamespace

    numbers = CalibrationBins().measure(SimpleNamespace(valid=(), outputs=None, served=None))
    assert len(numbers) == 29
    assert all(math.isnan(value) for value in numbers.values())
