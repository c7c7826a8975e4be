import subprocess
import sys

from temperance import __version__


def test_python_m_temperance_is_the_command_line() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "temperance", "--version"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, f"temperance {__version__}\n")
    refused = subprocess.run(
        [sys.executable, "-m", "temperance", "studdy"], capture_output=True, text=True, check=False
    )
    assert refused.returncode == 2
