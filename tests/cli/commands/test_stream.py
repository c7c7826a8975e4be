import json

import pytest

from temperance.cli.commands.stream import text


@pytest.fixture
def table(tmp_path):
    lines = ["day,x,y"]
    for i in range(520):
        x = (i * 37 % 101) / 50 - 1
        lines.append(f"{i},{x:.3f},{'up' if (x > 0) != (i > 350) else 'down'}")
    path = tmp_path / "moves.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.slow
def test_a_stream_is_walked_and_its_table_printed(temperance, table, tmp_path) -> None:
    done = temperance(
        "stream", table, "--time", "day", "--target", "y", "--first", 250, "--fast", "--every", 250, "--out",
        tmp_path / "o", "--delay", 5, "--batch", 16,
    )  # fmt: skip
    assert done.status == 0, done.err
    assert "the first model, adapted behind its guard" in done.out
    assert "trained again on a schedule" in done.out
    assert "Training on 250 rows" in done.err
    value = json.loads((tmp_path / "o" / "stream.json").read_text())
    assert value["data"]["delay"] == 5
    assert (tmp_path / "o" / "stream.html").is_file()
    assert text(value) + "\n" == done.out


def test_what_cannot_be_walked_is_refused_in_words(temperance, table, tmp_path) -> None:
    done = temperance("stream", table, "--target", "y", "--first", 500, "--out", tmp_path / "o")
    assert done.status == 2
    assert "At least 200 rows" in done.err
    done = temperance("stream", table, "--target", "nothing", "--out", tmp_path / "p")
    assert done.status == 2
    assert "nothing" in done.err
    assert not (tmp_path / "p").exists()
