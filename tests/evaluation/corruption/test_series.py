import numpy as np
import pytest

from temperance.evaluation.corruption.base import reference
from temperance.evaluation.corruption.registry import families
from temperance.evaluation.corruption.series import SERIES, ClockShift, Gain, LostBlock, LostChannel, StuckSensor, Warp
from temperance.records.schema import Column, Rows, Schema, Target


@pytest.fixture
def waves():
    g = np.random.default_rng(0)
    t = np.arange(50)
    series = np.sin(t / 5 + g.uniform(0, 6, (80, 1, 1))) + 0.1 * g.normal(size=(80, 3, 50))
    schema = Schema(tuple(Column(f"c{j}", "series", f"c{j}") for j in range(3)), Target("y", "binary", ("a", "b")))
    rows = Rows(np.zeros((80, 0)), np.zeros((80, 0), np.int32), None, None, series.astype(np.float32))
    return rows, reference(schema, rows)


def damage(family, waves, severity):
    rows, facts = waves
    return family()(rows, severity=severity, reference=facts, generator=np.random.default_rng(1)).series


@pytest.mark.parametrize("family", SERIES, ids=lambda f: f.name)
def test_damage_grows_with_severity_and_leaves_the_clean_rows_alone(family, waves):
    clean = waves[0].series.copy()
    sizes = []
    for severity in (1, 3, 5):
        made = damage(family, waves, severity)
        assert made.shape == clean.shape
        assert made.dtype == np.float32
        sizes.append(float(np.abs(np.nan_to_num(made, nan=5.0) - clean).mean()))
    assert np.array_equal(waves[0].series, clean)
    assert 0 <= sizes[0] < sizes[1] < sizes[2]


def test_each_does_what_it_says(waves):
    clean = waves[0].series
    ratio = damage(Gain, waves, 4) / clean
    assert set(np.round(ratio.ravel(), 3).tolist()) == {0.5, 2.0}
    gap = np.isnan(damage(LostBlock, waves, 5))
    assert gap.mean() == 0.5
    assert (gap == gap[:, :1]).all()
    stuck = damage(StuckSensor, waves, 5)
    assert (np.diff(stuck, axis=2) == 0).sum(axis=2).min() >= 24
    channels = np.isnan(damage(LostChannel, waves, 5)).all(axis=2)
    assert (~channels).any(axis=1).all()
    assert 0.2 < channels.mean() < 0.6
    moved = damage(ClockShift, waves, 3)
    assert all(
        np.allclose(m[:, :-5], c[:, 5:]) or np.allclose(m[:, 5:], c[:, :-5]) for m, c in zip(moved, clean, strict=True)
    )


def test_a_warp_of_a_straight_line_is_a_straight_line():
    line = np.tile(np.arange(51.0), (4, 1, 1)).astype(np.float64)
    made = Warp().bend(line, level=1.1, spread=line[..., :1], generator=np.random.default_rng(0))
    inner = np.diff(made[:, 0, 10:40], axis=1)
    assert set(np.round(inner, 6).ravel().tolist()) <= {1.1, round(1 / 1.1, 6)}
    assert made[:, 0, 25].tolist() == pytest.approx([25.0] * 4)


def test_series_meet_only_families_of_series(waves):
    names = {family.name for family in families(waves[1], basic=False)}
    assert {one.name for one in SERIES} <= names
    assert names - {one.name for one in SERIES} <= {"missing", "swap"}
