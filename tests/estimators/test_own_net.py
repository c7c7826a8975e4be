"""A user's own net behind the estimators: by function or by name, on tables, tokens and images."""

import numpy as np
import pytest
from torch import nn

import temperance
from temperance import Dropout, Recipe, Task, TemperanceClassifier, TemperanceRegressor
from temperance.estimators.searched import Searched
from temperance.records.errors import SettingError, TaskError


class Net(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(inputs, 16), nn.ReLU(), nn.Linear(16, outputs))

    def forward(self, x):
        return self.layers(x)


def task(info):
    return Task(Net(len(info.numeric), info.outputs), epochs=2, batch_size=32, recipe=Recipe(Dropout(0.3)))


def pictures(info):
    assert info.image_shape == (1, 8, 8)
    return Task(Net(64, info.outputs), epochs=1)


def test_a_function_is_trained_as_its_task_asks(data):
    model = TemperanceClassifier(net=task).fit(data.X, data.labels)
    trial = model.study_["trials"][0]
    assert (trial["settings"]["epochs"], trial["settings"]["batch_size"]) == (2, 32)
    assert trial["recipe"]["regularizers"][0]["p"] == 0.3
    assert isinstance(model.predictor_.model, Net)
    assert TemperanceClassifier(net=task, epochs=1).fit(data.X, data.labels).study_["trials"][0]["epochs"] == 1.0
    assert np.isfinite(TemperanceRegressor(net=task).fit(data.X, data.values).predict(data.X)).all()


def test_images_reach_it():
    images = np.random.default_rng(0).integers(0, 255, (60, 8, 8)).astype("uint8")
    model = temperance.fit(images, np.arange(60) % 3, net=pictures, budget=None)
    assert model.predict(images[:4]).shape == (4,)
    with pytest.raises(ValueError, match="features"):
        model.predict(images[:, :7])


def test_mistakes_are_named(data):
    for net, words in {"nowhere_net:task": "current folder", Net: "a function"}.items():
        with pytest.raises(TaskError, match=words):
            TemperanceClassifier(net=net).fit(data.X, data.labels)
    with pytest.raises(SettingError, match="together with a budget"):
        TemperanceClassifier(net="plain", budget="1run").fit(data.X, data.labels)
    with pytest.raises(SettingError, match=r"a temperance\.Recipe"):
        TemperanceClassifier(recipe=["dropout"], budget="1run").fit(data.X, data.labels)


def test_with_a_budget_net_and_recipes_reach_the_study(data, monkeypatch):
    seen = {}

    class Study:
        def __init__(self, settings, progress=None):
            seen["settings"] = settings

        def run(self):
            raise RuntimeError("enough")

    import temperance.study.study as home

    monkeypatch.setattr(home, "Study", Study)
    with pytest.raises(RuntimeError, match="enough"):
        TemperanceClassifier(net=task, budget="3trials", recipe=[Recipe(Dropout(0.1)), Recipe(Dropout(0.2))]).fit(
            data.X, data.labels
        )
    settings = seen["settings"]
    assert settings.user_task.startswith("pickle:")
    assert settings.task == "classification"
    assert [row["name"] for row in settings.starts] == ["your recipe 1", "your recipe 2"]
    assert Searched("1run").net == ""
