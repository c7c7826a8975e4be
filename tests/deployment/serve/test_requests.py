import asyncio

import pytest

from temperance.deployment.serve.limits import Held, Limits
from temperance.deployment.serve.requests import check_method, header, read_body, request_id
from temperance.records.errors import RequestError


def scope_of(*headers, method="POST"):
    return {"method": method, "path": "/predict", "headers": list(headers)}


def test_a_plain_id_is_kept_and_any_other_is_replaced():
    assert request_id(scope_of((b"x-request-id", b"order-17"))) == "order-17"
    for given in (b"", b"../x", b"a b", b"x" * 300, "é".encode()):
        made = request_id(scope_of((b"x-request-id", given)))
        assert len(made) == 32
    assert request_id(scope_of()) != request_id(scope_of())


def test_head_stands_for_get_and_nothing_else_does():
    check_method(scope_of(method="HEAD"), "GET")
    for method in ("PUT", "GET", "HEAD"):
        with pytest.raises(RequestError) as fault:
            check_method(scope_of(method=method), "POST")
        assert fault.value.status == 405


def test_headers_are_found_by_name():
    assert header(scope_of((b"a", b"1"), (b"b", b"2")), b"b") == b"2"
    assert header(scope_of(), b"b") == b""


def read(parts, *, limits, headers=()):
    messages = iter(parts)

    async def receive():
        return next(messages)

    async def run():
        with Held(limits).body() as hold:
            return await read_body(scope_of(*headers), receive, hold)

    return asyncio.run(run())


def test_a_body_comes_in_parts_and_within_its_limits():
    parts = [{"type": "http.request", "body": b"ab", "more_body": True}, {"type": "http.request", "body": b"c"}]
    assert read(parts, limits=Limits()) == b"abc"
    for limits, headers, status in (
        (Limits(body=2), (), 413), (Limits(body=2), ((b"content-length", b"3"),), 413),
        (Limits(small=1, memory=1), (), 503),
    ):  # fmt: skip
        with pytest.raises(RequestError) as fault:
            read(parts, limits=limits, headers=headers)
        assert fault.value.status == status
    with pytest.raises(RequestError, match="went away"):
        read([{"type": "http.disconnect"}], limits=Limits())
