import importlib

import pytest

import temperance.monitoring as room


def test_every_public_name_loads():
    for name in room.__all__:
        assert getattr(room, name) is not None


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="nothing"):
        importlib.import_module("temperance.monitoring").nothing  # noqa: B018
