"""The description fits what the server does."""

import asyncio
from types import SimpleNamespace

import httpx
import pytest

from temperance.deployment.bundle import load
from temperance.deployment.serve.application import app
from temperance.deployment.serve.openapi import describe, row_schema
from temperance.records.schema import Column, Schema, Target


@pytest.fixture(scope="module")
def document(shipped):
    return describe(load(shipped), admin=True)


def test_columns_and_classes_are_those_of_the_bundle(document):
    row = document["components"]["schemas"]["row"]
    assert row["required"] == ["x0", "x1", "x2", "x3", "c0", "c1"]
    assert "'red'" in row["properties"]["c0"]["description"]
    answer = document["components"]["schemas"]["answer"]
    assert answer["properties"]["prediction"]["enum"] == ["no", "yes"]


def test_every_read_that_is_described_is_answered(shipped):
    bundle = load(shipped)
    document = describe(bundle, admin=False)
    assert not [path for path in document["paths"] if path.startswith("/admin")]

    async def ask():
        transport = httpx.ASGITransport(app=app(bundle))
        async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
            return {
                (method, path): (await client.request(method.upper(), path, content=b"")).status_code
                for path, methods in document["paths"].items() for method in methods
            }  # fmt: skip

    found = asyncio.run(ask())
    assert {key: status for key, status in found.items() if key[0] == "get"} == {
        key: 200 for key in found if key[0] == "get"
    }
    assert all(status in (200, 400) for status in found.values())


def test_references_lead_somewhere(document):
    def walk(value):
        if isinstance(value, dict):
            if "$ref" in value:
                at = document
                for part in value["$ref"].removeprefix("#/").split("/"):
                    at = at[part]
            for one in value.values():
                walk(one)
        elif isinstance(value, list):
            for one in value:
                walk(one)

    walk(document)
    assert document["openapi"].startswith("3.")
    for methods in document["paths"].values():
        for one in methods.values():
            assert one["responses"]
            assert one["summary"]


def test_an_example_row_is_answered(shipped, document):
    row = document["components"]["schemas"]["row"]["examples"][0]

    async def ask():
        transport = httpx.ASGITransport(app=app(load(shipped)))
        async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
            return await client.post("/predict", json=row)

    assert asyncio.run(ask()).status_code == 200


def test_a_date_is_described_as_its_file_writes_it():
    parts = [
        Column("day", "numeric", "day", "days", low=19723.0, high=20082.0, format="%d.%m.%Y"),
        Column("day.month", "numeric", "day", "month", low=1.0, high=12.0, format="%d.%m.%Y"),
        Column("at", "numeric", "at", "days", low=19723.5, high=20082.0, format="iso"),
    ]
    bundle = SimpleNamespace(schema=Schema(tuple(parts), Target("y", "binary", ("no", "yes"))))
    row = row_schema(bundle)
    assert row["properties"]["day"]["description"] == "a date, written as in training, e.g. 01.01.2024; null: not known"
    assert row["examples"] == [{"day": "01.01.2024", "at": "2024-01-01"}]
