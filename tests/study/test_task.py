"""A user's own net: found, called with what it needs, and told what is wrong."""

import sys

import pytest
from torch import nn

from temperance.records.errors import TaskError
from temperance.study.task import Task, TaskInfo, load_task, make_task

INFO = TaskInfo("binary", 2, ("no", "yes"), ("a", "b"), (), (), None, 100, 0)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for name in ("mynet_ok", "mynet_broken"):
        sys.modules.pop(name, None)


def test_a_file_in_the_current_folder_is_found(here):
    (here / "mynet_ok.py").write_text("def task(info):\n    return info.outputs\n")
    assert load_task("mynet_ok:task")(INFO) == 2


def test_mistakes_are_named(here):
    (here / "mynet_ok.py").write_text("def task(info):\n    return None\n")
    (here / "mynet_broken.py").write_text("1 / 0\n")
    for text, words in {
        "mynet_ok": "colon",
        "nowhere_net:task": "current folder",
        "mynet_ok:tusk": "Did you mean 'task'",
        "mynet_broken:task": "ZeroDivisionError",
    }.items():
        with pytest.raises(TaskError, match=words):
            load_task(text)


def test_the_function_must_return_a_task_with_a_module():
    assert isinstance(make_task(lambda info: Task(nn.Linear(2, info.outputs)), INFO).model, nn.Linear)
    with pytest.raises(TaskError, match=r"returns temperance\.Task"):
        make_task(lambda info: nn.Linear, INFO)
    with pytest.raises(TaskError, match="KeyError"):
        make_task(lambda info: {}["x"], INFO)


def test_wishes_that_cannot_be_kept_are_named():
    net = nn.Linear(2, 2)
    for wish, words in {
        "epochs": r"epochs=0\. a number above 0",
        "batch_size": "batch_size=0",
        "recipe": "a temperance.Recipe",
    }.items():
        with pytest.raises(TaskError, match=words):
            make_task(lambda info, wish=wish: Task(net, **{wish: 0}), INFO)
