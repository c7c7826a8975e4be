import json

import numpy as np
import pytest

from temperance.evaluation.aspects.base import Case, Subject
from temperance.evaluation.aspects.ood import OutOfDistribution
from temperance.records.errors import SettingError


def test_pictures_near_and_far_apart(pictured):
    table, subject = pictured
    found = OutOfDistribution().measure(Case(subject, table, np.arange(100, 300)))
    names = [m.name for m in found.measurements]
    scores = {name.split("/")[3] for name in names}
    assert scores == {"MSP", "max-logit", "energy", "entropy", "Mahalanobis", "kNN"}
    assert {name.split("/")[1] for name in names} == {"near", "far"}
    assert len(names) == 2 * 6 * 4
    assert found["ood/far/synthetic_outside/Mahalanobis/auroc"].value > 0.9
    assert "known, 100 strange" in found.measurements[0].convention
    assert len(found.index) == len(found.examples["strangeness/MSP"]) == 100
    assert any("pass unnoticed" in one for one in found.sentences)
    json.dumps(found.to_dict(), allow_nan=False)


def test_probabilities_alone_have_no_energy_and_values_have_two_scores(binary, regression):
    table, model = binary
    found = OutOfDistribution().measure(Case(Subject(model), table, np.arange(400)))
    assert {m.name.split("/")[3] for m in found.measurements} == {"MSP", "entropy", "Mahalanobis", "kNN"}
    assert {what for what, _ in found.not_done} == {"score energy", "score max-logit"}
    assert "raw inputs" in found.details["features"]
    assert found["ood/far/synthetic_outside/Mahalanobis/auroc"].value == 1.0
    table, model = regression
    found = OutOfDistribution().measure(Case(Subject(model), table, np.arange(400)))
    assert {m.name.split("/")[3] for m in found.measurements} == {"Mahalanobis", "kNN"}


def test_sets_of_the_user_and_what_is_refused(binary):
    table, model = binary
    own = {"near": {"next_year": table.rows.take(np.arange(900, 1000))}}
    found = OutOfDistribution().measure(Case(Subject(model), table, np.arange(400), settings={"ood": own}))
    assert {m.name.rsplit("/", 2)[0] for m in found.measurements} == {"ood/near/next_year"}
    assert found["ood/near/next_year/Mahalanobis/auroc"].value == pytest.approx(0.5, abs=0.12)  # they are the same kind
    with pytest.raises(SettingError, match='"near" and "far"'):
        OutOfDistribution().measure(Case(Subject(model), table, np.arange(400), settings={"ood": {"mid": {}}}))
    few = OutOfDistribution().measure(Case(Subject(model), table, np.arange(30)))
    assert "too few" in few.not_done[0][1]
