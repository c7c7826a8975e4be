"""From the upload of a messy file to a downloaded model, in Chromium, by the keyboard, with axe on each page."""

from __future__ import annotations

import random
import zipfile
from pathlib import Path

import pytest
from tests.app.browser import chromium, look, press, running
from tests.app.conftest import end


def messy(path: Path, rows: int = 240) -> Path:
    """Write a file with decimal commas, an undecided date, a sentinel, codes and an odd name."""
    made = random.Random(1)
    lines = ["id;when;price;amount;branch;zip;temp;Gekündigt <b>?"]
    for number in range(rows):
        price, amount = made.uniform(900, 3000), made.choice(["1,234", "2,500", "3,100"])
        left = "yes" if (price > 2000) != (made.random() < 0.15) else "no"
        when = f"{made.randint(1, 12):02d}/{made.randint(1, 12):02d}/2024"
        rest = [made.choice(["North", "South"]), made.choice(["01067", "10115"]), made.choice(["-999", "20", "21"])]
        lines.append(";".join([str(1000 + number), when, f"{price:.2f}".replace(".", ","), amount, *rest, left]))
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.mark.slow
def test_from_a_messy_file_to_a_downloaded_model(tmp_path: Path) -> None:
    file = messy(tmp_path / "läst & <i>month.csv")
    with chromium() as browser, running(tmp_path / "home") as address:
        page = browser.new_context(accept_downloads=True).new_page()
        faults: list[str] = []
        page.on("console", lambda told: faults.append(told.text) if told.type == "error" else None)
        page.on("pageerror", lambda told: faults.append(str(told)))
        requests: list[str] = []
        page.on("request", lambda told: requests.append(told.url))
        page.goto(address)
        look(browser, address)
        page.set_input_files("#file", str(file))
        press(page, "Read this file")
        page.wait_for_selector("h1:has-text('What was read')")
        assert page.locator(".doubt").count() == 3
        look(browser, page.url)
        page.get_by_label("The other way: dates").focus()
        page.keyboard.press("Space")
        page.get_by_label("-999 means missing").focus()
        page.keyboard.press("Space")
        press(page, "Go on: check the data")
        page.wait_for_selector("text=Keep the answers and go on", timeout=90_000)
        look(browser, page.url)
        page.get_by_label("No. Leave it out.").focus()
        page.keyboard.press("Space")
        press(page, "Keep the answers and go on")
        page.wait_for_selector("h1:has-text('Set up the study')")
        look(browser, page.url)
        press(page, "Start the study")
        page.wait_for_selector("h1:has-text('The study runs')")
        look(browser, page.url)
        page.wait_for_selector("text=Read the report", timeout=180_000)
        look(browser, page.url)
        press(page, "Read the report")
        page.wait_for_selector("#answer")
        look(browser, page.url)
        press(page, "Try the model")
        page.wait_for_selector("#answer .verdict")
        look(browser, page.url)
        assert page.locator("label:text-is('zip')").count() == 0  # it was left out
        before = page.inner_text("#answer")
        slider = page.locator("input[type=range]").first
        slider.focus()
        page.keyboard.press("End" if "no, with" in before else "Home")
        page.wait_for_function("text => document.querySelector('#answer').innerText !== text", arg=before)
        page.set_input_files("#rows", str(file))
        press(page, "Answer each row")
        page.wait_for_selector("text=240 rows were answered")
        press(page, "Next: take the model away")
        page.wait_for_selector("h1:has-text('Take it away')")
        look(browser, page.url)
        with page.expect_download() as found:
            press(page, "Download the model")
        with zipfile.ZipFile(found.value.path()) as archive:
            assert {"bundle/model.onnx", "bundle/manifest.json", "bundle/model_card.md"} <= set(archive.namelist())
        press(page, "Next: serve the model and watch it")
        press(page, "Start the server")
        page.wait_for_selector("text=Rows answered", timeout=60_000)
        look(browser, page.url)
        press(page, "Stop the server")
        page.wait_for_selector("button:has-text('Start the server')")
        assert faults == []
        assert all(url.startswith((address, "data:", "blob:")) for url in requests)


@pytest.mark.slow
def test_the_other_pages_have_no_violation_either(project: Path, study: Path) -> None:
    failed = project.parent / "temperance-failed"
    (failed / "app").mkdir(parents=True)
    (failed / "app" / "project.json").write_text((project / "app" / "project.json").read_text())
    end(failed, code=-9)
    with chromium() as browser, running(project.parent) as address:
        for path in (
            "/watch", "/nothing", "/study/done/remove", "/study/temperance-sales/remove",
            "/study/temperance-failed/study", "/study/done/study", "/study/done/watch", "/study/done/try",
            "/study/temperance-sales/check",
        ):  # fmt: skip
            look(browser, address + path)
        page = browser.new_context(java_script_enabled=False).new_page()  # every step works without a script
        page.goto(f"{address}/study/done/try")
        page.select_option("select", "red")
        page.click("text=Ask the model")
        assert "with a chance of" in page.inner_text("#answer")
