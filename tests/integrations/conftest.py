"""Tests of a framework run where it is installed; ``small`` has the models and rows of transformers."""

import json
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from temperance.study.events import Began, Marked, Proposed, Tried
from temperance.study.spec import TrialSpec
from temperance.testing.study_example import study_example

sys.path.insert(0, str(Path(__file__).parent))
_NEEDS_TRANSFORMERS = ["test_transformers*.py", "test_accelerate.py", "test_peft*.py"]
collect_ignore_glob = [] if find_spec("transformers") and find_spec("accelerate") else _NEEDS_TRANSFORMERS

RECIPES = {
    "t004": {"regularizers": [{"name": "WeightDecay", "rate": 0.02}]},
    "t005": {"regularizers": [{"name": "Dropout", "p": 0.1}]},
    "t008": {"regularizers": [{"name": "WeightDecay", "rate": 0.02}, {"name": "Dropout", "p": 0.4}]},
    "t009": {"regularizers": [{"name": "Dropout", "p": 0.2}], "controller": {"name": "Curriculum"}},
    "t010": {"regularizers": [{"name": "MixUp", "alpha": 0.3}, {"name": "EMA", "decay": 0.9}]},
}
SETTINGS = {"epochs": 40.0, "batch_size": 64, "lr": 0.03, "curve": "flat_cos"}


@pytest.fixture
def study_folder(tmp_path):
    """A made-up study of thirteen trials: done, discarded, failed, an ensemble; with marks and recipes."""
    folder = tmp_path / "churn"
    (folder / "bundle").mkdir(parents=True)
    (folder / "bundle" / "manifest.json").write_text("{}")
    (folder / "report.html").write_text("<p>report</p>")
    document = study_example()
    document["trials"][11] |= {"status": "failed", "why": "It failed: no", "selection": {}, "robustness": None}
    events = [Began(settings={"data": "churn.csv"})]
    for row in document["trials"]:
        row["recipe"] = RECIPES.get(row["id"], {"regularizers": []}) if row["kind"] not in ("basic",) else None
        row["settings"] = SETTINGS if row["kind"] not in ("basic", "ensemble") else {}
        names = ("id", "name", "kind", "model", "recipe", "settings", "seed", "adaptive")
        spec = TrialSpec(**{name: row[name] for name in names})
        events.append(Proposed(spec=spec.to_dict(), by="Portfolio"))
        if row["status"] == "discarded":
            row["selection"] = {}
            events.append(Marked(trial=row["id"], fraction=0.25, file="mark_25.npy", loss=0.5, goes_on=False))
        quality = (row["selection"].get("log_loss") or {}).get("value")
        events.append(Tried(spec=spec.to_dict(), result={"status": row["status"]}, quality=quality))
    (folder / "study.json").write_text(json.dumps(document))
    (folder / "ledger.jsonl").write_text("".join(json.dumps(one.to_dict()) + "\n" for one in events))
    return folder
