"""What is wrong with a built site: links that lead nowhere, and things that are loaded from elsewhere."""

from __future__ import annotations

from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "link": "href"}
NOT_LOADED = {"canonical", "next", "prev", "alternate"}  # links of a page's head that name and load nothing


class Page(HTMLParser):
    """The addresses and anchors of one page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note one tag."""
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if given.get(name)}
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        address = given.get(LOADED.get(tag, ""), "")
        if address and not NOT_LOADED & set(given.get("rel", "").split()):
            self.loaded.append(address)


def faults(site: Path) -> list[str]:
    """Return a line for each fault.

    Args:
        site: the folder of a built site.

    """
    found: list[str] = []
    for path in sorted(site.rglob("*.html")):
        name, page = path.relative_to(site).as_posix(), parsed(path)
        found += [f"{name}: loads {one}" for one in page.loaded if urlsplit(one).netloc]
        own = [one for one in (*page.links, *page.loaded) if not urlsplit(one).scheme and not urlsplit(one).netloc]
        found += [f"{name}: {why}" for one in own if (why := _broken(site, path, one))]
    for path in sorted(site.rglob("*.css")):
        text = path.read_text(encoding="utf-8")
        found += [
            f"{path.relative_to(site)}: loads from elsewhere"
            for mark in ("url(http", "url(//", "@import")
            if mark in text
        ]
    return found


def _broken(site: Path, page: Path, address: str) -> str:
    parts = urlsplit(address)
    if not parts.path and not parts.fragment:
        return ""
    here = site if parts.path.startswith("/") else page.parent
    target = (here / unquote(parts.path).lstrip("/")).resolve() if parts.path else page.resolve()
    if target.is_dir():
        target /= "index.html"
    if not target.is_file() or (site.resolve() not in target.parents):
        return f"{address} is not there"
    if parts.fragment and target.suffix == ".html" and unquote(parts.fragment) not in parsed(target).anchors:
        return f"{address}: no such place on that page"
    return ""


@cache
def parsed(path: Path) -> Page:
    """Return a page, read once."""
    return Page(path.read_text(encoding="utf-8"))
