import json

import numpy as np
import pytest

from temperance.adaptation.adapters.label_shift import LabelShift
from temperance.adaptation.guard import Guarded
from temperance.adaptation.rollback import Log
from temperance.records.errors import SettingError


def serve(guarded, p, step=16):
    return np.concatenate([guarded.transform(p[i : i + step]) for i in range(0, len(p), step)])


def accuracy(p, y):
    return float((p.argmax(axis=1) == y).mean())


def shifted(world, share=0.9, b=4000, seed=20):
    y = world.labels(b, share, seed=seed)
    return world.model(world.draw(y, seed=seed + 1)), y


def test_default_level_hands_back_the_very_array(world):
    guarded = Guarded(LabelShift(), world.reference)
    p, _ = shifted(world)
    assert guarded.transform(p) is p
    assert guarded.summary()["level"] == "observe"
    assert guarded.log.events == []


def test_shadow_reckons_but_serves_the_source(world):
    guarded = Guarded(LabelShift(), world.reference, level="shadow")
    p, _ = shifted(world)
    out = serve(guarded, p)
    assert out.tobytes() == p.tobytes()
    summary = guarded.summary()
    assert (summary["state"], summary["serving"]) == ("adapted", "source")
    assert summary["log_score_gain"] > 0
    assert summary["answers_changed"] > 0
    json.dumps(summary)


def test_real_label_shift_is_adapted_to_and_helps(world):
    guarded = Guarded(LabelShift(), world.reference, level="adapt")
    p, y = shifted(world)
    out = serve(guarded, p)
    assert accuracy(out, y) > accuracy(p, y) + 0.03
    first = guarded.log.events[0]
    assert first["event"] == "promote"
    assert first["figures"]["evidence"] >= 100_000
    assert guarded.log.intact()


@pytest.mark.parametrize("rows", [100, 3000])
def test_after_a_restart_it_goes_on_bit_for_bit(world, rows):
    one, other = (Guarded(LabelShift(), world.reference, level="adapt") for _ in range(2))
    p, y = shifted(world)
    serve(one, p[:rows])
    one.feedback(p[:50], y[:50])
    other.load_state_dict(one.state_dict())
    assert other.log.events == one.log.events
    assert serve(one, p[rows:]).tobytes() == serve(other, p[rows:]).tobytes()
    assert one.log.events == other.log.events
    states = one.state_dict(), other.state_dict()
    assert [k for k in states[0] if states[0][k].tobytes() != states[1][k].tobytes()] == []


