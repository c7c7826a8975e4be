from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from temperance.data.choices import Choices, ColumnChoice, choose, of_python, parse_option, separator, to_toml
from temperance.records.errors import SettingError


@pytest.mark.parametrize(
    ("text", "name", "choice"),
    [
        ("price=number,decimal=,", "price", ColumnChoice("number", decimal=",")),
        ("price=number,decimal=,,thousands=.", "price", ColumnChoice("number", decimal=",", thousands=".")),
        ("a=b=category,case=exact", "a=b", ColumnChoice("category", exact=True)),
        ("d=date,pattern=%d/%m/%Y", "d", ColumnChoice("date", pattern="%d/%m/%Y")),
        ("x=number,unit=kg,na=-999|none", "x", ColumnChoice("number", unit="kg", missing=("-999", "none"))),
        ("id=drop", "id", ColumnChoice("drop")),
    ],
)
def test_options(text: str, name: str, choice: ColumnChoice) -> None:
    assert parse_option(text) == (name, choice)


@pytest.mark.parametrize(
    "text",
    [
        "price",
        "price=numbre",
        "price=number,deci=,",
        "p=number,decimal=;",
        "p=number,decimal=,,thousands=,",
        "p=date,pattern=%q",
        "p=number,x",
    ],
)
def test_what_cannot_be_understood_is_refused(text: str) -> None:
    with pytest.raises(SettingError) as caught:
        parse_option(text)
    assert caught.value.remedy


def test_styles() -> None:
    assert ColumnChoice().style is None
    assert ColumnChoice("number", thousands=".").style.form == ",."  # type: ignore[union-attr]
    assert ColumnChoice("number", decimal=".").style.form == ""  # type: ignore[union-attr]


def test_what_is_said_goes_before_the_file(tmp_path: Path) -> None:
    file = tmp_path / "schema.toml"
    file.write_text(
        'separator = ";"\nmissing = ["?"]\n[columns.price]\nread = "number"\ndecimal = ","\n'
        '[columns."a b"]\nread = "drop"\n'
    )
    found = choose(["price=category"], keep=["id"], drop=["z"], na_values="-999, none", sep="tab", schema=file)
    assert found.separator == "\t"
    assert found.of("price") == ColumnChoice("category", missing=("-999", "none"))
    assert {name: one.read for name, one in found.columns.items()} == {
        "price": "category", "a b": "drop", "id": "keep", "z": "drop",
    }  # fmt: skip
    assert choose(schema=file).of("price").missing == ("?",)
    assert Choices.from_dict(found.to_dict()) == found


def test_a_schema_file_is_read_back(tmp_path: Path) -> None:
    choices = Choices(
        {'a "b" ü😀': ColumnChoice("number", ",", ".", "€", missing=("x",)), "d": ColumnChoice("date", pattern="iso")},
        ("?",),
        ";",
        "S",
    )
    file = tmp_path / "schema.toml"
    file.write_text(to_toml(choices, {"d": "all\nfit"}), encoding="utf-8")
    assert choose(schema=file) == choices
    assert "# all fit" in file.read_text()


@pytest.mark.parametrize("text", ["[columns", "colums = 3", '[columns.a]\nred = "number"', '[columns.a]\nread = "x"'])
def test_a_broken_schema_file_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "schema.toml"
    file.write_text(text)
    with pytest.raises(SettingError):
        choose(schema=file)
    with pytest.raises(SettingError, match="no file"):
        choose(schema=tmp_path / "none.toml")


def test_python() -> None:
    given: Any = {"price": "number,decimal=,", "id": {"read": "drop"}}
    assert of_python(given).of("price").decimal == ","
    assert of_python(given).of("id").read == "drop"
    assert of_python(None) == Choices()
    assert separator("spaces") == " "
    with pytest.raises(SettingError):
        of_python(3)
    with pytest.raises(SettingError):
        separator("\n")
