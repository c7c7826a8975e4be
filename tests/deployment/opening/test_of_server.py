import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest

from temperance.deployment import load
from temperance.deployment.opening.of_server import ask, open_server
from temperance.deployment.serve.intake import Intake
from temperance.deployment.serve.protocol import Protocol
from temperance.deployment.serve.replies import Replies
from temperance.records.errors import DataError, RequestError
from temperance.records.schema import Schema, Target


@pytest.fixture(scope="module")
def served(shipped):
    """The server's own protocol behind a plain HTTP server in this process."""
    bundle = load(shipped)
    protocol = Protocol(bundle, Intake(bundle.schema), Replies(bundle))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.reply({"model": bundle.name} if self.path == "/" else protocol.model())

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            rows = protocol.rows(body)
            if rows.size > 900:
                self.reply({"error": "too many"}, 413)
                return
            found, _ = protocol.reply(body, bundle.predict(rows))
            self.reply(found)

        def reply(self, body, status=200):
            data = json.dumps(body, default=lambda v: v.tolist()).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *words):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_a_server_answers_as_its_bundle(served, shipped, linear) -> None:
    bundle = load(shipped)
    turned = Schema(bundle.schema.columns[::-1], Target("y", "binary", ("yes", "no")))
    subject = open_server(served, bundle.schema)
    rows = linear.rows.take(slice(0, 50))
    assert subject.predict(rows) == pytest.approx(np.asarray(bundle.predict(rows)), abs=1e-9)
    assert subject.version == bundle.version
    flipped = open_server(served, turned)
    mirrored = rows._replace(numeric=rows.numeric[:, ::-1], categorical=rows.categorical[:, ::-1])
    assert flipped.predict(mirrored)[:, ::-1] == pytest.approx(np.asarray(bundle.predict(rows)), abs=1e-9)
    assert not subject.has("gradients")


def test_faults_of_server_and_data_are_told(served, linear, binary) -> None:
    subject = open_server(served, binary)
    with pytest.raises(RequestError, match="answered 413"):
        subject.predict(linear.rows.take(np.arange(950) % 400))
    with pytest.raises(DataError, match="takes the numeric column"):
        open_server(served, Schema(binary.columns[1:], binary.target))
    with pytest.raises(DataError, match="a server for classes"):
        open_server(served, Schema(binary.columns, Target("y", "regression")))
    with pytest.raises(RequestError, match="nobody answers"):
        ask("http://127.0.0.1:9/")
