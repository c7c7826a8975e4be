"""Settings of a training."""

from __future__ import annotations

import math

import pytest

from temperance.records.errors import SettingError
from temperance.training.settings import TrainSettings


@pytest.mark.parametrize(
    "wrong",
    [{"epochs": 0}, {"batch_size": 0}, {"lr": -1e-3}, {"warmup": 1.0}, {"warmup": -0.1}, {"curve": "zigzag"},
     {"epochs": math.nan}],
)  # fmt: skip
def test_values_out_of_range_are_refused_by_name(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingError, match=str(next(iter(wrong.values())))):
        TrainSettings(**wrong)  # type: ignore[arg-type]


def test_round_trip_ignores_unknown_keys() -> None:
    one = TrainSettings(epochs=2.5, batch_size=7, curve="cosine", warmup=0.1)
    assert TrainSettings.from_dict({**one.to_dict(), "later": 1}) == one


@pytest.mark.parametrize(("rows", "steps"), [(1, 1), (2, 1), (16, 1), (17, 1), (18, 2), (33, 2), (34, 3)])
def test_a_last_batch_of_one_row_joins_the_one_before(rows: int, steps: int) -> None:
    assert TrainSettings(batch_size=16).steps_per_epoch(rows) == steps


def test_epochs_may_be_a_fraction_but_one_step_is_always_taken() -> None:
    assert TrainSettings(epochs=0.5, batch_size=10).steps(100) == 5
    assert TrainSettings(epochs=1e-6, batch_size=10).steps(100) == 1


def test_rates_follow_their_curves() -> None:
    flat = TrainSettings(lr=0.2, curve="flat_cos")
    assert flat.rate(0.0) == flat.rate(0.5) == 0.2
    assert flat.rate(0.75) == pytest.approx(0.1)
    assert flat.rate(1.0) == pytest.approx(0.0)
    assert TrainSettings(lr=0.2, curve="cosine").rate(0.5) == pytest.approx(0.1)
    assert TrainSettings(lr=0.2, curve="constant").rate(0.9) == 0.2
    assert TrainSettings(lr=0.2, warmup=0.1).rate(0.05) == pytest.approx(0.1)
