"""Accuracy of a ``temperance study`` on images, scored on test images that the study's choice never saw.

    python benchmarks/images.py --data DIR --cells fashion_mnist_2000,fashion_mnist_10000,shapes --seeds 0
    python benchmarks/images.py --summary

``NAME_ROWS`` takes the first ROWS training images of ``DIR/NAME/data.npz``, permuted by the seed, and scores the
bundle on all its test images (the last 2,000 where the archive has no test part). ``shapes``, ``textures`` and
``numerals`` are folders of 182 pictures of three classes, drawn here: coloured circles, squares and triangles anywhere
on a gradient (RGB, 64 to 128 pixels); stripes, dots and cells of random colour, scale and light (RGB, 96 to 224
pixels, JPEG); scikit-learn's 3, 5 and 8 in two random colours (64 to 100 pixels). The study takes its own test part
from the folder; the bundle is scored on 300 fresh pictures.

A study has two workers with one thread each. Seconds of CPU are those of all its processes. On a machine that is busy
with other work a study of 120 s gets a part of the 240 s of CPU that two free cores give; ``--budget 4trials`` (two
basic models and two nets, at their full length) then says what the nets reach and what they cost. One record per cell
in ``benchmarks/records/images``.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import numpy as np
from halves import half
from quality import COMMAND, ONE_THREAD, processor, revision, scores

RECORDS = Path(__file__).parent / "records" / "images"
FOLDERS = {"shapes": ("circle", "square", "triangle"), "textures": ("cells", "dots", "stripes"),
           "numerals": ("eight", "five", "three")}  # fmt: skip
ROWS, FRESH = 182, 300
BARS = {"fashion_mnist_2000": 0.86, "fashion_mnist_10000": 0.90, "shapes": 0.95, "textures": 0.95, "numerals": 0.95}


def told(document: dict[str, Any]) -> dict[str, Any]:
    """Return what a study says of itself: winner, its parts, its time."""
    winner = document["winner"]
    trial = next(t for t in document["trials"] if t["id"] == winner["trial"])
    value = {k: m.get("value") for k, m in winner.get("test", {}).items()}
    rivals = {}
    for name in ("plain_test", "boosting_test", "simple_test"):
        found = winner.get(name)
        if found:
            rivals[name] = {k: m.get("value") for k, m in found.get("measurements", {}).items()}
    return {
        "winner": {"name": trial["name"], "kind": trial["kind"], "model": trial["model"]}, "said": value,
        "rivals": rivals, "trials": len(document["trials"]), "spent": document["budget"]["spent"],
        "left_out": [entry["what"] for entry in document["budget"]["left_out"]],
    }  # fmt: skip


def picture(cell: str, kind: str, rng: np.random.Generator, source: Any) -> np.ndarray:
    """Return one RGB picture (h, w, 3)."""
    if cell == "shapes":
        return shape(kind, rng)
    return texture(kind, rng) if cell == "textures" else numeral(kind, rng, source)


def shape(kind: str, rng: np.random.Generator) -> np.ndarray:
    """Draw one filled shape, turned, anywhere, on a gradient with noise."""
    height, width = rng.integers(64, 129, 2)
    rows, columns = np.mgrid[0:height, 0:width].astype(float)
    radius = rng.uniform(0.15, 0.3) * min(height, width)
    y, x = rng.uniform(radius, height - radius), rng.uniform(radius, width - radius)
    turn = rng.uniform(0, 2 * np.pi)
    down = np.cos(turn) * (rows - y) + np.sin(turn) * (columns - x)
    right = np.cos(turn) * (columns - x) - np.sin(turn) * (rows - y)
    if kind == "circle":
        inside = down**2 + right**2 < radius**2
    elif kind == "square":
        inside = np.maximum(abs(down), abs(right)) < radius * 0.85
    else:
        edges = [np.cos(a) * down + np.sin(a) * right for a in (0, 2 * np.pi / 3, 4 * np.pi / 3)]
        inside = np.max(edges, axis=0) < radius * 0.55
    back, front = rng.uniform(0, 255, (2, 3))
    while abs(back.mean() - front.mean()) < 30:
        front = rng.uniform(0, 255, 3)
    slope = (rows / height - 0.5) * rng.uniform(-80, 80) + (columns / width - 0.5) * rng.uniform(-80, 80)
    drawn = np.where(inside[..., None], front, back + slope[..., None])
    return np.clip(drawn + rng.normal(0, 12, drawn.shape), 0, 255).astype(np.uint8)


def texture(kind: str, rng: np.random.Generator) -> np.ndarray:
    """Draw stripes, dots or cells of random scale, direction and colour under uneven light."""
    height, width = rng.integers(96, 225, 2)
    rows, columns = np.mgrid[0:height, 0:width].astype(float)
    from scipy.spatial import cKDTree

    scale = rng.uniform(14, 30)
    turn = rng.uniform(0, np.pi)
    if kind == "stripes":
        along = np.cos(turn) * rows + np.sin(turn) * columns + rng.uniform(1, 4) * np.sin(columns / rng.uniform(15, 40))
        value = 0.5 + 0.5 * np.sin(2 * np.pi * along / scale)
    else:
        count = int(height * width / scale**2) + 4
        points = rng.uniform((-scale, -scale), (height + scale, width + scale), (count, 2))
        away, _ = cKDTree(points).query(np.stack([rows, columns], axis=-1), k=2)
        nearest = np.moveaxis(away, -1, 0)
        borders = np.clip((nearest[1] - nearest[0]) / (0.25 * scale), 0, 1)
        value = (nearest[0] < 0.28 * scale).astype(float) if kind == "dots" else borders
    first, second = rng.uniform(20, 235, (2, 3))
    while abs(first.mean() - second.mean()) < 30:
        second = rng.uniform(20, 235, 3)
    light = 1 + rng.uniform(-0.4, 0.4) * (rows / height - 0.5) + rng.uniform(-0.4, 0.4) * (columns / width - 0.5)
    drawn = (first + (second - first) * value[..., None]) * light[..., None]
    return np.clip(drawn + rng.normal(0, 15, drawn.shape), 0, 255).astype(np.uint8)


def numeral(kind: str, rng: np.random.Generator, source: Any) -> np.ndarray:
    """Take the next of scikit-learn's digits of this kind, enlarged, in two colours."""
    from PIL import Image

    ink = next(source[kind]) / 16
    side = int(rng.integers(64, 101))
    large = (
        np.asarray(Image.fromarray((255 * ink).astype(np.uint8)).resize((side, side), Image.Resampling.BICUBIC)) / 255
    )
    paper, front = rng.uniform(0, 255, (2, 3))
    while abs(paper.mean() - front.mean()) < 60:
        front = rng.uniform(0, 255, 3)
    drawn = paper + (front - paper) * large[..., None]
    return np.clip(drawn + rng.normal(0, 15, drawn.shape), 0, 255).astype(np.uint8)


