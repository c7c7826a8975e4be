"""The process itself runs in test_workers.py; here what it is told."""

import json
import subprocess
import sys


def test_a_worker_without_a_bundle_says_so(tmp_path):
    given = {"folder": str(tmp_path), "watched": False, "limits": {}, "tls": {}, "listener": 0, "line": 0}
    command = [sys.executable, "-m", "temperance.deployment.serve.worker", json.dumps(given)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert "manifest.json" in done.stderr
