"""A browser and a running app for tests; skipped where Chromium, Playwright or axe is missing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), ""
)
VIEWS = ((1280, "light"), (320, "light"), (1280, "dark"), (320, "dark"))


@contextmanager
def running(folder: Path, *arguments: str) -> Iterator[str]:
    """Run ``temperance app`` on a free port and yield its address."""
    command = [
        sys.executable,
        "-m",
        "temperance",
        "app",
        f"--dir={folder}",
        "--port=0",
        "--no-open",
        "--json",
        *arguments,
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.stderr.read() if process.stderr else ""
        yield json.loads(line)["url"]
    finally:
        process.terminate()
        process.communicate(timeout=30)


@contextmanager
def chromium() -> Iterator[Any]:
    """Yield a browser."""
    if not CHROMIUM:
        pytest.skip("no Chromium is installed")
    api = pytest.importorskip("playwright.sync_api")
    with api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


def look(browser: Any, address: str) -> None:
    """Check a page in every view: no violation by axe, nothing wider than the window, nothing from elsewhere."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    for width, scheme in VIEWS:
        context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme, bypass_csp=True)
        page = context.new_page()
        page.goto(address, wait_until="domcontentloaded")
        page.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true })")
        found = axe.run(page)
        told = [(row["id"], [node["html"][:160] for node in row["nodes"]]) for row in found.response["violations"]]
        assert told == [], (address, width, scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, (address, width)
        context.close()


def press(page: Any, name: str) -> None:
    """Go to a link or a button by Tab alone, and press it."""
    page.get_by_text(name, exact=True).first.wait_for()
    page.wait_for_load_state()
    for _ in range(400):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText?.trim() ?? ''") == name:
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"{name!r} cannot be reached by the keyboard")