def folder_cell(cell: str, seed: int, place: Path) -> tuple[list[str], Any, np.ndarray]:
    """Write a folder of 182 pictures; return the command's data arguments, fresh pictures and their classes."""
    from PIL import Image
    from sklearn.datasets import load_digits

    rng, names = np.random.default_rng([seed, len(cell)]), FOLDERS[cell]
    digits = load_digits()
    numbers = dict(zip(names, (8, 5, 3), strict=True)) if cell == "numerals" else {}
    source = {kind: iter(rng.permutation(digits.images[digits.target == n])) for kind, n in numbers.items()}
    fresh = place / "fresh"
    classes = []
    for i in range(ROWS + FRESH):
        code = i % len(names)
        form = "JPEG" if cell == "textures" else "PNG"
        store = place / "train" / names[code] if i < ROWS else fresh
        store.mkdir(parents=True, exist_ok=True)
        image = Image.fromarray(picture(cell, names[code], rng, source))
        buffer = io.BytesIO()
        image.save(buffer, form, **({"quality": 90} if form == "JPEG" else {}))
        (store / f"{i:04d}.{form.lower()}").write_bytes(buffer.getvalue())
        if i >= ROWS:
            classes.append(code)
    return [str(place / "train")], fresh, np.array(classes)


def archive_cell(cell: str, seed: int, place: Path, data: Path) -> tuple[list[str], Any, np.ndarray]:
    """Write archives; return the command's data arguments, test images and their classes."""
    name, rows = cell.rsplit("_", 1)
    path = data / name / "data.npz"
    with np.load(path if path.exists() else next((data / name).glob("*.npz"))) as file:
        if "x_train" in file.files:
            x, y, x_test, y_test = (file[k] for k in ("x_train", "y_train", "x_test", "y_test"))
        else:
            x, y = file["x"], file["y"]
            cut = len(x) - min(2000, len(x) // 4)
            x, y, x_test, y_test = x[:cut], y[:cut], x[cut:], y[cut:]
    order = np.random.default_rng(seed).permutation(min(int(rows), len(x)))
    np.savez(place / "train.npz", X=x[order], y=y[order].astype(np.int64))
    np.savez(place / "test.npz", X=x_test[:1000], y=y_test[:1000].astype(np.int64))
    return [str(place / "train.npz"), "--test", str(place / "test.npz")], x_test, y_test.astype(np.int64)


def answers(bundle: Path, images: Any, work: Path) -> np.ndarray:
    """Return the probabilities that the bundle gives."""
    from temperance.data import read
    from temperance.deployment import load
    from temperance.records.schema import Rows

    loaded = load(bundle)
    if isinstance(images, Path):
        rows = read(images, schema=loaded.schema, workdir=work).table.rows
    else:
        shaped = images.reshape(len(images), *loaded.schema.image_shape)
        rows = Rows(np.empty((len(images), 0)), np.empty((len(images), 0), dtype=np.int32), shaped)
    return np.asarray(loaded.predict(rows))


def run(cell: str, seed: int, given: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="images-") as folder:
        place = Path(folder)
        data, images, truth = (
            folder_cell(cell, seed, place) if cell in FOLDERS else archive_cell(cell, seed, place, given.data)
        )
        out = place / "study"
        command = [given.command or COMMAND, "study", *data, "--budget", given.budget, "--seed", str(seed),
                   "--workers", "2", "--out", str(out), "--quiet"]  # fmt: skip
        began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **ONE_THREAD})
        wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        took = {"wall_seconds": round(wall, 1), "cpu_seconds": round(cpu, 1)}
        if done.returncode:
            return {"status": "failed", "why": done.stderr[-2000:], **took}
        found = scores(truth, answers(out / "bundle", images, place / "read"))
        document = json.loads((out / "study.json").read_text())
        trials = [
            {k: t.get(k) for k in ("name", "status", "model")} | {"quality": _quality(t)} for t in document["trials"]
        ]
        spread = 1.96 * (found["accuracy"] * (1 - found["accuracy"]) / len(truth)) ** 0.5
        return {"status": "done", "metrics": found, "accuracy_95": round(spread, 4), "scored": len(truth), **took,
                "trained": trials, **told(document)}  # fmt: skip


