import pytest

from temperance.lifecycle.registry_form import fault

VERSION = {"number": 1, "name": "m", "version": "a", "files": "{}", "added": "then", "note": ""}
MOVE = {"event": "alias", "alias": "champion", "from": None, "to": 1, "why": "added", "time": "then"}
SOUND = {"versions": [VERSION, {**VERSION, "number": 2}], "aliases": {"champion": 1}, "history": [MOVE]}


def test_what_the_registry_writes_is_sound() -> None:
    assert fault(SOUND) == ""
    assert fault({"versions": [], "aliases": {}, "history": []}) == ""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"history": 5}, "lists"),
        ({"aliases": []}, "lists"),
        ({"versions": [{}]}, "number of its own"),
        ({"versions": [VERSION, VERSION]}, "number of its own"),
        ({"versions": [{**VERSION, "number": "../../x"}]}, "number of its own"),
        ({"versions": [{**VERSION, "files": None}]}, "number of its own"),
        ({"aliases": {"champion": "../../x"}}, "no version"),
        ({"aliases": {"champion": True}}, "no version"),
        ({"aliases": {"champion": 3}}, "no version"),
        ({"history": [{**MOVE, "to": 3}]}, "history"),
        ({"history": [{"alias": "champion", "event": "alias", "to": 1}]}, "history"),
        ({"history": [{**MOVE, "event": "rollback"}]}, "rolled back more often"),
    ],
)
def test_what_is_damaged_is_said(change: dict, said: str) -> None:
    assert said in fault({**SOUND, **change})
