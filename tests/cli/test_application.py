import subprocess
import sys

import pytest

from temperance import __version__
from temperance.cli.application import COMMANDS, build

NAMES = [
    "app", "study", "demo", "audit", "evaluate", "compare", "gate", "export", "predict", "serve", "retrain",
    "stream", "registry", "techniques", "presets", "price", "report", "share", "sign", "verify", "doctor",
]  # fmt: skip


def test_the_commands_have_the_names_that_other_tools_call() -> None:
    assert [command.__name__ for command in COMMANDS] == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_help_and_both_common_options(temperance, name: str) -> None:
    done = temperance(name, "--help")
    assert done.status == 0
    assert "--json" in done.out
    assert "--quiet" in done.out


def test_the_version(temperance) -> None:
    assert temperance("--version").out == f"temperance {__version__}\n"


def test_an_unknown_option_is_refused_with_the_nearest(temperance) -> None:
    done = temperance("study", "--targt", "x")
    assert done.status == 2
    assert "--target" in done.err


def test_help_is_fast_and_loads_no_torch() -> None:
    code = (
        "import sys; from temperance.cli import main; main(['--help']);"
        "heavy = [m for m in ('torch', 'sklearn', 'polars', 'optuna', 'onnxruntime', 'jinja2') if m in sys.modules];"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    pairs = [(_seconds(code), _seconds("import typer")) for _ in range(3)]
    helped, bare = (min(one) for one in zip(*pairs, strict=True))
    assert helped < 5 * bare  # beside the same machine in the same minute; 3 times here, and torch alone takes 20


def test_build_gives_a_fresh_application() -> None:
    assert build() is not build()


def _seconds(code: str) -> float:
    """Return the processor seconds of a fresh Python that runs ``code``."""
    before = _children()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return _children() - before


def _children() -> float:
    import resource

    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
