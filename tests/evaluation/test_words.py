import dataclasses

import numpy as np
import pytest

from temperance.evaluation.harness import evaluate
from temperance.evaluation.words import sentence, sentences, slice_sentence
from temperance.records.measurement import Measurement


def test_a_share_is_a_count_of_a_hundred():
    m = Measurement("accuracy", 0.94, 0.918, 0.961, 500)
    assert sentence(m) == "The model is right for 94 of 100 rows (between 92 and 96, from 500 rows)."
    assert "99.7 of 100" in sentence(dataclasses.replace(m, value=0.997))
    assert "100 of 100" in sentence(dataclasses.replace(m, value=1.0))
    assert "unknown" in sentence(dataclasses.replace(m, value=np.nan))


def test_values_keep_their_unit():
    m = Measurement("rmse", 12.3456, None, None, 1500)
    assert sentence(m) == "It is off by 12.3, big misses counting more (from 1,500 rows)."
    assert sentence(Measurement("macro_f1", 0.5, n=3)) == "macro f1: 0.5 (from 3 rows)."


def test_calibration_is_only_blamed_above_chance():
    m = Measurement("ece", 0.05, 0.0, 0.1, 200)
    assert sentence(m) == "Its stated confidence is off by 5 in 100 (from 200 rows)."
    quiet = dataclasses.replace(m, flags=("below the noise floor",))
    assert sentence(quiet) == "Its stated confidence fits what happened, as far as 200 rows can tell."


@pytest.mark.parametrize("kind", ["binary", "regression"])
def test_an_owner_reads_short_sentences(kind, request):
    table, model = request.getfixturevalue(kind)
    lines = sentences(evaluate(model, table))
    assert any("damaged" in line for line in lines)
    assert any(line.startswith("What hurts it most: ") for line in lines)
    assert all(line.endswith(".") and len(line.split()) <= 25 for line in lines)
    assert sentences(evaluate(model, table, budget_seconds=0.0))[-1] == "Left out: robustness (no time left)."


def test_slices_in_words(binary):
    table, model = binary
    e = evaluate(model, table, np.arange(100))
    words = {s.state: slice_sentence(s) for s in e.slices}
    assert words["too_small"].endswith("too few rows to tell.")
    top = e.slices[0]
    worse = dataclasses.replace(
        top, state="worse", measurement=Measurement("accuracy", 0.6), difference=Measurement("d", -0.3)
    )
    assert slice_sentence(worse).endswith("it is right for 60 of 100 rows, elsewhere for 90.")
    far = dataclasses.replace(worse, measurement=Measurement("mae", 3.0), difference=Measurement("d", 1.0))
    assert slice_sentence(far).endswith("it is off by 3, elsewhere by 2.")
    assert slice_sentence(dataclasses.replace(top, state="same")).endswith("no sign that it does worse.")
