"""Measure how far a reader's ten questions are from their answers: pixels from a section's heading to the sentence.

``python benchmarks/report/questions.py --chromium /usr/bin/chromium STUDY...`` writes
``benchmarks/records/report_questions.json``. It needs ``pip install playwright`` and a Chromium; STUDY is a folder with
``report.html``. An answer counts only where it is seen without opening a fold, within two screens of 740 px.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

RECORD = Path(__file__).parent.parent / "records" / "report_questions.json"
SCREEN = 740
QUESTIONS = {
    "why": ("depends", r"It hangs most on|No column by itself clearly matters|Which columns .* not looked at"),
    "how many caught": ("mistakes", r"Of 100 rows that are .*it finds|How far its numbers are|not looked at one by one"),
    "how many false alarms": ("mistakes", r"False alarms:|Of 100 rows that it calls|It never answers|How far its numbers"),
    "who next": ("using", r"temperance predict"),
    "can I trust it": ("trust", r"used once, at the very end"),
    "what breaks it": ("fails", r"Clearly better groups|too few rows|No group .* clearly worse|Damaged inputs were not"),
    "what did it cost": ("tried", r"The whole study took"),
    "what to do first": ("answer", r"First things to do"),
    "what may I not do with it": ("answer", r"What it may be used for"),
    "how was it made": ("tried", r"tries were finished"),
}
FIND = """([section, pattern]) => {
  const part = document.getElementById(section), wanted = new RegExp(pattern)
  const seen = [...part.querySelectorAll('p,li,h3,pre,td,summary')].filter(e =>
    e.checkVisibility({contentVisibilityAuto: true}) && wanted.test(e.innerText.replace(/\\s+/g, ' ')))
  const top = part.querySelector('h2').getBoundingClientRect().top
  return seen.length ? Math.round(seen[0].getBoundingClientRect().top - top) : null
}"""


def measure(browser: Any, report: Path) -> dict[str, dict[str, int | None]]:
    """Return for each width and question how many pixels below the heading the answer stands; None if nowhere."""
    found = {}
    for width in (360, 1280):
        page = browser.new_page(viewport={"width": width, "height": SCREEN})
        page.goto(report.resolve().as_uri())
        found[str(width)] = {name: page.evaluate(FIND, list(rule)) for name, rule in QUESTIONS.items()}
        found[str(width)]["height of the page"] = page.evaluate("document.documentElement.scrollHeight")
    return found


def main() -> None:
    """Measure the studies that are named and write the record."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chromium", required=True)
    parser.add_argument("studies", nargs="+", type=Path)
    given = parser.parse_args()
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=given.chromium, args=["--no-sandbox"])
        rows = {folder.name: measure(browser, folder / "report.html") for folder in given.studies}
        versions = {"chromium": browser.version, "playwright": version("playwright"), "python": sys.version.split()[0]}
    missing = [
        [study, width, name, at]
        for study, by in rows.items()
        for width, answers in by.items()
        for name, at in answers.items()
        if name in QUESTIONS and (at is None or at > 2 * SCREEN)
    ]
    names = " ".join(folder.name for folder in given.studies)
    record = {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": f"python benchmarks/report/questions.py --chromium {Path(given.chromium).name} {names}",
        "versions": versions,
        "not_answered_within_two_screens": missing,
        "reports": rows,
    }
    RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(missing))


if __name__ == "__main__":
    main()
