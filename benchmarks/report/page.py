"""Measure reports as a reader meets them: violations by axe, height on a phone, printed pages, wide lines, keyboard.

``python benchmarks/report/page.py --chromium /usr/bin/chromium --axe axe.min.js STUDY...`` writes
``benchmarks/records/report_page.json``. It needs ``pip install playwright``, a Chromium, and axe-core's script
(``npm install axe-core``); STUDY is a folder with ``study.json`` and ``report.html``. Every fold is opened for axe and
for the width; heights are those of the page as it opens.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

RECORD = Path(__file__).parent.parent / "records" / "report_page.json"
# A reader's questions: the section that owns each, and what its answer says (English reports; | parts kinds of tasks).
QUESTIONS = {
    "why": ("depends", "It hangs most on|No column by itself|Which columns the answer depends on was not"),
    "how many caught": ("mistakes", "it finds|Found (recall)|true minus predicted|were not looked at"),
    "how many false alarms": ("mistakes", "False alarms:|Right when answered|true minus predicted|were not looked at"),
    "who next": ("mistakes", "to look at first|were not looked at|answered"),
    "can I trust it": ("trust", "They were used once"),
    "what breaks it": ("fails", "What breaks it most|No kind of damage|Damaged inputs were not tried"),
    "what did it cost": ("tried", "The whole study took"),
    "what to do first": ("answer", "First things to do"),
    "what may I not do with it": ("answer", "Do not let it decide alone"),
    "how was it made": ("method", "The whole record is in"),
}
SCREEN = 900
DISTANCE = """([section, words]) => {
  const part = document.getElementById(section);
  for (let fold = part.closest('details'); fold; fold = fold.parentElement.closest('details')) fold.open = true;
  const top = document.getElementById(section + '-h').getBoundingClientRect().top;
  const walker = document.createTreeWalker(part, NodeFilter.SHOW_ELEMENT);
  let found = null;
  while (walker.nextNode()) {
    const one = walker.currentNode, box = one.getBoundingClientRect(), text = one.innerText || '';
    const fits = words.split('|').some(word => text.toLowerCase().includes(word.toLowerCase()));
    if (fits && box.height && (!one.children.length || one.matches('p, li, h3, caption'))) { found = box; break; }
  }
  return found ? Math.round(found.bottom - top) : null;
}"""
WIDTHS, SCHEMES = (320, 360, 1280), ("light", "dark")
OPEN = "document.querySelectorAll('details').forEach(fold => { fold.open = true })"
AXE = "async () => (await axe.run(document)).violations.map(v => [v.id, v.nodes.length])"
HEIGHT, WIDTH = "document.documentElement.scrollHeight", "document.documentElement.scrollWidth"


def measure(browser: Any, page_file: Path, axe: str) -> dict[str, Any]:
    """Return what a browser sees of one report."""
    address = page_file.resolve().as_uri()
    found: dict[str, Any] = {"bytes": page_file.stat().st_size, "heights": {}, "violations": [], "sideways": 0}
    for width in WIDTHS:
        for scheme in SCHEMES:
            size = {"width": width, "height": 900}
            page = browser.new_context(viewport=size, color_scheme=scheme, bypass_csp=True).new_page()
            page.goto(address)
            found["heights"][str(width)] = page.evaluate(HEIGHT)
            page.evaluate(OPEN)
            found["sideways"] = max(found["sideways"], page.evaluate(WIDTH) - width)
            page.evaluate(axe)
            found["violations"] += [[width, scheme, *row] for row in page.evaluate(AXE)]
    for width in (360, 1280):
        page = browser.new_context(viewport={"width": width, "height": SCREEN}).new_page()
        page.goto(address)
        far = {question: page.evaluate(DISTANCE, list(place)) for question, place in QUESTIONS.items()}
        found.setdefault("pixels_to_answer", {})[str(width)] = far
        late = [q for q, pixels in far.items() if pixels is None or pixels > 2 * SCREEN]
        found.setdefault("not_within_two_screens", {})[str(width)] = late
    page = browser.new_page()
    page.goto(address)
    page.locator("summary").first.focus()
    page.keyboard.press("Enter")
    found["fold_opens_by_keyboard"] = page.evaluate("document.querySelector('details').open")
    printed = page.pdf(prefer_css_page_size=True)
    found["printed_pages"] = len(re.findall(rb"/Type\s*/Page[^s]", printed))
    return found


def main() -> None:
    """Measure the studies that are named and write the record."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chromium", required=True)
    parser.add_argument("--axe", type=Path, required=True)
    parser.add_argument("studies", nargs="+", type=Path)
    given = parser.parse_args()
    axe = given.axe.read_text(encoding="utf-8")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=given.chromium, args=["--no-sandbox"])
        rows = {}
        for folder in given.studies:
            study = json.loads((folder / "study.json").read_text(encoding="utf-8"))
            row = measure(browser, folder / "report.html", axe)
            command = re.sub(r"(?<=\s)/\S*/", "", study["command"])  # without folders of this machine
            rows[folder.name] = {"command": command, "findings": len(study["findings"]), **row}
            print(folder.name, rows[folder.name])
        versions = {"chromium": browser.version, "playwright": version("playwright"), "python": sys.version.split()[0]}
    banner = re.match(r"/\*! axe v([\d.]+)", axe)
    versions["axe"] = banner.group(1) if banner else "unknown"
    made = datetime.now(UTC).isoformat(timespec="seconds")
    record = {"made": made, "command": " ".join(["python", *sys.argv]), "versions": versions, "reports": rows}
    RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