def battery(world, n=6000):
    rng = np.random.default_rng(3)
    iid = world.labels(n, 0.5, seed=30)
    yield "iid", world.draw(iid, seed=31), iid
    for run in (500, n // 2):
        y = (np.arange(n) // run % 2).astype(np.int64)
        yield f"class-sorted {run}", world.draw(y, seed=32), y
    y = np.repeat(rng.random(n // 50) < 0.5, 50).astype(np.int64)
    yield "bursts of one class", world.draw(y, seed=33), y
    y = world.labels(n, 0.8, seed=34)
    yield "imbalanced", world.draw(y, seed=35), y
    for name, x in (
        ("moved", world.draw(iid, seed=36) + np.array([0.8, 0])),
        ("scaled", world.draw(iid, seed=37) * 1.5),
    ):
        y = (np.random.default_rng(38).random(n) < world.model(x)[:, 1]).astype(np.int64)
        yield f"covariates {name}", x, y


def test_no_stream_of_the_battery_loses_a_point(world):
    opened = {}
    for name, x, y in battery(world):
        guarded = Guarded(LabelShift(), world.reference, level="adapt")
        p = world.model(x)
        out = serve(guarded, p)
        opened[name] = len(guarded.log.events)
        assert accuracy(out, y) >= accuracy(p, y) - 0.01, name
        row = np.arange(len(y))
        loss = np.log(np.maximum(out[row, y], 1e-12)).mean() - np.log(np.maximum(p[row, y], 1e-12)).mean()
        assert loss >= -0.01, name
    assert opened["iid"] == 0
    assert opened["covariates moved"] == 0
    assert opened["imbalanced"] > 0


def test_rollback_is_bit_exact_at_once_and_idempotent(world):
    guarded = Guarded(LabelShift(), world.reference, level="adapt")
    p, _ = shifted(world)
    serve(guarded, p)
    assert guarded.adapted
    guarded.rollback("drill")
    after = guarded.transform(p[:8])
    assert after is not None
    assert after.tobytes() == p[:8].tobytes()
    events = len(guarded.log.events)
    guarded.rollback("drill")
    assert len(guarded.log.events) == events
    assert guarded.log.events[-1]["reason"] == "drill"
    assert guarded.log.events[-1]["snapshot"] == guarded.snapshots.digest(0)


def test_it_comes_back_by_itself_when_the_shift_ends(world):
    guarded = Guarded(LabelShift(), world.reference, level="adapt")
    serve(guarded, shifted(world, 0.95, seed=40)[0])
    assert guarded.adapted
    normal, _ = shifted(world, 0.5, b=500, seed=50)
    served = 0
    while guarded.adapted:
        guarded.transform(normal[served : served + 10])
        served += 10
    assert served <= 500
    assert "source explains" in guarded.log.events[-1]["reason"] or "fits" in guarded.log.events[-1]["reason"]


def test_labels_that_prove_harm_take_it_back(world):
    guarded = Guarded(LabelShift(), world.reference, level="adapt")
    serve(guarded, shifted(world, 0.95)[0])
    p, y = shifted(world, 0.1, b=200, seed=60)
    guarded.feedback(p, y)
    assert not guarded.adapted
    assert guarded.log.events[-1]["reason"] == "labels prove harm"


def test_dwell_is_capped_without_labels_and_not_with_proof(world):
    p, y = shifted(world, 0.95, b=8000)
    short = Guarded(LabelShift(), world.reference, level="adapt", max_dwell=1000, cooldown=500)
    serve(short, p)
    assert any("longest time" in event["reason"] for event in short.log.events)
    proved = Guarded(LabelShift(), world.reference, level="adapt", max_dwell=1500, cooldown=500)
    for i in range(0, 8000, 16):
        proved.transform(p[i : i + 16])
        proved.feedback(p[i : i + 16], y[i : i + 16])
    assert not any("longest time" in event["reason"] for event in proved.log.events)


def test_freeze_holds_until_thaw(world):
    guarded = Guarded(LabelShift(), world.reference, level="adapt")
    guarded.freeze()
    p, _ = shifted(world)
    assert serve(guarded, p).tobytes() == p.tobytes()
    assert guarded.summary()["state"] == "frozen"
    guarded.thaw()
    serve(guarded, p)
    assert guarded.adapted


def test_the_same_stream_writes_the_same_log(world):
    p, _ = shifted(world)
    logs = []
    for _ in range(2):
        guarded = Guarded(LabelShift(), world.reference, level="adapt")
        serve(guarded, p)
        logs.append(guarded.log.events)
    assert logs[0] == logs[1]


def test_a_poisoned_output_falls_back_to_the_source(world):
    guarded = Guarded(LabelShift(), world.reference, level="adapt")
    p, _ = shifted(world)
    serve(guarded, p)
    guarded.served = guarded.served | {"prior": np.array([np.nan, np.nan])}
    assert guarded.transform(p[:5]).tobytes() == p[:5].tobytes()
    assert not guarded.adapted


def test_settings_are_checked(world):
    with pytest.raises(SettingError, match="level"):
        Guarded(LabelShift(), world.reference, level="always")
    with pytest.raises(SettingError, match="range"):
        Guarded(LabelShift(), world.reference, harm_level=2.0)


def test_an_earlier_log_goes_on(world):
    p, _ = shifted(world)
    first = Guarded(LabelShift(), world.reference, level="adapt")
    serve(first, p)
    count = len(first.log.events)
    second = Guarded(LabelShift(), world.reference, level="adapt", log=Log(first.log.events))
    assert not second.adapted
    serve(second, p)
    assert len(second.log.events) == 2 * count
    assert second.log.intact()


def test_returns_forced_by_evidence_double_the_cooldown(world):
    guarded = Guarded(LabelShift(), world.reference, level="adapt", cooldown=100)
    waits = []
    for seed in (70, 80):
        guarded.quiet = 0
        serve(guarded, shifted(world, 0.95, seed=seed)[0])
        assert guarded.adapted
        p, y = shifted(world, 0.1, b=300, seed=seed + 5)
        guarded.feedback(p, y)
        waits.append(guarded.summary()["cooldown_left"])
    assert waits == [100, 200]


def test_inputs_that_no_class_shares_explain_veto_the_adaptation(world):
    guarded = Guarded(LabelShift(), world.reference, level="adapt", inputs=lambda prior: 0.0)
    p, _ = shifted(world)
    assert serve(guarded, p).tobytes() == p.tobytes()
    assert guarded.log.events == []
