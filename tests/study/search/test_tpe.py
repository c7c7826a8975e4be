"""The searcher proposes valid cocktails, reproducibly, and gives up."""

from temperance.study.recipes import text
from temperance.study.search.tpe import TPE
from temperance.study.spec import TrialSpec

BASE = TrialSpec("", "plain", "plain", "Tabular", {"regularizers": []}, {"lr": 0.03, "epochs": 2.0})


def searcher(seed=0, **changed):
    return TPE(BASE, task="binary", seed=seed, average={"name": "EMA", "decay": 0.9}, **changed)


def run(one, count):
    found = []
    for _ in range(count):
        spec = one.propose()
        found.append(spec)
        one.observe(spec, float(len(text(spec.recipe))))
    return found


def test_proposals_are_valid_and_reproducible():
    first, second = run(searcher(), 10), run(searcher(), 10)
    assert [s.recipe for s in first] == [s.recipe for s in second]
    assert all(0.4 * 0.03 <= s.settings["lr"] <= 2.5 * 0.03 for s in first)
    assert run(searcher(seed=1), 3)[0].recipe != first[0].recipe


def test_regression_gets_no_label_smoothing():
    one = TPE(BASE, task="regression", seed=0, average={"name": "EMA", "decay": 0.9})
    assert "LabelSmoothing" not in str([s.recipe for s in run(one, 10)])


def test_it_gives_up_when_nothing_gets_better():
    one = searcher(patience=3)
    for quality in (1.0, None, 2.0, 2.0):
        one.observe(one.propose(), quality)
    assert one.propose() is None
