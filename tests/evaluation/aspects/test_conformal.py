from dataclasses import replace

import numpy as np
import pytest

from temperance.evaluation.aspects.conformal import Conformal, aps_scores


def test_scores_by_hand() -> None:
    found = aps_scores(np.array([[0.2, 0.5, 0.3]]))
    assert found == pytest.approx(np.array([[1.0, 0.5, 0.8]]))


def test_promises_are_kept_on_rows_of_the_same_kind(binary, make) -> None:
    hits = {"lac": [], "aps": [], "mondrian": []}
    for seed in range(12):
        reading = Conformal().measure(make.case(binary, "standard", seed=seed))
        for name, found in hits.items():
            found.append(reading[f"conformal_coverage/{name}"].value)
            assert 1.0 <= reading[f"conformal_size/{name}"].value <= 2.0
    assert all(np.mean(found) == pytest.approx(0.9, abs=0.03) for name, found in hits.items() if name != "aps")
    assert np.mean(hits["aps"]) >= 0.88


def test_values_groups_and_drift(regression, make) -> None:
    table, model = regression
    labels = np.array(["a", "b"])[np.arange(600) % 2]
    reading = Conformal().measure(make.case(regression, "standard", labels=labels))
    assert reading["conformal_coverage/split"].value == pytest.approx(0.9, abs=0.05)
    assert {row["group"] for row in reading.details["by_group"]} == {"a", "b"}
    assert len(reading.index) == len(reading.examples["covered_split"]) == 300
    later = replace(table, time=np.arange(600.0), target=table.target + np.where(np.arange(600) < 300, 0, 3.0))
    drifted = Conformal().measure(make.case((later, model), "standard"))
    assert "miss their promise" in drifted.sentences[0]


def test_too_few_rows(binary, make) -> None:
    few = make.case(binary, "standard").but(index=np.arange(20))
    assert "too few" in Conformal().measure(few).not_done[0][1]
