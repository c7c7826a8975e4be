"""A user's own net: found, called with what it needs, and told what is wrong."""

import sys

import pytest
from torch import nn

from temperance.records.errors import TaskError
from temperance.study.task import Task, TaskInfo, load_task, make_task, named, require_named

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


def test_what_names_nothing_is_seen_without_an_import(here):
    """A slip in --task ends a study before its budget is spent; before it ended with 'no trial finished', or silent."""
    (here / "mynet_ok.py").write_text("1 / 0\ndef task(info):\n    return None\n")
    (here / "mynet_star.py").write_text("from elsewhere import *\n")
    (here / "mynet_made.py").write_text("globals()['ta' + 'sk'] = len\n")
    for text in ("mynet_ok:task", "mynet_ok.py:task", "mynet_star:task", "mynet_made:task", "pickle:/x", "os:path"):
        require_named(text)
    assert "mynet_ok" not in sys.modules
    for text, words in {"nowhere_net:task": "current folder", "mynet_ok:tusk": r"it has task\. Did you mean"}.items():
        with pytest.raises(TaskError, match=words):
            require_named(text)


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
        "inputs": "scaled, raw, tokens",
    }.items():
        with pytest.raises(TaskError, match=words):
            make_task(lambda info, wish=wish: Task(net, **{wish: 0}), INFO)


def test_what_is_no_task_is_named():
    for made, words in {"a word": "returned str", 3: "returned int"}.items():
        with pytest.raises(TaskError, match=words):
            make_task(lambda info, made=made: made, INFO)
    with pytest.raises(TaskError, match=r"returned Task\(model=int\)"):
        make_task(lambda info: Task(3), INFO)
    with pytest.raises(TaskError, match="returned NoneType"):
        make_task(lambda info: None, INFO)


def test_a_function_is_written_for_the_workers(tmp_path, monkeypatch):
    width = 5
    text = named(lambda info: Task(nn.Linear(width, info.outputs)), tmp_path / "work")
    monkeypatch.setattr(sys, "path", [*sys.path])
    assert load_task(text)(INFO).model.in_features == 5
    assert named("mine:task", tmp_path) == "mine:task"
    (tmp_path / "broken.pickle").write_bytes(b"no")
    with pytest.raises(TaskError, match="cannot be opened"):
        load_task(f"pickle:{tmp_path / 'broken.pickle'}")
    with pytest.raises(TaskError, match="a function from TaskInfo to Task"):
        named(nn.Linear, tmp_path)
    lock = (value for value in (1,))
    with pytest.raises(TaskError, match="cannot be handed to a worker"):
        named(lambda info: lock, tmp_path)