def _quality(trial: dict[str, Any]) -> Any:
    found = trial.get("quality")
    return found.get("value") if isinstance(found, dict) else found


def record(cell: str, seed: int, given: argparse.Namespace) -> None:
    path = given.records / f"{cell}-s{seed}{given.suffix}.json"
    commit = revision()
    result = run(cell, seed, given)
    row = {
        "benchmark": "images", "cell": cell, "seed": seed, "bar": BARS.get(cell), "budget": given.budget,
        "half": "generated" if cell in FOLDERS else half(cell.rsplit("_", 1)[0]), **result,
        "commit": commit, "created": datetime.now(UTC).isoformat(timespec="seconds"), "load": os.getloadavg()[0],
        "machine": {"cores": os.cpu_count(), "cpu": processor()}, "python": platform.python_version(),
    }  # fmt: skip
    path.write_text(json.dumps(row, indent=1) + "\n")
    print(cell, seed, result["status"], result.get("metrics", result.get("why")), result["cpu_seconds"], flush=True)


def summary(folder: Path) -> str:
    lines = [
        "| cell | seed | half | accuracy (95 %) | log loss | bar | CPU s | wall s | winner |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for path in sorted(folder.glob("*.json")):
        row = json.loads(path.read_text())
        name = path.stem.rsplit("-s", 1)[0] + row.get("label", "")
        if row["status"] != "done":
            lines.append(f"| {name} | {row['seed']} | {row['half']} | failed | | | | | {row['why'][:60]} |")
            continue
        m = row["metrics"]
        lines.append(
            f"| {path.stem} | {row['seed']} | {row['half']} | {m['accuracy']:.4f} ± {row['accuracy_95']:.4f} "
            f"| {m['log_loss']:.3f} | {row['bar'] or ''} | {row['cpu_seconds']} | {row['wall_seconds']} "
            f"| {row['winner']['name']} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words = lambda text: tuple(part for part in text.split(",") if part)  # noqa: E731
    parser.add_argument("--data", type=Path, metavar="DIR")
    parser.add_argument("--cells", type=words, default=tuple(BARS))
    parser.add_argument("--seeds", type=lambda text: tuple(int(s) for s in words(text)), default=(0,))
    parser.add_argument("--budget", default="120s")
    parser.add_argument("--command", help="another temperance to run, for a comparison")
    parser.add_argument("--suffix", default="", help="of the record's name, for a comparison")
    parser.add_argument("--records", type=Path, default=RECORDS)
    parser.add_argument("--summary", action="store_true", help="write summary.md from the records")
    given = parser.parse_args()
    given.records.mkdir(parents=True, exist_ok=True)
    if not given.summary:
        for seed in given.seeds:
            for cell in given.cells:
                record(cell, seed, given)
    text = summary(given.records)
    (given.records / "summary.md").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
