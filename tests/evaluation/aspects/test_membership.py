"""Membership through the seam: learned rows are known by their marks, references come through the settings."""

import numpy as np
import pytest

from temperance.evaluation.aspects.membership import Membership
from temperance.records.errors import SettingError


class ByHeart:
    """A model that answers some rows of a table better than others."""

    def __init__(self, table, learned, base):
        self.schema, self.base = table.schema, base
        rows = table.rows.numeric
        self.known = {rows[i].tobytes(): table.target[i] for i in learned}

    def predict(self, rows):
        out = np.array(self.base.predict(rows), dtype=np.float64)
        for i, row in enumerate(rows.numeric):
            if row.tobytes() in self.known:
                out[i] = 0.02
                out[i, self.known[row.tobytes()]] = 0.98
        return out


def halves(table, seed):
    return np.random.default_rng(seed).permutation(len(table))[: len(table) // 2]


def case_of(binary, make, **settings):
    table, base = binary
    learned = halves(table, 0)
    model = ByHeart(table, learned, base)
    subject = make.knowing((table, model), learned)
    return make.case(binary, tier="standard", settings=settings).but(subject=subject)


def test_a_model_that_knows_rows_by_heart_is_found(binary, make) -> None:
    reading = Membership().measure(case_of(binary, make))
    assert reading["leakage/loss/auc"].low > 0.5
    assert reading.examples["learned"].sum() == len(binary[0]) // 2
    assert ("attacks with reference models", "no reference models are given") in reading.not_done
    assert "false alarms" in reading.sentences[0]


def test_reference_models_are_used(binary, make) -> None:
    table, base = binary
    parts = [halves(table, seed) for seed in range(1, 9)]
    inside = np.stack([np.isin(np.arange(len(table)), part) for part in parts])
    inside[0], inside[1] = True, False  # so that no row lacks models of a kind
    models = [ByHeart(table, np.flatnonzero(row), base) for row in inside]
    reading = Membership().measure(case_of(binary, make, membership={"references": models, "inside": inside}))
    assert [one["attack"] for one in reading.details["attacks"]] == ["loss", "lira", "rmia"]
    assert reading["leakage/lira/auc"].value > reading["leakage/loss/auc"].value
    with pytest.raises(SettingError, match="inside"):
        Membership().measure(case_of(binary, make, membership={"references": models, "inside": inside[:3]}))


def test_without_marks_or_learned_rows_it_says_why(binary, make) -> None:
    assert "marks" in Membership().measure(make.case(binary)).not_done[0][1]
    nobody = make.case(binary).but(subject=make.knowing(binary, [0, 1]))
    assert "2 of these rows were learned" in Membership().measure(nobody).not_done[0][1]


def test_it_claims_its_figures() -> None:
    assert Membership().claims("leakage/rmia/tpr@0.01")
    assert not Membership().claims("accuracy")
