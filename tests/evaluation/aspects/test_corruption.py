import json

import numpy as np

from temperance.evaluation.aspects.base import Case, Subject
from temperance.evaluation.aspects.corruption import CorruptionAspect
from temperance.evaluation.harness import evaluate


def test_families_severities_and_another_mix_of_classes(binary):
    table, model = binary
    found = CorruptionAspect().measure(Case(Subject(model), table, np.arange(300)))
    names = [m.name for m in found.measurements]
    assert sum(name.startswith("robustness/noise/") for name in names) == 5
    assert sum(name.startswith("prior_shift/") for name in names) == 5
    assert found["robustness"].value < found["robustness/clean"].value
    assert "instead of" in found.sentences[0]
    json.dumps(found.to_dict(), allow_nan=False)
    standard = CorruptionAspect().measure(Case(Subject(model), table, np.arange(60), "standard"))
    families = {m.name.split("/")[1] for m in standard.measurements if m.name.count("/") == 2 and m.name[:3] == "rob"}
    assert {"outliers", "stuck", "swapped_columns", "unknown_category", "missing_by_value", "rounding"} <= families


def test_what_was_measured_before_is_not_measured_again(binary):
    table, model = binary
    before = evaluate(model, table, np.arange(200))
    calls = len(model.sizes)
    found = CorruptionAspect().measure(Case(Subject(model), table, np.arange(200), evaluation=before))
    assert len(model.sizes) == calls
    assert found["robustness"] == before["robustness"]


def test_numbers_have_no_mix_of_classes(regression):
    table, model = regression
    found = CorruptionAspect().measure(Case(Subject(model), table, np.arange(200)))
    assert not any(m.name.startswith("prior_shift") for m in found.measurements)
    assert found["robustness"].value < 1
