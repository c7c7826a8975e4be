"""One version: the package's own, that of what is installed, and that of every file that is written."""

import tomllib
from pathlib import Path

import temperance
from temperance.records.version import __version__


def test_the_version_is_that_of_the_project() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert temperance.__version__ == __version__ == project["version"]
