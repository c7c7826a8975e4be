import time

import numpy as np
import pytest

from temperance.evaluation.aspects.base import Aspect, Case, Reading, Subject
from temperance.records.errors import BundleError, SettingError
from temperance.records.measurement import Measurement


class Ask(Aspect):
    name = "ask"
    title = "a question"
    needs = ("gradients",)

    def _measure(self, case):
        return Reading("", (Measurement("one", 1.0),), ("Said.",))


def test_what_a_model_lacks_is_said(binary, make) -> None:
    case = make.case(binary)
    reading = Ask().measure(case)
    assert reading.measurements == ()
    assert "does not give gradients" in reading.not_done[0][1]
    file = case.but(subject=make.predictions(binary))
    assert "not possible from predictions" in Ask().measure(file).not_done[0][1]
    assert make.predictions(binary).has("probabilities")
    assert (
        make.predictions(binary, reasons={"probabilities": "answers alone"}).why_not("probabilities") == "answers alone"
    )


def test_a_network_is_opened_once_and_only_when_asked(binary) -> None:
    opened = []

    def network():
        opened.append(1)
        return "a network that is no text"[:0] or object()

    subject = Subject(binary[1], open_network=network)
    assert not opened
    assert subject.has("gradients")
    assert subject.network is subject.network
    assert opened == [1]

    def broken():
        raise BundleError("the model is made of trees")

    trees = Subject(binary[1], open_network=broken)
    assert trees.network is None
    assert trees.why_not("features") == "the model is made of trees."


def test_a_reading_is_named_timed_and_safe(binary, make) -> None:
    case = make.case(binary, seed=4).but(subject=Subject(binary[1], open_network=object))
    reading = Ask().measure(case)
    assert (reading.aspect, reading.seed) == ("ask", 4)
    assert reading.seconds >= 0
    assert reading["one"].value == 1.0
    assert reading.to_dict()["measurements"]["one"]["value"] == 1.0
    with pytest.raises(SettingError, match="'two' was not measured"):
        reading["two"]
    late = case.but(deadline=time.perf_counter() - 1)
    assert Ask().measure(late).not_done == (("a question", "no time left"),)


def test_answers_are_asked_once(binary, make) -> None:
    case = make.case(binary)
    assert case.outcome is case.outcome
    few = case.but(index=np.arange(10))
    assert few.outcome.n == 10
    assert few.rows.size == 10
    file = Case(make.predictions(binary), binary[0], np.array([3, 5]))
    assert file.outcome.target.tolist() == binary[0].target[[3, 5]].tolist()
    assert case.seconds_left is None
