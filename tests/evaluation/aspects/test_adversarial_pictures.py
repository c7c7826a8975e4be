import json

import numpy as np

from temperance.evaluation.aspects.adversarial import Adversarial
from temperance.evaluation.aspects.base import Case, Subject


def test_a_net_on_pictures(pictured):
    table, subject = pictured
    found = Adversarial().measure(Case(subject, table, np.arange(200, 300), required=("robust@0.1", "robust@0.3")))
    names = [m.name for m in found.measurements if m.name.startswith("robust@")]
    values = [found[name].value for name in names]
    assert len(values) >= 7
    assert values[0] > 0.75
    assert values[0] > found["robust@0.1"].value > values[-1]
    assert found.details["masking"]["trustworthy"]
    assert (found.examples["smallest_change_Linf"] == 0).sum() == round((1 - values[0]) * 100)
    json.dumps(found.to_dict(), allow_nan=False)


def test_hidden_slopes_grey_the_figures(pictured):
    table, subject = pictured
    net = subject.predictor

    class Loud:
        schema = net.schema
        predict = net.predict

        def scores(self, inputs):
            return net.scores(inputs) * 10_000

        def features(self, inputs):
            return net.features(inputs)

    found = Adversarial().measure(Case(Subject(net, open_network=Loud), table, np.arange(200, 300)))
    assert found.flags[0].startswith("not trustworthy")
    assert found["robust@0.0313725"].flags == found.flags


def test_without_a_net_bytes_are_asked(pictured):
    table, subject = pictured
    asked = []

    class Watched:
        schema = subject.schema

        def predict(self, rows):
            asked.append(rows.images.dtype)
            return subject.predict(rows)

    found = Adversarial().measure(
        Case(Subject(Watched()), table, np.arange(200, 240), settings={"adversarial": {"budgets": [0.05, 0.3]}})
    )
    assert set(asked) == {np.dtype(np.uint8)}
    assert found["robust@0.3"].value < found["robust@0.05"].value
    assert any("no slopes" in why for _, why in found.not_done)


def test_publish_certifies_and_names_what_is_not_there(pictured, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pyautoattack", None)
    from temperance.evaluation.adversarial import tiers
    from temperance.evaluation.aspects import robust_figures

    plan = robust_figures.Plan(12, 12, 10, 5, 20, ("Linf",))
    monkeypatch.setitem(robust_figures.PLANS, "publish", plan)
    monkeypatch.setitem(tiers.TIERS, "publish", tiers.Effort(20, 2, 10, 50, 5, margin=True))
    table, subject = pictured
    found = Adversarial().measure(
        Case(subject, table, np.arange(200, 260), "publish", settings={"adversarial": {"budgets": [8 / 255]}})
    )
    assert any(what == "AutoAttack (standard)" and "pip install" in why for what, why in found.not_done)
    assert found["certified_l2@0.25"].n == 5
    assert "not of the model as it is" in found["certified_l2@0.25"].convention
    assert found["certified_l2@0.5"].value <= found["certified_l2@0.25"].value
