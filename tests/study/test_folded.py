"""A folded run: no row's answer reaches its own reading, what ships is what was read, and it needs no refit."""

import json
import time

import numpy as np
import pytest

from temperance.data import read, save_roles, split
from temperance.records.table import Table
from temperance.study import folded
from temperance.study.runner import Runner
from temperance.study.spec import TrialSpec
from temperance.study.store import save_table

PLAIN = {"weight_decay.rate": 0.0, "dropout.p": 0.0}
RECIPE = {"regularizers": [{"name": "WeightDecay", "rate": 0.2}, {"name": "Dropout", "p": 0.1}]}
SETTINGS = {"epochs": 8.0, "batch_size": 32, "lr": 0.03}
SPEC = TrialSpec("t000", "folded run", "folded", "Tabular", RECIPE, SETTINGS, slots=({}, PLAIN))


def run(runner, folder, spec=SPEC, **options):
    folder.mkdir(parents=True, exist_ok=True)
    return folded.run(runner, spec, folder, **options)


def with_target(runner, target):
    other = object.__new__(type(runner))
    other.__dict__ |= vars(runner)
    other._preprocess = {}
    other.table = Table(runner.table.schema, runner.table.rows, target)
    return other


@pytest.fixture(scope="module")
def numbers(tmp_path_factory):
    """A workbench on a numeric target."""
    work = tmp_path_factory.mktemp("numbers")
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(200, 3))
    table = read((inputs, 50 + 10 * inputs[:, 0] + rng.normal(size=200))).table
    save_table(table, work / "table")
    save_roles(split(table, seed=0), work / "roles.npz")
    return Runner(work)


def test_every_development_row_is_answered_once_and_well(runner, tmp_path):
    found = run(runner, tmp_path / "a")
    rows = runner.roles.development
    assert np.isfinite(found.selection[rows]).all()
    assert np.isnan(found.selection[runner.roles.test]).all()
    right = (found.selection[rows].argmax(axis=1) == runner.table.target[rows]).mean()
    assert right > 0.7
    assert len(found.readings) == folded.READINGS
    assert sum(pick["share"] for pick in found.picks) == pytest.approx(1.0)
    assert {row["ingredient"] for row in found.attribution} == {
        "stopping early and averaging several moments",
        "the recipe's strengths",
        "nets with other strengths beside them",
        "weighing the nets by their held-out answers",
    }


@pytest.mark.parametrize("kind", ["classes", "values"])
def test_a_rows_own_answer_changes_nothing_of_what_is_read_of_it(runner, numbers, tmp_path, kind, monkeypatch):
    """Also for values, whose scale is that of the bank and not of all rows."""
    one = runner if kind == "classes" else numbers
    read_of = []

    def keep(self, fraction, answers, state):
        read_of.append(answers)

    monkeypatch.setattr("temperance.study.readings.Readings.add", keep)
    held = one.roles.folds[0][1]
    target = np.array(one.table.target)
    target[held[0]] = 1 - target[held[0]] if kind == "classes" else 500.0
    for number, bench_ in enumerate((one, with_target(one, target))):
        run(bench_, tmp_path / str(number), SPEC.changed(settings={**SETTINGS, "epochs": 3.0}))
    before, after = read_of[folded.READINGS - 1], read_of[-1]
    own = np.isin(one.roles.development, held)
    scale = 1.0 if kind == "classes" else float(np.std(one.table.target))
    assert np.abs(before[own] - after[own]).max() < 1e-5 * scale
    assert np.abs(before[~own] - after[~own]).max() > 1e-3 * scale


def test_what_ships_answers_as_its_banks_did(runner, numbers, tmp_path):
    """The shipped members of bank 0 give, for the rows of fold 0, the mixture that was read of them."""
    for number, one in enumerate((runner, numbers)):
        folder = one.folder / "trials" / SPEC.id
        found = run(one, folder)
        held = one.roles.folds[0][1]
        answer = folded.of_one_bank(folded.open_shipped(one, SPEC), 0).predict(one.table.rows.take(held))
        if number:  # answers of classes are softened for the calibration, values are not
            assert answer == pytest.approx(found.calibration[held], rel=1e-4)
        else:
            assert np.array_equal(answer.argmax(1), found.calibration[held].argmax(1))
        whole = folded.open_shipped(one, SPEC).predict(one.table.rows.take(one.roles.test))
        assert np.array_equal(whole, found.fitted.predictor.predict(one.table.rows.take(one.roles.test)))
        assert not list(folder.glob("weights_*"))


def test_it_runs_on_selection_rows_where_there_are_no_folds(large_bench, tmp_path):
    found = run(large_bench, tmp_path / "large")
    assert found.selection.shape == (len(large_bench.roles.selection), 2)
    assert max(found.fitted.predictor.model.bank_of) == 0


def test_the_same_spec_gives_the_same_net_bit_for_bit(runner, tmp_path):
    files = []
    for name in "ab":
        run(runner, tmp_path / name)
        files.append((tmp_path / name / "net.safetensors").read_bytes())
    assert files[0] == files[1]


def test_the_clock_ends_it_with_the_readings_that_it_has(runner, tmp_path):
    long = SPEC.changed(settings={**SETTINGS, "epochs": 4000.0})
    seen = []

    def tick(fraction, answer):
        seen.append(fraction)
        return False

    found = run(runner, tmp_path / "discarded", long.changed(settings={**SETTINGS, "epochs": 30.0}), tick=tick)
    assert seen == [pytest.approx(0.25, abs=0.05)]
    assert found.readings == pytest.approx((0.125, 0.25), abs=0.05)
    assert found.fitted.trained.stopped == "discarded"
    assert found.fitted.predictor is not None
    found = run(runner, tmp_path / "late", long, deadline=time.monotonic() + 1.0)
    assert found.fitted.predictor is None
    assert found.picks == []


def test_it_fits_with_banks(runner, large_bench):
    assert folded.with_banks(SPEC, runner.roles).architecture == {"banks": 3, "members": 6}
    assert folded.with_banks(SPEC, large_bench.roles).architecture == {"banks": 1, "members": 2}
    assert len(folded.rows_of(large_bench.roles)) == len(large_bench.roles.train)


def test_the_description_of_the_net_is_plain_json(runner, tmp_path):
    run(runner, tmp_path / "json")
    kept = json.loads((tmp_path / "json" / "net.json").read_text())
    assert sum(count for _, count in kept["parts"]) == len(kept["shares"])
