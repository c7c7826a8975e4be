import numpy as np
import pytest

from temperance.monitoring.panel import BLOCK, SKIP, Panel
from temperance.records.errors import DataError, SettingError


def counts(c=3, bins=8, m=200, seed=0):
    rng = np.random.default_rng(seed)
    return rng.multinomial(m, np.full(bins, 1 / bins), size=c)


def codes(b, c=3, bins=8, seed=1):
    return np.random.default_rng(seed).integers(0, bins, (c, b)).astype(np.int8)


def slow_p(panel_counts, rows, u):
    """The formula, written out: rank among the reference and all earlier rows."""
    past = [list(np.repeat(np.arange(len(k)), k)) for k in panel_counts]
    out = np.full(rows.shape, np.nan)
    for c in range(len(rows)):
        for i, code in enumerate(rows[c]):
            if code == SKIP:
                continue
            less = sum(v < code for v in past[c])
            equal = sum(v == code for v in past[c])
            out[c, i] = (less + u[c, i] * (equal + 1)) / (len(past[c]) + 1)
            past[c].append(code)
    return out


def test_p_values_equal_the_formula_written_out():
    start, rows = counts(m=15), codes(BLOCK)
    rows[1, 10:30] = SKIP
    panel = Panel(start, seed=7)
    u = np.random.Generator(np.random.PCG64(7)).random(rows.shape)
    fast = panel._p_values(rows, rows >= 0)
    expected = slow_p(start, rows, u)
    np.testing.assert_allclose(fast[rows >= 0], expected[rows >= 0], rtol=1e-12)


def test_blocks_of_any_size_grow_the_same_reference():
    rows = codes(300)
    one, many = Panel(counts()), Panel(counts())
    one.observe(rows)
    for i in range(0, 300, 7):
        many.observe(rows[:, i : i + 7])
    np.testing.assert_array_equal(one.counts, many.counts)
    np.testing.assert_array_equal(one.n, [300] * 3)


def test_recursion_equals_the_formula_written_out():
    rows = codes(20)
    panel = Panel(counts(), seed=3)
    twin = Panel(counts(), seed=3)
    padded = np.pad(rows, ((0, 0), (0, BLOCK - 20)), constant_values=SKIP)
    cells = (twin._p_values(padded, padded >= 0) * 1024).astype(int)[:, :20]
    panel.observe(rows)
    fixed = panel._fixed.shape[1]
    r = np.zeros((3, fixed))
    for i in range(20):
        r = panel._fixed[cells[:, i]] * (1 + r)
    np.testing.assert_allclose(panel.evidence[:, :fixed], r, rtol=1e-12)


def test_shifted_channel_alarms_and_only_that_one():
    panel = Panel(counts(m=2000))
    panel.observe(codes(2000))
    assert not panel.alarmed.any()
    shifted = codes(400, seed=5)
    shifted[1] = np.minimum(shifted[1] + 3, 7)
    panel.observe(shifted)
    np.testing.assert_array_equal(panel.alarmed, [False, True, False])
    assert panel.values()[1] >= panel.threshold


def test_reference_stops_growing_in_alarm_and_alarm_ends_when_traffic_is_normal_again():
    panel = Panel(counts(c=1, m=2000))
    panel.observe(np.full((1, 200), 7, dtype=np.int8))
    assert panel.alarmed.all()
    before = panel.counts.copy()
    panel.observe(np.full((1, 200), 7, dtype=np.int8))
    np.testing.assert_array_equal(panel.counts, before)
    panel.observe(codes(3000, c=1))
    assert not panel.alarmed.any()


def test_reset_goes_back_to_the_start_and_accept_keeps_the_traffic():
    panel = Panel(counts())
    panel.observe(codes(128))
    panel.reset(accept=True)
    assert panel.counts.sum() == 3 * (200 + 128)
    assert panel.evidence.max() == 0
    panel.reset()
    np.testing.assert_array_equal(panel.counts, counts())


def test_state_round_trip_goes_on_bit_for_bit():
    a, b = Panel(counts(), seed=1), Panel(counts(), seed=99)
    a.observe(codes(100))
    b.load_state_dict(a.state_dict())
    np.testing.assert_array_equal(a.observe(codes(150, seed=2)), b.observe(codes(150, seed=2)))


def test_tolerance_ignores_a_shift_within_it():
    rng = np.random.default_rng(0)
    edges = np.linspace(-2, 2, 7)
    ref = np.bincount(np.searchsorted(edges, rng.normal(size=20000)), minlength=8)[None]
    rows = np.searchsorted(edges, rng.normal(0.2, size=4000)).astype(np.int8)[None]
    strict, lenient = Panel(ref), Panel(ref, tolerance=0.4)
    strict.observe(rows)
    lenient.observe(rows)
    assert strict.alarmed.all()
    assert not lenient.alarmed.any()


def test_expected_evidence_is_at_most_the_number_of_rows():
    """E[R_n] = n: the property that the guarantee rests on, over 300 fresh references of 30 rows each."""
    evidence = []
    for seed in range(300):
        panel = Panel(counts(c=4, m=30, seed=seed), seed=seed)
        evidence.append(panel.observe(codes(100, c=4, seed=10_000 + seed)))
    mean = np.mean(evidence)
    assert 40 < mean < 200  # 100 in expectation; heavy tails make the mean vary


@pytest.mark.slow
def test_false_alarms_stay_below_the_stated_chance():
    """Threshold 2·C·A with A = 500: at most n / (2A) = 0.5 of runs of 500 rows may alarm; with tiny references too."""
    alarms = 0
    for seed in range(200):
        panel = Panel(counts(c=10, m=25, seed=seed), average_run_length=500, seed=seed)
        panel.observe(codes(500, c=10, seed=10_000 + seed))
        alarms += bool((panel.alarmed_at >= 0).any())
    assert alarms / 200 <= 0.5


@pytest.mark.parametrize("bad", [np.zeros(3), np.zeros((2, 1)), -np.ones((2, 4))])
def test_bad_counts_are_refused(bad):
    with pytest.raises(DataError, match="counts"):
        Panel(bad)


def test_bad_settings_and_shapes_are_refused():
    with pytest.raises(SettingError, match="average_run_length"):
        Panel(counts(), average_run_length=0)
    with pytest.raises(SettingError, match="tolerance"):
        Panel(counts(), tolerance=2)
    with pytest.raises(DataError, match="codes"):
        Panel(counts()).observe(codes(10, c=2))
    with pytest.raises(DataError, match="evidence"):
        Panel(counts()).load_state_dict(Panel(counts()).state_dict() | {"evidence": np.zeros((1, 1))})
