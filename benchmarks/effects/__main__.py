"""What each technique does to test scores at its default strengths, beside the same training without it.

    python -m benchmarks.effects --data DIR [--seeds 5] [--jobs 2] [--only Dropout ...] [--fresh]

Nothing is tuned: strengths are the defaults of the package, nets, epochs and rates are the same for all (AdamW 2e-3,
batches of 64, cosine rate; constant for those techniques that stand in for a schedule, beside plain training with a
cosine). Pairs share split, first weights and order of batches. DIR may lack sets; bundled ones always run. The record
is written after each cell and what it holds is skipped.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from benchmarks.effects.problems import problems
from benchmarks.effects.special import SPECIAL
from benchmarks.effects.text import WORDS, questions
from benchmarks.effects.train import fit, score

import temperance.regularizers  # noqa: F401  (fills the registry)
from temperance import AdaptiveAugmentation, Recipe, SignFeedback, StochasticDepth
from temperance.core.regularizer import techniques
from temperance.records.errors import RecipeError, SettingError

RECORD = Path(__file__).parent.parent / "records" / "effects.json"
PLAIN = "nothing"
CONSTANT = ("ScheduleFree", "SWA", "LAWA")
# Techniques whose default does nothing by itself, or that need to be told where they act.
RECIPES = {
    "StochasticDepth": lambda: Recipe(StochasticDepth(at="*.branch")),
    "AdaptiveAugmentation": lambda: Recipe(
        AdaptiveAugmentation(), controller=SignFeedback(0.05, ramp=15, signal="gap")
    ),
}
WHERE = {
    "L2SP": ("transfer", "shifted"), "SelectiveProjectionDecay": ("transfer", "shifted"),
    "Mixout": ("transfer", "shifted"), "LayerwiseRateDecay": ("transfer", "shifted"),
    "FrozenPrefix": ("transfer", "shifted"),
    "NEFTune": ("questions",), "TokenDropout": ("questions",),
    "DFT": ("transfer", "shifted"), "KLAnchor": ("transfer", "shifted"), "LoRADropout": ("adapters",), "R1": ("ring",),
    "GradientPenalty": ("ring_wasserstein",),
}  # fmt: skip
ALSO = {
    "SpectralNorm": ("ring", "ring_wasserstein"),
    "WeightDecay": ("transfer", "shifted"),
    "Dropout": ("transfer", "shifted", "questions"),
    **dict.fromkeys(("R3F", "VAT", "MixUp"), ("questions",)),
}


def recipe(name: str, problem: str) -> Recipe:
    if name == PLAIN:
        return Recipe()
    if name in ("L2SP", "Mixout") and problem == "transfer":
        return Recipe(techniques[name](new="1.*"))  # type: ignore[call-arg]
    return RECIPES[name]() if name in RECIPES else Recipe(techniques[name]())


def run(folder: str, problem: str, name: str, seed: int) -> dict[str, Any] | None:
    """Return the scores of one training; ``refused`` where the technique cannot act; None where the set is absent."""
    torch.set_num_threads(1)
    started = time.process_time()
    try:
        if problem == "questions":
            found = questions(Path(folder), recipe(name, problem), seed)
            if found is None:
                return None
        elif problem in SPECIAL:
            found = SPECIAL[problem][1](recipe(name, problem), seed)
        else:
            one = problems(Path(folder))[problem]
            data = one.cut(seed)
            if data is None:
                return None
            torch.manual_seed(seed)
            model = one.net(data.x, data.classes)
            found = score(
                fit(recipe(name, problem), model, data, one.epochs, seed, constant=name in CONSTANT), one, data, seed
            )
    except (RecipeError, SettingError) as error:
        return {"refused": str(error).split(". ")[0]}
    return {**found, "seconds": round(time.process_time() - started, 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="../shared/data", help="folder with a folder per set")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", nargs="*", default=[], help="techniques to run")
    parser.add_argument("--fresh", action="store_true", help="forget the record of what is run")
    chosen = parser.parse_args()
    record = json.loads(RECORD.read_text()) if RECORD.exists() else {"cells": {}}
    known = problems(Path(chosen.data))
    record |= {"torch": torch.__version__, "python": platform.python_version(), "machine": platform.machine()}
    record["problems"] = {name: one.words for name, one in known.items()} | {n: w for n, (w, _) in SPECIAL.items()}
    record["problems"]["questions"] = WORDS
    record["settings"] = __doc__.split("\n\n")[2].replace("\n", " ").strip()
    names = [n for n, cls in techniques.items() if cls.__module__.startswith("temperance.")]
    names = [PLAIN, *(n for n in names if not chosen.only or n in chosen.only)]
    wanted = [(place, name) for name in names for place in places(name, list(known))]
    if chosen.fresh:
        for place, name in wanted:
            record["cells"].pop(f"{place} / {name}", None)
    jobs = [
        (place, name, seed)
        for seed in range(chosen.seeds)
        for place, name in wanted
        if str(seed) not in record["cells"].get(f"{place} / {name}", {})
    ]
    print(f"{len(jobs)} trainings", flush=True)
    with ProcessPoolExecutor(chosen.jobs) as pool:
        waiting = {pool.submit(run, chosen.data, *job): job for job in jobs}
        for done, future in enumerate(as_completed(waiting), 1):
            place, name, seed = waiting[future]
            found = future.result()
            if found is not None:
                record["cells"].setdefault(f"{place} / {name}", {})[str(seed)] = found
            if done % 50 == 0 or done == len(jobs):
                write(record)
                print(f"{done} of {len(jobs)}", flush=True)
    write(record)


def places(name: str, known: list[str]) -> list[str]:
    """Return the problems on which a technique is measured."""
    if name == PLAIN:
        return [*known, *SPECIAL, "questions"]
    return list(WHERE[name]) if name in WHERE else [*known, *ALSO.get(name, ())]


def write(record: dict[str, Any]) -> None:
    waiting = RECORD.with_suffix(".tmp")
    waiting.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n")
    os.replace(waiting, RECORD)


if __name__ == "__main__":
    main()
