"""Build the site: pages of docs/, README, an API reference, search, llms.txt. Nothing in it is loaded from elsewhere.

python scripts/make_site.py [--out site]      build it with Zensical (pip install 'temperance[docs]')
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from api_pages import api_pages
from site_check import faults

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PARTS = ROOT / "scripts" / "site"
LINK = re.compile(r"(!?\[(?:[^\[\]]|\[[^\]]*\])*\]\()([^)\s]+)(\))")
FENCE = re.compile(r"(^```.*?^```$)", flags=re.M | re.S)
HOME = {"README.md": "index.md", "docs/index.md": "contents.md"}  # the rest of docs/ keeps its place
# Title, then pages or folders in the order of reading; what a folder holds more comes by name.
NAV = (
    ("Start", ("index.md", "contents.md", "guide/first_study.md", "guide/reading.md", "guide/python.md")),
    ("Tutorial", ("tutorial",)),
    ("Guide", ("guide",)),
    ("Gallery", ("gallery.md",)),
    ("Techniques", ("techniques/by_need.md", "techniques/index.md", "presets.md")),
    ("Commands", ("commands",)),
    ("API", ("api",)),
    (
        "Background",
        ("files/ARCHITECTURE.md", "files/CONTRIBUTING.md", "files/CHANGELOG.md", "study_json.md", "decisions"),
    ),
)


def main(arguments: list[str] | None = None) -> int:
    """Build the site and check it; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "site")
    out: Path = parser.parse_args(arguments).out
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        pages = assemble(work / "pages")
        (work / "zensical.toml").write_text(config(pages), encoding="utf-8")
        build(work)
        html = work / "html"
        write_llms(html, pages)
        wrong = faults(html)
        for fault in wrong[:20]:
            print(fault, file=sys.stderr)
        if out.exists():
            shutil.rmtree(out)
        shutil.copytree(html, out)
    print(f"{len(pages)} pages in {out}; open {out / 'index.html'}. {len(wrong)} faults.")
    return int(bool(wrong))


def build(work: Path) -> None:
    """Run Zensical in a folder that holds ``zensical.toml`` and ``pages``."""
    words = [sys.executable, "-m", "zensical", "build", "--clean", "--strict"]
    done = subprocess.run(words, cwd=work, capture_output=True, text=True, check=False, timeout=600)
    if done.returncode:
        print(done.stdout + done.stderr, file=sys.stderr)
        raise SystemExit("Error: the site could not be built. Is it there? pip install -c constraints.txt zensical")


def assemble(pages: Path) -> dict[str, str]:
    """Write all pages, with links that hold in the site, and what they link to; return their texts by place.

    Args:
        pages: the folder to write to.

    """
    waiting = ["README.md", *(p.relative_to(ROOT).as_posix() for p in sorted(DOCS.rglob("*.md")))]
    waiting += ["ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"]
    texts: dict[str, str] = {}
    while waiting:
        name = waiting.pop(0)
        if (place := place_of(name)) in texts:
            continue
        texts[place], linked = moved((ROOT / name).read_text(encoding="utf-8"), name)
        for other in linked:
            if other.endswith(".md"):
                waiting.append(other)
            else:
                (pages / place_of(other)).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / other, pages / place_of(other))
    texts |= api_pages()
    for place, text in texts.items():
        (pages / place).parent.mkdir(parents=True, exist_ok=True)
        (pages / place).write_text(text, encoding="utf-8")
    for part in ("site.css", "site.js", "iframe-worker.js"):
        shutil.copyfile(PARTS / part, pages / part)
    return texts


def place_of(name: str) -> str:
    """Return where a file of the repository stands in the site: docs/ is its root, all else is under files/."""
    if name in HOME:
        return HOME[name]
    return name.removeprefix("docs/") if name.startswith("docs/") else f"files/{name}"


