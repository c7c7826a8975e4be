import pytest

from temperance.records import registry as room
from temperance.records.errors import SettingError
from temperance.records.registry import Registry


@pytest.fixture
def colours():
    registry: Registry = Registry("colour", "temperance.no_such_group")

    class DarkRed: ...

    class Blue: ...

    registry.add(DarkRed)
    registry.add(Blue)
    return registry


def test_names_are_found_however_they_are_written(colours) -> None:
    assert colours["DarkRed"] is colours["dark_red"] is colours["dark-red"] is colours["DARKRED"]
    assert list(colours) == ["Blue", "DarkRed"]
    assert [name for name, _ in colours.items()] == ["Blue", "DarkRed"]
    assert len(colours) == 2


def test_an_unknown_name_gets_the_nearest(colours) -> None:
    with pytest.raises(SettingError, match="Did you mean 'Blue'"):
        _ = colours["Bleu"]


def test_a_name_is_taken_once_but_a_module_may_load_again(colours) -> None:
    def blue():
        class Blue: ...

        return Blue

    with pytest.raises(SettingError, match="twice"):
        colours.add(blue())
    again = type("Blue", (), {"__module__": colours["Blue"].__module__})
    again.__qualname__ = colours["Blue"].__qualname__
    assert colours.add(again) is again


def test_plug_ins_come_by_entry_points(monkeypatch) -> None:
    class Green: ...

    class Point:
        name = "Green"

        def load(self):
            return Green

    asked = []
    monkeypatch.setattr(room, "entry_points", lambda group: asked.append(group) or [Point()])
    registry: Registry = Registry("colour", "temperance.colours")
    assert registry["green"] is Green
    assert list(registry) == ["Green"]
    assert asked == ["temperance.colours"]  # looked for once
