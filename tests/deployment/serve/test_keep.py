"""State survives: whole, for one version, for one server."""

import numpy as np
import pytest

from temperance.deployment.serve.keep import STATE, Keep
from temperance.records.errors import BundleError, SettingError


class Counter:
    def __init__(self, value=0):
        self.value = value

    def state_dict(self):
        return {"value": np.array(self.value)}

    def load_state_dict(self, state):
        self.value = int(state["value"])


def again(folder, version, parts):
    keep = Keep(folder, version, parts)
    try:
        return keep.load()
    finally:
        keep.close()


def test_parts_go_on_where_they_were(tmp_path):
    keep = Keep(tmp_path / "deep" / "state", "abc", {"a": Counter(3), "b": Counter(4)})
    assert not keep.load()
    keep.save()
    with pytest.raises(SettingError, match="another server"):
        Keep(tmp_path / "deep" / "state", "abc", {})
    keep.close()
    a, b, new = Counter(), Counter(), Counter(7)
    assert again(tmp_path / "deep" / "state", "abc", {"a": a, "b": b, "new": new})
    assert (a.value, b.value, new.value) == (3, 4, 7)


def test_the_state_of_another_version_is_put_aside(tmp_path):
    keep = Keep(tmp_path, "abc", {"a": Counter(3)})
    keep.save()
    keep.close()
    a = Counter()
    assert not again(tmp_path, "def", {"a": a})
    assert a.value == 0
    assert (tmp_path / "state-abc.npz").exists()


@pytest.mark.parametrize("damage", [lambda data: data[:50], lambda data: b"", lambda data: b"x" * 99])
def test_a_damaged_state_is_named(tmp_path, damage):
    keep = Keep(tmp_path, "abc", {"a": Counter(3)})
    keep.save()
    keep.close()
    (tmp_path / STATE).write_bytes(damage((tmp_path / STATE).read_bytes()))
    with pytest.raises(BundleError, match="Move the file away"):
        again(tmp_path, "abc", {"a": Counter()})


def test_a_folder_that_cannot_be_used(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingError, match="--state none"):
        Keep(tmp_path / "file", "abc", {})
