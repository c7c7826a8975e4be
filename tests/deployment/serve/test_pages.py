import json

import pytest

from temperance.deployment.bundle import load
from temperance.deployment.serve.answering import Answering
from temperance.deployment.serve.metrics import Metrics
from temperance.deployment.serve.pages import Pages
from temperance.records.errors import RequestError


def test_ready_until_it_drains(shipped):
    stopping = []
    pages = Pages(Answering(load(shipped)), Metrics("m", "v"), lambda: bool(stopping))
    assert pages.ready() == {"ready": True}
    assert pages.repository()[0]["state"] == "READY"
    stopping.append(1)
    with pytest.raises(RequestError) as fault:
        pages.ready()
    assert fault.value.status == 503
    assert pages.repository()[0]["state"] == "UNAVAILABLE"


def test_the_board_shows_figures_that_the_server_has(shipped):
    metrics = Metrics("m", "v")
    metrics.request("/predict", 200)
    metrics.prediction(1, 0.01)
    there = metrics.text({"state": "calm", "evidence": {"x": 1.0}}).decode()
    board = Pages(Answering(load(shipped)), metrics, lambda: False).reads["/grafana.json"]()
    asked = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    names = {word for expr in asked for word in __import__("re").findall(r"temperance_\w+", expr)}
    assert names
    assert not [name for name in names if f"\n{name}" not in there]
    assert json.dumps(board)
