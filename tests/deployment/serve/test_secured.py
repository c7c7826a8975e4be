"""HTTPS with a certificate of one's own."""

import json
import re
import shutil
import ssl
import subprocess
import sys
import urllib.request

import pytest

from temperance.deployment.serve.secured import Secured, tls
from temperance.records.errors import SettingError

ROW = {"x0": 1.0, "x1": 5e6, "x2": None, "x3": 2, "c0": "red", "c1": "yes"}
SERVE = """
import sys
from temperance.deployment.serve import run
from temperance.deployment.serve.secured import Secured
run(sys.argv[1], port=0, level="off", secured=Secured(sys.argv[2], sys.argv[3]),
    announce=lambda text: print(text, flush=True))
"""


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
               "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem"]  # fmt: skip
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return str(folder / "cert.pem"), str(folder / "key.pem")


def test_what_cannot_be_used_is_named(pair, tmp_path):
    Secured(*pair).check()
    (tmp_path / "bad.pem").write_text("no certificate")
    for cert, key in [(str(tmp_path / "none"), pair[1]), (str(tmp_path / "bad.pem"), pair[1]), (pair[0], pair[0])]:
        with pytest.raises(SettingError, match="--tls-cert"):
            Secured(cert, key).check()
    assert tls(None) == {}


def test_answers_come_over_tls(shipped, pair):
    server = subprocess.Popen([sys.executable, "-c", SERVE, str(shipped), *pair], stdout=subprocess.PIPE, text=True)
    try:
        address = re.search(r"https://\S+", server.stdout.readline())[0]
        context = ssl.create_default_context(cafile=pair[0])
        request = urllib.request.Request(f"{address}/predict", json.dumps(ROW).encode())
        with urllib.request.urlopen(request, timeout=20, context=context) as reply:
            assert set(json.load(reply)["probabilities"]) == {"no", "yes"}
    finally:
        server.terminate()
        assert server.wait(timeout=20) == 0
