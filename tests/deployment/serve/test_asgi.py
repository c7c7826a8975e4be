"""Replies, headers and bodies, without a server."""

import asyncio

import orjson
import pytest

from temperance.deployment.serve.asgi import JSON, body_of, check_method, header, ident_of, refused, said
from temperance.deployment.serve.limits import Held, Limits
from temperance.records.errors import RequestError


def scope(method="GET", **headers):
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"method": method, "path": "/predict", "headers": named}


def read(messages, content_length=None, limits=None):
    waiting = iter(messages)

    async def receive():
        return next(waiting)

    head = {} if content_length is None else {"content_length": str(content_length)}
    with Held(limits or Limits()).body() as hold:
        return asyncio.run(body_of(scope("POST", **head), receive, hold))


def test_what_is_said_and_refused_is_json() -> None:
    assert said({"a": 1}) == (200, b'{"a":1}', JSON, ())
    no = refused(RequestError("GET /predict", "only POST", status=405))
    assert (no.status, no.headers) == (405, ((b"allow", b"POST"),))
    assert "only POST" in orjson.loads(no.body)["error"]
    assert refused(RequestError("full", "", status=503)).headers == ((b"retry-after", b"1"),)


def test_only_the_named_method_is_taken_and_head_goes_where_get_does() -> None:
    check_method(scope("HEAD"), "GET")
    with pytest.raises(RequestError, match="only POST"):
        check_method(scope("GET"), "POST")


def test_headers_and_request_ids() -> None:
    assert header(scope(x_a="1"), b"x-a") == b"1"
    assert header(scope(), b"x-a") == b""
    assert ident_of(scope(x_request_id="order-7")) == "order-7"
    odd = ident_of(scope(x_request_id="../../x y"))
    assert odd != "../../x y"
    assert len(odd) == 32


def test_a_body_comes_in_pieces_and_is_refused_where_it_is_too_large() -> None:
    pieces = [{"type": "http.request", "body": b"ab", "more_body": True}, {"type": "http.request", "body": b"c"}]
    assert read(pieces) == b"abc"
    with pytest.raises(RequestError):
        read(pieces, limits=Limits(body=2))
    with pytest.raises(RequestError):
        read([], content_length=10, limits=Limits(body=2))
    with pytest.raises(RequestError, match="went away"):
        read([{"type": "http.disconnect"}])