def moved(text: str, name: str) -> tuple[str, list[str]]:
    """Return a page with its links as the site needs them, and the files that it links to.

    A link to a folder, or to what is not there, becomes plain words: nothing of it is in the site.

    Args:
        text: Markdown.
        name: its path in the repository.

    """
    linked: list[str] = []
    home = Path(place_of(name)).parent

    def change(hit: re.Match[str]) -> str:
        target, _, anchor = hit[2].partition("#")
        if "://" in target or target.startswith("mailto:") or not target:
            return hit[0]
        path = (ROOT / name).parent.joinpath(target).resolve()
        if not path.is_file() or ROOT not in path.parents:
            return hit[1].lstrip("!").removeprefix("[").removesuffix("](")
        other = path.relative_to(ROOT).as_posix()
        linked.append(other)
        there = Path(place_of(other))
        up = "../" * len(home.parts)
        return f"{hit[1]}{up}{there.as_posix()}{'#' + anchor if anchor else ''}{hit[3]}"

    parts = [part if i % 2 else LINK.sub(change, part) for i, part in enumerate(FENCE.split(text))]
    return "".join(parts), linked


def config(pages: dict[str, str]) -> str:
    """Return Zensical's settings with the navigation of these pages."""
    sections = []
    for title, wanted in NAV:
        own = list(dict.fromkeys(place for one in wanted for place in _under(one, pages)))
        earlier = {place for section in sections for place in section[1]}
        sections.append((title, [place for place in own if place not in earlier]))
    shown = ",\n".join(
        f"  {{ {_quoted(title)} = [{', '.join(_quoted(place) for place in own)}] }}" for title, own in sections if own
    )
    text = (PARTS / "zensical.toml").read_text(encoding="utf-8")
    return text.replace("[project.theme]", f"nav = [\n{shown}\n]\n\n[project.theme]", 1)


def _under(one: str, pages: dict[str, str]) -> Iterator[str]:
    if one.endswith(".md"):
        yield from [one] if one in pages else []
    else:
        inside = sorted(place for place in pages if place.startswith(f"{one}/"))
        yield from sorted(inside, key=lambda place: not place.endswith("/index.md"))


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def title_of(text: str) -> str:
    """Return the first heading of a page."""
    hit = re.search(r"^# (.+)$", text, flags=re.M)
    return hit[1].strip() if hit else "Untitled"


def write_llms(html: Path, pages: dict[str, str]) -> None:
    """Write llms.txt (a list with a sentence each), llms-full.txt (all of it), and each page as Markdown beside it.

    Args:
        html: the built site.
        pages: Markdown by place.

    """
    lines = ["# Temperance", "", f"> {_summary(pages['index.md'])}", ""]
    listed: set[str] = set()
    for title, wanted in (*NAV, ("Cards of techniques", ("techniques",))):
        own = [p for p in dict.fromkeys(x for one in wanted for x in _under(one, pages)) if p not in listed]
        listed |= set(own)
        lines += [f"## {title}", "", *(f"- [{title_of(pages[p])}]({p}): {_summary(pages[p])}" for p in own), ""]
    (html / "llms.txt").write_text("\n".join(lines), encoding="utf-8")
    (html / "llms-full.txt").write_text(
        "\n\n".join(f"<!-- {place} -->\n\n{text.strip()}" for place, text in sorted(pages.items())), encoding="utf-8"
    )
    for place, text in pages.items():
        (html / place).parent.mkdir(parents=True, exist_ok=True)
        (html / place).write_text(text, encoding="utf-8")


def _summary(text: str) -> str:
    """Return the first sentence of plain words of a page."""
    clean = FENCE.sub("", re.sub(r"<!--.*?-->", "", text, flags=re.S))
    for block in clean.split("\n\n"):
        block = " ".join(block.split())
        if block and not block.startswith(("#", "|", "!", "-", ">", "<", "**")):
            words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", block)
            return re.split(r"(?<=[.!?])\s", words)[0]
    return title_of(text)


if __name__ == "__main__":
    raise SystemExit(main())
