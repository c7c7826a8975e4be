"""docs/gallery.md and its pictures: each example is run, and what its sessions did is drawn.

python scripts/gallery.py [own_loop ...]      run examples and draw; all take some minutes

The page itself is made by scripts/make_docs.py from the docstrings; nothing is run for it.
"""

from __future__ import annotations

import contextlib
import functools
import io
import re
import runpy
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES, PICTURES = ROOT / "examples", ROOT / "docs" / "pictures" / "examples"
WITHOUT_BUDGET = ("text_from_scratch", "time_series", "vision_transformer")  # one net instead of a study of minutes
WIDTH, HEIGHT, POINTS = 480, 200, 80
COLOURS = ("#00695c", "#b45309", "#4338ca", "#9d174d", "#374151", "#0369a1", "#4d7c0f", "#7c2d12")

Line = tuple[str, list[float]]


def gallery_lines() -> list[str]:
    """Return the page."""
    lines = ["# Gallery", ""]
    lines += [
        "Each example is one file that runs by itself: `python examples/own_loop.py`. The pictures were drawn from",
        "such runs (`python scripts/gallery.py`). All data come with scikit-learn or are made up by the file.",
        "",
    ]
    for path in sorted(EXAMPLES.glob("*.py")):
        title, words = told(path)
        lines += [f"## {title}", ""]
        picture = PICTURES / f"{path.stem}.svg"
        if picture.exists():
            alt = re.search(r"<title>(.*?)</title>", picture.read_text(encoding="utf-8"))
            lines += [f"![{alt[1] if alt else title}](pictures/examples/{path.stem}.svg)", ""]
        lines += [*([words, ""] if words else []), f"[examples/{path.name}](../examples/{path.name})", ""]
    return lines


def told(path: Path) -> tuple[str, str]:
    """Return the title and the further words of an example's docstring."""
    hit = re.match(r'"""(.*?)"""', path.read_text(encoding="utf-8"), flags=re.S)
    head, _, rest = (hit[1] if hit else path.stem).partition("\n")
    first = rest.strip().split("\n\n")[0]
    return re.sub(r":? python examples/.*", "", head).strip(), "" if first.endswith(":") else " ".join(first.split())


