import numpy as np
import pytest

from temperance.adaptation.rollback import SOURCE, Log, Snapshots, digest
from temperance.records.errors import BundleError, SettingError


def test_snapshots_come_back_bit_for_bit_and_old_ones_go_but_never_the_source():
    held = Snapshots({"w": np.array([0.1, 0.2])}, keep=2)
    states = [{"w": np.random.default_rng(i).normal(size=3)} for i in range(4)]
    versions = [held.put(s) for s in states]
    assert digest(held.get(versions[-1])) == digest(states[-1])
    assert digest(held.get(SOURCE)) == held.digest(SOURCE)
    with pytest.raises(BundleError, match="snapshot 1"):
        held.get(versions[0])


def test_a_snapshot_is_a_copy_and_cannot_be_written():
    state = {"w": np.zeros(2)}
    held = Snapshots(state)
    state["w"][0] = 9
    assert held.get(SOURCE)["w"][0] == 0
    with pytest.raises(ValueError, match="read-only"):
        held.get(SOURCE)["w"][0] = 1


def test_a_corrupted_snapshot_is_refused():
    held = Snapshots({"w": np.zeros(2)})
    array = held.get(SOURCE)["w"]
    array.setflags(write=True)
    array[0] = 1
    with pytest.raises(BundleError, match="changed"):
        held.get(SOURCE)
    with pytest.raises(SettingError, match="keep"):
        Snapshots({}, keep=0)


def test_digest_sees_type_shape_and_name():
    zero = digest({"w": np.zeros(2)})
    assert zero != digest({"w": np.zeros(2, np.float32)})
    assert zero != digest({"w": np.zeros((2, 1))})
    assert zero != digest({"v": np.zeros(2)})


def test_log_shows_a_changed_and_a_dropped_event():
    log = Log()
    for i in range(3):
        log.add({"event": "promote", "row": i})
    assert log.intact()
    assert not Log(log.events[1:]).intact()
    log.events[1]["row"] = 99
    assert not log.intact()


def test_a_log_in_a_state_is_the_same_log():
    log = Log()
    log.add({"event": "promote", "row": 1})
    assert Log.unpacked(log.packed()).events == log.events
    assert Log.unpacked(Log().packed()).events == []
