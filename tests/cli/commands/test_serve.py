import json
import os
import signal
import subprocess
import sys
import urllib.request


def test_it_announces_answers_loads_no_torch_and_ends_on_ctrl_c(classes) -> None:
    code = (
        "import sys; from temperance.cli import main; status = main(sys.argv[1:]);"
        "print('torch' in sys.modules, file=sys.stderr); sys.exit(status)"
    )
    words = [sys.executable, "-c", code, "serve", str(classes.folder), "--port", "0", "--json"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            url = json.loads(server.stdout.readline())["url"]
            body = json.dumps({"rows": [{"size": 1.0, "weight": 0.0, "colour": "red"}]}).encode()
            request = urllib.request.Request(f"{url}/predict", body, {"content-type": "application/json"})
            with urllib.request.urlopen(request, timeout=20) as reply:
                assert json.load(reply)
        finally:
            os.kill(server.pid, signal.SIGINT)
            _, err = server.communicate(timeout=30)
    assert err.strip().splitlines()[-1] == "False"


def test_a_damaged_bundle_is_refused(temperance, tmp_path) -> None:
    done = temperance("serve", tmp_path)
    assert done.status == 2
    assert "manifest.json" in done.err


def test_a_port_in_use_is_refused(temperance, classes) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = temperance("serve", classes.folder, "--port", taken.getsockname()[1], "--quiet")
    assert done.status == 2
    assert "--port" in done.err


def test_state_lies_beside_the_bundle(tmp_path):
    from temperance.cli.commands.serve import beside

    assert beside(tmp_path / "study" / "bundle") == tmp_path / "study" / "bundle.state"
