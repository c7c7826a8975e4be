"""What a user's code prints does not disturb the protocol."""

import io
import json
import subprocess
import sys

import numpy as np
import pytest

from temperance.study import worker
from temperance.study.worker import action, device_of, send


def test_events_are_json_lines():
    out = io.StringIO()
    send(out, {"event": "x", "value": np.float64(0.5), "list": np.arange(2)})
    assert json.loads(out.getvalue()) == {"event": "x", "value": 0.5, "list": [0, 1]}
    with pytest.raises(TypeError):
        send(out, {"event": object()})


def test_jobs_are_found_by_name():
    assert action("trial").__name__ == "trial"
    assert action("refit").__name__ == "refit"


def test_a_worker_starts_says_so_and_ends_with_its_input():
    done = subprocess.run(
        [sys.executable, "-m", "temperance.study.worker"], input=b"", capture_output=True, timeout=120, check=True
    )
    assert json.loads(done.stdout)["event"] == "ready"


def test_auto_is_a_gpu_only_where_this_torch_can_use_one(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)  # the CPU build on a machine with a driver
    assert device_of({"device": "auto"}) == worker.auto_device() == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert device_of({"device": "auto"}) == "cuda"
    assert device_of({"device": "cpu"}) == "cpu"
