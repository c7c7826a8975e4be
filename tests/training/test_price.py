"""What a model costs to use."""

from __future__ import annotations

import time

import numpy as np
import torch
from torch import nn

from temperance.records.schema import Rows
from temperance.training.price import flops_per_row, latency_ms, net_cost, peak_memory_bytes


class Slow:
    """Takes two milliseconds and notes how many rows it was asked for."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def predict(self, rows: Rows) -> np.ndarray:
        self.sizes.append(rows.size)
        time.sleep(0.002)
        return np.zeros(rows.size)


def test_latency_is_a_median_over_calls_on_the_asked_count_of_rows() -> None:
    slow, rows = Slow(), Rows(np.zeros((3, 1)), np.zeros((3, 0), dtype=np.int32))
    found = latency_ms(slow, rows, 8, seconds=0.02)
    assert 2.0 <= found < 20.0
    assert set(slow.sizes) == {8}
    assert 4 <= len(slow.sizes) <= 12


def test_at_least_three_calls_are_made() -> None:
    slow, rows = Slow(), Rows(np.zeros((3, 1)), np.zeros((3, 0), dtype=np.int32))
    latency_ms(slow, rows, 1, seconds=0.0)
    assert len(slow.sizes) == 4  # one to warm up


def test_operations_are_counted_as_by_hand() -> None:
    model = nn.Sequential(nn.Linear(5, 7, bias=False), nn.ReLU(), nn.Linear(7, 3, bias=False))
    assert flops_per_row(model, torch.zeros(1, 5)) == 2 * (5 * 7 + 7 * 3)


def test_net_cost_counts_parameters_and_bytes() -> None:
    model = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6))
    found = net_cost(model, torch.zeros(1, 4), seconds=1.5, passes=12)
    parameters = 4 * 6 + 6 + 2 * 6
    assert found.parameters == parameters
    assert found.bytes == 4 * (parameters + 2 * 6) + 8  # running mean and variance, and a count of 8 bytes
    assert (found.seconds, found.passes) == (1.5, 12)
    assert found.flops == 2 * 4 * 6
    assert found.latency_1_ms is None
    assert net_cost(model, torch.zeros(1, 4), seconds=0.0, passes=0, measure=False).flops is None


def test_memory_is_this_process_own() -> None:
    assert 10 * 2**20 < peak_memory_bytes() < 2**40


def test_peak_memory_is_in_bytes_on_each_system(monkeypatch) -> None:
    import resource

    from temperance.training import price

    here = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    monkeypatch.setattr(price.sys, "platform", "linux")
    assert price.peak_memory_bytes() >= here * 1024
    monkeypatch.setattr(price.sys, "platform", "darwin")
    assert here <= price.peak_memory_bytes() < here * 1024
