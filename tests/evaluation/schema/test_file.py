import pytest
from hypothesis import given
from hypothesis import strategies as st

from temperance.evaluation.schema.file import read, write
from temperance.evaluation.schema.rules import ColumnRule, Rules, Sum
from temperance.records.errors import DataError, SettingError

names = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=8)
numbers = st.none() | st.floats(-1e9, 1e9)
column = st.builds(
    ColumnRule, numbers, numbers, st.sampled_from(["free", "fixed", "up", "down"]), st.booleans(), st.floats(1e-6, 1e6),
    st.none() | st.floats(0, 100), st.lists(names, max_size=3).map(tuple),
)  # fmt: skip
pair = st.lists(names, min_size=2, max_size=2, unique=True).map(tuple)
made = st.builds(
    Rules, st.dictionaries(names, column, max_size=4), st.lists(pair, max_size=2).map(tuple),
    st.lists(st.builds(Sum, pair, names), max_size=2).map(tuple), st.lists(pair, max_size=2).map(tuple),
    st.lists(pair, max_size=2).map(tuple),
)  # fmt: skip


@given(made)
def test_what_is_written_is_read_back(rules):
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rules.toml"
        path.write_text(write(rules), encoding="utf-8", newline="")
        assert read(path) == rules


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(DataError, match="cannot be read as rules"):
        read(tmp_path / "none.toml")
    for content in (b"columns = [", b"\xff\xfe"):
        (tmp_path / "bad.toml").write_bytes(content)
        with pytest.raises(DataError, match=r"bad\.toml cannot be read"):
            read(tmp_path / "bad.toml")
    (tmp_path / "odd.toml").write_text("[columns.age]\nchanges = 'up'\n")
    with pytest.raises(SettingError, match="Did you mean 'change'"):
        read(tmp_path / "odd.toml")
