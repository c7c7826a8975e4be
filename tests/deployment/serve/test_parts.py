"""Levels: what watches and adapts, fed by labels with request ids; state that goes on after the process is killed."""

import numpy as np
import pytest

from temperance.deployment.basic import basic_part
from temperance.deployment.bundle import load
from temperance.deployment.serve.launch import served
from temperance.deployment.serve.parts import parts
from temperance.deployment.write import Extras, write_bundle
from temperance.monitoring import reference
from temperance.records.errors import SettingError


def written(folder, model, schema, *, target=True):
    truth = model.target if target else None
    normal = reference.build(model.rows, model.predict(model.rows), schema, target=truth)
    return write_bundle(
        folder, part=basic_part(model.fitted, schema), schema=schema, predictor=model, rows=model.rows,
        extras=Extras(reference=normal),
    )  # fmt: skip


def walk(application, kit, schema, blocks, *, turn, first=0):
    """Serve blocks of 50 rows and label each two blocks later; return whether each answer was changed."""
    changed, waiting = [], []
    for k in range(first, first + blocks):
        rows, truth = kit.table_of(schema, 50, k)
        sent = application.serve(rows, f"r{k}")
        changed.append(not np.array_equal(sent, application.bundle.predict(rows)))
        waiting.append({"id": f"r{k}", "labels": turn(truth)})
        if len(waiting) > 2:
            told = application.admin.labels({"labels": [waiting.pop(0)]})
            assert told["taken"] == told["used_for_adaptation"] == 50
    return changed


def flipped(truth):
    return ["yes" if code == 0 else "no" for code in truth]


def test_a_bundle_without_reference_statistics_has_no_parts(kit, tmp_path):
    model = kit.Fitted("majority", kit.schema_of())
    bundle = write_bundle(
        tmp_path / "b", part=basic_part(model.fitted, model.schema), schema=model.schema, predictor=model,
        rows=model.rows,
    )  # fmt: skip
    assert parts(load(bundle.folder), level="observe", state=None, token="t") == {}


def test_a_bundle_without_truth_in_its_reference_is_watched_and_not_adapted(linear, binary, tmp_path):
    bundle = written(tmp_path / "b", linear, binary, target=False)
    assert parts(bundle, level="observe", state=None, token="t")["adapter"] is None
    with pytest.raises(SettingError, match="Serve at level observe"):
        parts(bundle, level="adapt", state=None, token="t")


def test_labels_by_request_id_change_what_is_sent_and_it_says_why(linear, binary, kit, tmp_path):
    application = served(written(tmp_path / "b", linear, binary), token="t", level="adapt")
    changed = walk(application, kit, binary, 40, turn=flipped)
    assert not any(changed[:3])
    assert changed[-1]
    health = application.health()["adaptation"]
    assert (health["serving"], health["state"]) == ("experts", "adapted")
    report = application.admin.report()
    assert report["diagnosis"]["cause"] == "relation"
    assert "retrain" in report["diagnosis"]["text"]
    text = application.metrics.text(*application._pages.figures()).decode()
    assert 'temperance_adaptation{level="adapt",serving="experts",state="adapted",why="gain"} 1.0' in text
    assert 'temperance_diagnosis{cause="relation",step="retrain"} 1.0' in text
    assert application.admin.rollback({"reason": "enough"})["serving"] == "source"
    rows, _ = kit.table_of(binary, 5, 99)
    assert np.array_equal(application.serve(rows, "x"), application.bundle.predict(rows))
    assert "enough" in application.admin.log()["events"][-1]["reason"]


def test_shadow_reckons_and_sends_the_source(linear, binary, kit, tmp_path):
    application = served(written(tmp_path / "b", linear, binary), token="t", level="shadow")
    assert not any(walk(application, kit, binary, 40, turn=flipped))
    assert application.health()["adaptation"]["serving"] == "experts"


@pytest.mark.parametrize("blocks", [5, 30])
def test_a_killed_server_goes_on_bit_for_bit(linear, binary, kit, tmp_path, blocks):
    bundle = written(tmp_path / "b", linear, binary)
    first = served(bundle, token="t", level="adapt", state=tmp_path / "s")
    walk(first, kit, binary, blocks, turn=flipped)
    first.keep.save()  # as after each call of /admin
    first.keep._lock.close()  # as a process that is killed lets go of it
    second = served(bundle, token="t", level="adapt", state=tmp_path / "s")
    for k in range(100, 115):
        rows, truth = kit.table_of(binary, 50, k)
        assert np.array_equal(first.serve(rows, f"r{k}"), second.serve(rows, f"r{k}"))
        for one in (first, second):
            one.admin.labels({"labels": [{"id": f"r{k}", "labels": flipped(truth)}]})
    states = first.adapter.state_dict(), second.adapter.state_dict()
    timed = ("log", "unlabelled/log")  # wall clocks differ
    assert [k for k in states[0] if k not in timed and states[0][k].tobytes() != states[1][k].tobytes()] == []
    for one in (first, second):
        one.admin.labels({"labels": [{"id": f"r{blocks - 1}", "labels": [None] * 50}]})  # still known by its id
    second.keep.close()


def test_values_adapt_too(kit, regression, tmp_path):
    model = kit.Fitted("linear", regression)
    application = served(written(tmp_path / "r", model, regression), token="t", level="adapt")
    level = 3 * float(np.std(model.target))
    changed = walk(application, kit, regression, 40, turn=lambda truth: (truth + level).tolist())
    assert changed[-1]
    assert application.health()["adaptation"]["serving"] == "experts"
