"""The cost of use is that of the exported graph."""

import numpy as np

from temperance.deployment import Sketch, model_graph
from temperance.deployment.write import Exported
from temperance.study.runner import BasicPredictor, Runner
from temperance.study.serving import part_of, served_cost
from temperance.study.spec import TrialSpec

NONE = np.empty(0, dtype=np.int64)


def test_nets_and_basic_models_are_timed_as_they_are_served(runner):
    rows = runner.roles.folds[0][0]
    sample = runner.table.rows.take(rows[:64])
    net = TrialSpec("n", "n", "plain", "Tabular", {"regularizers": []}, {"epochs": 0.5, "batch_size": 64, "lr": 0.03})
    for spec in (net, TrialSpec("l", "l", "basic", "Linear")):
        fitted = runner.fit(spec, rows, NONE, measure=False)
        cost = served_cost(runner, fitted, sample)
        assert 0 < cost.latency_1_ms < 50
        assert cost.bytes > 500
        assert part_of(runner, fitted).arrays()
    assert isinstance(fitted.predictor, BasicPredictor)


def test_a_users_own_net_is_exported_as_it_predicts(runner, tmp_path, monkeypatch):
    (tmp_path / "net_to_serve.py").write_text(
        "import torch\nfrom temperance import Task\n\n\nclass Net(torch.nn.Module):\n"
        "    def __init__(self, n, sizes, out):\n        super().__init__()\n"
        "        self.words = torch.nn.ModuleList(torch.nn.Embedding(s, 3) for s in sizes)\n"
        "        self.last = torch.nn.Linear(n + 3 * len(sizes), out)\n\n"
        "    def forward(self, numeric, categorical):\n"
        "        parts = [e(categorical[:, j]) for j, e in enumerate(self.words)]\n"
        "        return self.last(torch.cat([numeric, *parts], dim=1))\n\n\n"
        "def task(info):\n    return Task(model=Net(len(info.numeric), info.cardinalities, info.outputs))\n"
    )
    monkeypatch.chdir(tmp_path)
    own = Runner(runner.folder, task="net_to_serve:task")
    rows = own.roles.folds[0][0]
    settings = {"epochs": 1.0, "batch_size": 64, "lr": 0.01}
    fitted = own.fit(TrialSpec("u", "u", "plain", "user", {"regularizers": []}, settings), rows, NONE)
    graph = model_graph(part_of(own, fitted), Sketch(own.schema), own.schema.target).SerializeToString()
    sample = own.table.rows.take(rows[:40])
    assert np.abs(Exported(own.schema, graph).predict(sample) - fitted.predictor.predict(sample)).max() < 1e-5