class Recorder:
    """What the sessions of a run did."""

    def __init__(self) -> None:
        self.sessions: list[tuple[Any, list[float]]] = []

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Note the loss of each step of each session."""
        from temperance.core.session import Session

        own = {name: getattr(Session, name) for name in ("step", "loss", "gradients")}  # a loop asks one

        def noting(inner: Any) -> Any:
            @functools.wraps(inner)
            def noted(session: Any, *given: Any, **named: Any) -> Any:
                passed = inner(session, *given, **named)
                kept = next((losses for one, losses in self.sessions if one is session), None)
                if kept is None:
                    self.sessions.append((session, kept := []))
                kept.append(float(getattr(passed, "loss", passed).detach().mean()))
                return passed

            return noted

        for name, inner in own.items():
            setattr(Session, name, noting(inner))
        try:
            yield
        finally:
            for name, inner in own.items():
                setattr(Session, name, inner)


def run(name: str) -> tuple[Recorder, Any]:
    """Run an example silently; return what was noted and what it returned."""
    recorder = Recorder()
    main = runpy.run_path(str(EXAMPLES / f"{name}.py"))["main"]
    with recorder.listening(), contextlib.redirect_stdout(io.StringIO()):
        returned = main(budget=None) if name in WITHOUT_BUDGET else main()
    return recorder, returned


def pictured(name: str, recorder: Recorder, returned: Any) -> str:
    """Return the picture of a run: strengths where they moved, else losses, else what it returned; empty for none."""
    for session, _ in recorder.sessions:
        moves = [move for move in session.trace if isinstance(move.value, float) and "." in move.strength]
        names = list(dict.fromkeys(move.strength for move in moves))
        if names:
            lines = [(one, [move.value for move in moves if move.strength == one]) for one in names[:4]]
            lines = [(one, [value / max(map(abs, values)) for value in values]) for one, values in lines]
            return curves("Strengths while the model trains, each as a share of its largest value", lines)
    lines = [(f"session {i}" if len(recorder.sessions) > 1 else "loss", losses)
             for i, (_, losses) in enumerate(recorder.sessions[:4], 1) if len(losses) > 1]  # fmt: skip
    if lines:
        return curves("Loss on the batches that it learns from, step by step", lines)
    if isinstance(returned, dict):
        returned = {k: v for k, v in returned.items() if isinstance(v, float)}
        return bars("What it returned", list(returned), list(returned.values())) if returned else ""
    if isinstance(returned, list) and returned and isinstance(returned[0], float):
        return bars("Held-out loss of each member", [str(i + 1) for i in range(len(returned))], returned)
    return ""


def curves(title: str, lines: Sequence[Line]) -> str:
    """Return an SVG of curves with a common axis that begins at zero."""
    thin = [(name, thinned(values)) for name, values in lines]
    top = max(max(values) for _, values in thin) or 1.0
    parts = []
    for i, (name, values) in enumerate(thin):
        step = (WIDTH - 60) / max(1, len(values) - 1)
        points = " ".join(
            f"{45 + j * step:.0f},{HEIGHT - 25 - (HEIGHT - 60) * v / top:.1f}" for j, v in enumerate(values)
        )
        parts.append(f'<polyline fill="none" stroke="{COLOURS[i]}" stroke-width="2" points="{points}"/>')
        parts.append(f'<text x="{45 + i * 110}" y="{HEIGHT - 6}" fill="{COLOURS[i]}">{name}</text>')
    return _svg(title, top, parts)


def bars(title: str, names: Sequence[str], values: Sequence[float]) -> str:
    """Return an SVG of bars."""
    top = max(map(abs, values)) or 1.0
    step = (WIDTH - 60) / len(values)
    parts = []
    for i, (name, value) in enumerate(zip(names, values, strict=True)):
        high = (HEIGHT - 60) * abs(value) / top
        parts.append(f'<rect x="{48 + i * step:.0f}" y="{HEIGHT - 25 - high:.1f}" width="{step * 0.7:.0f}" '
                     f'height="{high:.1f}" fill="{COLOURS[0]}"/>')  # fmt: skip
        parts.append(f'<text x="{48 + i * step:.0f}" y="{HEIGHT - 6}">{name[:14]}</text>')
    return _svg(title, top, parts)


def thinned(values: Sequence[float]) -> list[float]:
    """Return at most ``POINTS`` means of neighbours."""
    size = max(1, -(-len(values) // POINTS))
    return [sum(part) / len(part) for i in range(0, len(values), size) if (part := values[i : i + size])]


def _svg(title: str, top: float, parts: Sequence[str]) -> str:
    inner = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-family="sans-serif" '
        f'font-size="12"><title>{title}</title>\n<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>\n'
        f'<text x="45" y="18" fill="#111">{title}</text>\n'
        f'<path d="M45 35V{HEIGHT - 25}H{WIDTH - 15}" fill="none" stroke="#888"/>\n'
        f'<text x="40" y="40" text-anchor="end" fill="#444">{top:.3g}</text>'
        f'<text x="40" y="{HEIGHT - 25}" text-anchor="end" fill="#444">0</text>\n{inner}\n</svg>\n'
    )


def main(names: list[str]) -> int:
    """Run examples and write their pictures."""
    import torch

    torch.set_num_threads(1)
    PICTURES.mkdir(parents=True, exist_ok=True)
    for name in names or [path.stem for path in sorted(EXAMPLES.glob("*.py"))]:
        drawn = pictured(name, *run(name))
        if drawn:
            (PICTURES / f"{name}.svg").write_text(drawn, encoding="utf-8")
        print(name, "drawn" if drawn else "has nothing to draw", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
