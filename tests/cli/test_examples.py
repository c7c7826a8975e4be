import shlex
from typing import Any

import pytest
import typer

from temperance.cli.application import COMMANDS, build
from temperance.cli.examples import EXAMPLES, epilog

LINES = [(name, line) for name, lines in EXAMPLES.items() for line in lines]
QUICK = ("temperance audit iris", "temperance techniques Dropout", "temperance presets small-data")


def test_each_command_has_one_to_three_and_none_is_left_over() -> None:
    assert sorted(EXAMPLES) == sorted(command.__name__ for command in COMMANDS)
    assert all(1 <= len(lines) <= 3 for lines in EXAMPLES.values())


@pytest.mark.parametrize("name", EXAMPLES)
def test_help_ends_with_them_as_they_are(temperance, name: str) -> None:
    end = "\n".join(f"    {line}" for line in EXAMPLES[name])
    assert temperance(name, "--help").out.rstrip().endswith(f"Examples:\n{end}")


@pytest.mark.parametrize(("name", "line"), LINES, ids=[line for _, line in LINES])
def test_each_parses(name: str, line: str, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    group: Any = typer.main.get_command(build())
    first, second, *words = shlex.split(line)
    assert (first, second) == ("temperance", name)
    context = group.commands[name].make_context(name, words)
    assert set(context.params) >= {"as_json", "quiet"}
    assert not context.args


@pytest.mark.parametrize("line", QUICK)
def test_the_quick_ones_run(temperance, line: str, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert any(line == one for _, one in LINES)
    done = temperance(*shlex.split(line)[1:])
    assert done.status == 0, done.err
    assert done.out.strip()


def test_a_command_without_examples_has_no_end() -> None:
    assert epilog("none") is None
