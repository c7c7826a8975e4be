"""Every registered technique through the shipped suite."""

import pytest

import temperance.regularizers  # noqa: F401  (fills the registry)
from temperance.core.regularizer import techniques
from temperance.testing.regularizers import RegularizerSuite

ALL = [pytest.param(one, id=repr(one)) for _, cls in techniques.items() for one in cls.samples()]


class TestEvery(RegularizerSuite):
    @pytest.fixture(params=ALL)
    def regularizer(self, request):
        return request.param
