"""Plain names stay where they are put."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from temperance.records.errors import SettingError
from temperance.records.plain_names import check_plain, is_plain


@given(st.text(max_size=300), st.sampled_from(["ascii", "any"]))
@example("..", "any")
@example("a/../../b", "any")
@example("a\x00b", "any")
@example("a\n", "ascii")
@example("\ud800", "any")
@example("é" * 150, "any")
def test_a_plain_name_is_one_step_below_any_folder(name: str, letters: str) -> None:
    if is_plain(name, letters=letters):
        assert (Path("/a") / name).parent == Path("/a")
        assert Path(name).name == name
        assert not set(name) & set('/\\:\0\n\r *?"<>|%#')
        assert len(name.encode()) <= 200
    else:
        with pytest.raises(SettingError, match="the id is"):
            check_plain(name, "the id", letters=letters)


@pytest.mark.parametrize("name", ["t003", "pace", "my-model_2.1", "_"])
def test_usual_names_are_plain(name: str) -> None:
    assert check_plain(name, "the id") == name


@pytest.mark.parametrize("name", [None, 3, b"t", ["t"], "", ".", "..", ".a", "-a", "a.", "a b", "../x", "C:x", "größe"])
def test_others_are_not(name: object) -> None:
    assert not is_plain(name)


def test_letters_of_every_script_where_they_are_asked_for() -> None:
    assert is_plain("größe", letters="any")
