import json
import subprocess
import sys
import threading

import numpy as np
import pytest

from temperance.monitoring import reference
from temperance.monitoring.monitor import PACE, Monitor
from temperance.records.errors import BundleError
from temperance.records.schema import Column, Rows, Schema, Target


def test_calm_without_drift(world):
    monitor = Monitor(world.reference, world.schema)
    rows, predictions, _ = world.draw(5000, seed=1)
    assert "alarm" not in {v.state for v in monitor.observe(rows, predictions)}
    assert "alarm" not in {v.state for v in monitor.verdicts()}
    summary = monitor.summary()
    assert summary["alarms"] == []
    assert summary["rows"] == 5000
    json.dumps(summary)


@pytest.mark.parametrize(
    ("drift", "channel"),
    [({"shift": 0.8}, "feature:x0"), ({"missing": 0.2}, "missing:x1"), ({"unseen": 0.1}, "unseen:c0")],
)
def test_each_kind_of_drift_is_found_in_its_channel(world, drift, channel):
    monitor = Monitor(world.reference, world.schema)
    monitor.observe(*world.draw(1000, seed=1)[:2])
    changed = monitor.observe(*world.draw(1000, seed=2, **drift)[:2])
    assert channel in [v.channel for v in changed if v.state == "alarm"]
    assert channel in monitor.summary()["alarms"]
    quiet = {"feature:x2", "feature:c1", "missing:x2"} & set(monitor.summary()["alarms"])
    assert not quiet
    verdict = next(v for v in changed if v.channel == channel and v.state == "alarm")
    assert verdict.evidence >= verdict.threshold
    assert verdict.sentence


def test_predictions_drift_even_when_inputs_do_not(world):
    monitor = Monitor(world.reference, world.schema)
    rows, predictions, _ = world.draw(1500, seed=3)
    monitor.observe(rows, predictions[:, ::-1] ** 4 / (predictions**4).sum(axis=1, keepdims=True))
    assert "confidence" in monitor.summary()["alarms"]


def test_one_by_one_and_all_at_once_agree(world):
    rows, predictions, _ = world.draw(300, seed=4, shift=0.5)
    one, many = Monitor(world.reference, world.schema), Monitor(world.reference, world.schema)
    one.observe(rows, predictions)
    for i in range(300):
        many.observe(rows.take(slice(i, i + 1)), predictions[i : i + 1])
    assert one.verdicts() == many.verdicts()


def test_state_round_trip_goes_on_bit_for_bit(world, tmp_path):
    a, b = Monitor(world.reference, world.schema), Monitor(world.reference, world.schema, seed=5)
    a.observe(*world.draw(333, seed=1)[:2])
    np.savez(tmp_path / "state.npz", **a.state_dict())
    with np.load(tmp_path / "state.npz", allow_pickle=False) as state:
        b.load_state_dict(dict(state))
    rows, predictions, _ = world.draw(500, seed=2, shift=0.7)
    assert a.observe(rows, predictions) == b.observe(rows, predictions)
    assert a.verdicts() == b.verdicts()


def test_reset_ends_an_alarm(world):
    monitor = Monitor(world.reference, world.schema)
    monitor.observe(*world.draw(1000, seed=2, shift=1.5)[:2])
    assert monitor.summary()["state"] == "alarm"
    monitor.reset()
    assert monitor.summary()["state"] == "calm"


def test_threads_lose_no_row_and_summaries_stay_whole(world):
    monitor = Monitor(world.reference, world.schema)
    rows, predictions, _ = world.draw(100, seed=1)

    def work():
        for i in range(100):
            monitor.observe(rows.take(slice(i, i + 1)), predictions[i : i + 1])
            assert set(monitor.summary()["evidence"]) == set(monitor.names)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert monitor.summary()["rows"] == 400
    assert monitor.panel.n.max() >= 400 - 400 % PACE


def test_regression_and_images_are_watched_too():
    rng = np.random.default_rng(0)
    schema = Schema((Column("x", "numeric"),), Target("y", "regression"))
    rows = Rows(rng.normal(size=(200, 1)), np.empty((200, 0), np.int32))
    monitor = Monitor(reference.build(rows, rows.numeric[:, 0], schema), schema)
    monitor.observe(rows, rows.numeric[:, 0] + 3)
    assert monitor.summary()["alarms"] == ["prediction"]
    schema = Schema((), Target("y", "binary", ("a", "b")), kind="images", image_shape=(8, 8, 3))
    pixels = rng.integers(0, 128, (300, 8, 8, 3)).astype(np.uint8)
    p = rng.dirichlet([1, 1], size=300)
    empty = np.empty((300, 0))
    arrays = reference.build(Rows(empty, empty.astype(np.int32), pixels), p, schema)
    monitor = Monitor(arrays, schema)
    monitor.observe(Rows(empty, empty.astype(np.int32), pixels + np.uint8(100)), p)
    assert monitor.summary()["alarms"] == ["feature:brightness"]


def test_a_reference_of_other_columns_is_refused(world):
    other = Schema((Column("z", "numeric"),), world.schema.target)
    with pytest.raises(BundleError, match="channels"):
        Monitor(world.reference, other)


def test_neither_torch_nor_polars_nor_sklearn_is_loaded():
    code = (
        "import sys; import temperance.monitoring.monitor, temperance.monitoring.degradation, "
        "temperance.monitoring.alerts; from temperance.monitoring.detectors import load; load(); "
        "print([m for m in ('torch', 'polars', 'sklearn', 'scipy', 'temperance.core') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
