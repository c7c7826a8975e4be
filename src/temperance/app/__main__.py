"""``python -m temperance.app FOLDER``: open the page on this machine."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from temperance.app.serving import serve
from temperance.records.errors import TemperanceError


def main(arguments: list[str] | None = None) -> int:
    """Read the command line and serve until it is stopped."""
    parser = argparse.ArgumentParser(prog="python -m temperance.app", description="Show studies in a browser.")
    parser.add_argument("folder", nargs="?", default=".", help="folder that holds studies (default: this one)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; only this machine is allowed")
    parser.add_argument("--port", type=int, default=8765)
    given = parser.parse_args(arguments)
    try:
        serve(Path(given.folder), host=given.host, port=given.port)
    except TemperanceError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
