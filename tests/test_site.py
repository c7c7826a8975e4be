"""The site of `make docs`: links hold, nothing is loaded from elsewhere, llms.txt lists all, axe finds nothing."""

import functools
import http.server
import importlib
import re
import shutil
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ("index.html", "techniques/by_need.html", "guide/first_study.html", "api/temperance.html", "gallery.html")


@pytest.fixture
def make(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    yield importlib.import_module("make_site")
    for name in ("make_site", "site_check", "api_pages", "make_docs", "needs", "card_effects", "card_figures"):
        sys.modules.pop(name, None)


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """Build the site once."""
    pytest.importorskip("zensical")
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        out = tmp_path_factory.mktemp("site") / "site"
        assert importlib.import_module("make_site").main(["--out", str(out)]) == 0
    finally:
        sys.path.remove(str(ROOT / "scripts"))
    return out


def test_links_are_moved_to_where_pages_stand_in_the_site(make) -> None:
    text = "[a](../presets.md#x) [b](../../benchmarks/records/effects.json) [c](../../benchmarks) [d](https://x.org)"
    said, linked = make.moved(text, "docs/guide/first_study.md")
    assert said == "[a](../presets.md#x) [b](../files/benchmarks/records/effects.json) c [d](https://x.org)"
    assert linked == ["docs/presets.md", "benchmarks/records/effects.json"]
    assert make.moved("[g](docs/index.md)", "README.md")[0] == "[g](contents.md)"
    fenced = "```text\n[a](nowhere.md)\n```"
    assert make.moved(fenced, "README.md") == (fenced, [])


def test_each_link_of_each_page_has_its_file(make) -> None:
    count = 0
    for path in (ROOT / "docs").rglob("*.md"):
        name = path.relative_to(ROOT).as_posix()
        _, linked = make.moved(path.read_text(encoding="utf-8"), name)
        count += len(linked)
        assert all((ROOT / one).is_file() for one in linked)
    assert count > 200


def test_the_navigation_holds_each_page_once(make) -> None:
    pages = {"index.md": "", "guide/a.md": "", "guide/first_study.md": "", "commands/index.md": "", "commands/b.md": ""}
    places = re.findall(r'"([a-z_/]+\.md)"', make.config(pages))
    assert places == ["index.md", "guide/first_study.md", "guide/a.md", "commands/index.md", "commands/b.md"]


def test_a_page_is_told_by_its_first_sentence(make) -> None:
    text = "<!-- made -->\n\n# Title\n\n![picture](x.png)\n\nIt does [this](a.md). And that."
    assert (make.title_of(text), make._summary(text)) == ("Title", "It does this.")


def test_faults_of_a_site_are_found(make, tmp_path) -> None:
    faults = importlib.import_module("site_check").faults
    (tmp_path / "b.html").write_text('<h1 id="here">b</h1>')
    good = '<a href="b.html#here">x</a><a href="https://x.org">y</a><link rel="canonical" href="https://x.org/">'
    (tmp_path / "a.html").write_text(good)
    assert faults(tmp_path) == []
    bad = '<a href="c.html">x</a><a href="b.html#gone">y</a><script src="https://cdn.org/x.js"></script>'
    (tmp_path / "d.html").write_text(bad)
    (tmp_path / "e.css").write_text("@font-face { src: url(https://fonts.org/a.woff) }")
    found = "\n".join(faults(tmp_path))
    assert "c.html is not there" in found
    assert "no such place" in found
    assert "loads https://cdn.org/x.js" in found
    assert "e.css: loads from elsewhere" in found


@pytest.mark.slow
def test_the_site_is_built_without_a_fault_and_llms_txt_lists_it(site) -> None:
    text = (site / "llms.txt").read_text(encoding="utf-8")
    assert text.startswith("# Temperance\n\n> ")
    listed = re.findall(r"^- \[[^\]]+\]\(([^)]+)\): \S", text, flags=re.M)
    assert len(listed) > 150
    assert all((site / place).is_file() for place in listed)
    assert {"techniques/dropout.md", "api/temperance.md", "commands/doctor.md"} <= set(listed)
    full = (site / "llms-full.txt").read_text(encoding="utf-8")
    assert all(f"<!-- {place} -->" in full for place in listed)
    reference = (site / "api" / "temperance.md").read_text(encoding="utf-8")
    assert "## Recipe" in reference
    assert "### Recipe.attach" in reference


@pytest.mark.slow
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing_and_no_address_elsewhere_is_asked(site, width: int) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    browser_path = shutil.which("chromium") or shutil.which("google-chrome")
    if browser_path is None:
        pytest.skip("there is no Chromium")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(site))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with playwright.sync_playwright() as engine:
            browser = engine.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
            for name in SAMPLE:
                page, asked = browser.new_page(viewport={"width": width, "height": 900}), []
                page.on("request", lambda request, asked=asked: asked.append(request.url))
                page.goto(f"http://127.0.0.1:{server.server_port}/{name}")
                page.wait_for_timeout(500)
                found = axe.Axe().run(page).response["violations"]
                assert not found, (name, [one["id"] for one in found])
                assert not [url for url in asked if url.startswith("http") and "127.0.0.1" not in url]
                assert page.evaluate("document.documentElement.scrollWidth") <= width
            browser.close()
    finally:
        server.shutdown()
