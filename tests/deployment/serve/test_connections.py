"""Clients that do not finish, against a server with short deadlines."""

import asyncio
import contextlib
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
import uvicorn

from temperance.deployment.serve.application import app
from temperance.deployment.serve.connections import Server, protocol
from temperance.deployment.serve.limits import Limits

ROW = {"x0": 1.0, "x1": 5e6, "x2": None, "x3": 2, "c0": "red", "c1": "yes"}
BODY = json.dumps(ROW).encode()
WHOLE = b"POST /predict HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n" % len(BODY) + BODY
HALF = b"POST /predict HTTP/1.1\r\nhost: a\r\ncontent-length: 5000000\r\n\r\n" + b"[" * 70_000
LIMITS = Limits(head_seconds=0.6, body_seconds=0.6, slowest=10**6, connections=5, head=2000, drain_seconds=1)


@contextlib.contextmanager
def serving(bundle, limits=LIMITS):
    application = app(bundle, limits=limits)
    config = uvicorn.Config(application, http=protocol(limits), log_level="critical", timeout_graceful_shutdown=1)
    server = Server(config, application)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])), daemon=True)
        thread.start()
        try:
            yield address, server
        finally:
            server.should_exit = True
            thread.join(timeout=10)
    assert not thread.is_alive()


def said(client, *, within=5.0):
    """Read until the server closes."""
    client.settimeout(within)
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := client.recv(65536):
            parts.append(part)
    return b"".join(parts)


@pytest.fixture(scope="module")
def bundle(shipped):
    from temperance.deployment.bundle import load

    return load(shipped)


@pytest.mark.parametrize(
    ("sent", "status"),
    [(b"POST /predict HT", b" 408 "), (b"\r\n", b" 408 "), (HALF, b" 408 "), (b"GET /" + b"a" * 3000, b" 431 ")],
)
def test_a_request_that_does_not_end_is_let_go(bundle, sent, status):
    with serving(bundle) as (address, _), socket.create_connection(address) as client:
        client.sendall(sent)
        answer = said(client)
        assert status in answer.split(b"\r\n")[0]
        assert set(json.loads(answer.partition(b"\r\n\r\n")[2])) == {"error"}


def test_a_silent_connection_is_closed_without_a_word(bundle):
    with serving(bundle) as (address, _), socket.create_connection(address) as client:
        assert said(client) == b""


def test_slow_headers_after_an_answer_have_a_deadline_too(bundle):
    with serving(bundle) as (address, _), socket.create_connection(address) as client:
        client.sendall(WHOLE)
        assert b" 200 " in client.recv(65536)
        client.sendall(b"GET /hea")
        assert b" 408 " in said(client)


def test_a_body_that_moves_on_is_not_let_go(bundle):
    limits = Limits(body_seconds=0.6, slowest=10)
    with serving(bundle, limits) as (address, _), socket.create_connection(address) as client:
        for part in (WHOLE[:-40], *(WHOLE[i : i + 10 or None] for i in range(-40, 0, 10))):
            client.sendall(part)
            time.sleep(0.3)
        assert b" 200 " in client.recv(65536)


def test_the_longest_waiting_connection_gives_its_place_to_a_new_one(bundle):
    with serving(bundle) as (address, _), contextlib.ExitStack() as stack:
        idle = [stack.enter_context(socket.create_connection(address)) for _ in range(5)]
        time.sleep(0.1)
        client = stack.enter_context(socket.create_connection(address))
        client.sendall(WHOLE)
        assert b" 200 " in client.recv(65536)
        assert b" 503 " in said(idle[0])


def test_a_refused_body_is_drained_for_a_while_only(bundle):
    with serving(bundle, Limits(body=1000, body_seconds=0.6)) as (address, _):
        with socket.create_connection(address) as client:
            client.sendall(HALF[:200])
            answer = said(client)
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert answer.count(b"HTTP/1.1") == 1


def test_the_collector_leaves_alone_what_was_loaded_while_it_serves(bundle):
    with serving(bundle, Limits()) as (address, _):
        with socket.create_connection(address) as client:
            client.sendall(WHOLE)
            assert b" 200 " in client.recv(65536)
        assert gc.get_freeze_count() > 1000
    assert gc.get_freeze_count() == 0


def test_half_a_request_does_not_block_the_end(bundle):
    limits = Limits(drain_seconds=5)
    with serving(bundle, limits) as (address, server), socket.create_connection(address) as client:
        client.sendall(HALF)
        time.sleep(0.2)
        began = time.monotonic()
        server.should_exit = True
        assert b" 503 " in said(client)
        assert time.monotonic() - began < 2


@pytest.mark.slow
def test_sigterm_ends_in_order(shipped):
    code = (
        "import sys; from temperance.deployment.serve import run;"
        "run(sys.argv[1], port=0, level='off', announce=lambda text: print(text, flush=True));"
        "print('done', flush=True)"
    )
    command = [sys.executable, "-c", code, str(shipped)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert server.stdout is not None
    port = int(server.stdout.readline().split("127.0.0.1:")[1].split()[0])
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(HALF)
        time.sleep(0.3)
        os.kill(server.pid, signal.SIGTERM)
        said, errors = server.communicate(timeout=10)
    assert (server.returncode, said.strip(), errors) == (0, "done", "")
