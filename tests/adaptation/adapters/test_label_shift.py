import numpy as np
import pytest

from temperance.adaptation.adapters.label_shift import LabelShift
from temperance.records.errors import DataError, SettingError


def traffic(world, share, b=2000, seed=5):
    y = world.labels(b, share, seed=seed)
    return world.model(world.draw(y, seed=seed + 1)), y


@pytest.mark.parametrize("share", [0.5, 0.7, 0.9])
def test_finds_the_share_of_the_classes(world, share):
    adapter = LabelShift()
    state = adapter.adapt(adapter.begin(world.reference), traffic(world, share)[0])
    assert state["prior"][1] == pytest.approx(share, abs=0.06)


def test_applies_the_textbook_formula(world):
    adapter = LabelShift()
    state = adapter.begin(world.reference) | {"prior": np.array([0.2, 0.8]), "source": np.array([0.5, 0.5])}
    out = adapter.apply(state, np.array([[0.5, 0.5], [0.9, 0.1]]))
    np.testing.assert_allclose(out, [[0.2, 0.8], [0.18 / 0.26, 0.08 / 0.26]])
    assert adapter.apply(state, np.array([[0.5, 0.5]], dtype=np.float32)).dtype == np.float32


def test_correction_helps_under_label_shift(world):
    adapter = LabelShift()
    state = adapter.adapt(adapter.begin(world.reference), traffic(world, 0.95)[0])
    p, y = traffic(world, 0.95, seed=50)
    out = adapter.apply(state, p)
    assert (out.argmax(axis=1) == y).mean() > (p.argmax(axis=1) == y).mean() + 0.05


def test_ratio_is_an_e_value_on_unshifted_traffic(world):
    adapter = LabelShift()
    source = adapter.begin(world.reference)
    state = adapter.adapt(source, traffic(world, 0.8)[0])
    ratios = adapter.log_ratio(state, source, traffic(world, 0.5, b=20_000)[0]) - adapter.slack(source)
    assert np.exp(ratios).mean() < 1.03
    shifted = adapter.log_ratio(state, source, traffic(world, 0.8)[0])
    assert shifted.mean() > 0.05


def test_fit_accepts_label_shift_and_rejects_a_moved_input(world):
    adapter = LabelShift()
    source = adapter.begin(world.reference)
    assert adapter.fit(source) == 1.0
    assert adapter.fit(adapter.adapt(source, traffic(world, 0.8)[0])) > 0.01
    moved = world.model(world.draw(world.labels(2000, 0.5, seed=8), seed=9) * 2)
    assert adapter.fit(adapter.adapt(source, moved)) < 1e-4


def test_says_nothing_before_enough_rows_and_stays_in_the_trust_region(world):
    adapter = LabelShift()
    source = adapter.begin(world.reference)
    few = adapter.adapt(source, traffic(world, 1.0, b=100)[0])
    np.testing.assert_array_equal(few["prior"], source["prior"])
    extreme = LabelShift(shrink=0.0, limit=1.5)
    state = extreme.adapt(source, traffic(world, 1.0)[0])
    weights = state["prior"] / state["source"]
    assert weights.max() / weights.min() <= 1.5**2 + 1e-9


def test_batch_size_does_not_matter(world):
    adapter = LabelShift()
    p = traffic(world, 0.7, b=400)[0]
    whole = adapter.adapt(adapter.begin(world.reference), p)
    state = adapter.begin(world.reference)
    for i in range(0, 400, 7):
        state = adapter.adapt(state, p[i : i + 7])
    for name in whole:
        np.testing.assert_allclose(state[name], whole[name], rtol=1e-5)


def test_multiclass(world):
    rng = np.random.default_rng(0)
    p = rng.dirichlet([0.4] * 4, size=4000)
    y = (p.cumsum(axis=1) < rng.random((4000, 1))).sum(axis=1)
    adapter = LabelShift()
    state = adapter.begin({"sample": p[:2000], "sample_target": y[:2000]})
    rest = np.arange(2000, 4000)
    kept = rest[(y[2000:] != 0) | (rng.random(2000) < 0.2)]
    state = adapter.adapt(state, p[kept])
    truth = np.bincount(y[kept], minlength=4) / len(kept)
    np.testing.assert_allclose(state["prior"], truth, atol=0.08)


def test_bad_references_settings_and_shapes_are_refused(world):
    with pytest.raises(DataError, match="no class targets"):
        LabelShift().begin({"sample": np.zeros((5, 2))})
    with pytest.raises(DataError, match="labelled reference rows"):
        LabelShift().begin({"sample": np.full((50, 2), 0.5), "sample_target": np.zeros(50)})
    with pytest.raises(SettingError, match="horizon"):
        LabelShift(horizon=1)
    with pytest.raises(DataError, match="shape"):
        LabelShift().apply(LabelShift().begin(world.reference), np.zeros((3, 5)))
