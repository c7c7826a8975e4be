"""Every watch that a test began is closed at its end: what it wraps is the whole process's."""

from collections.abc import Iterator

import pytest

from temperance.proof import calls


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    for one in list(calls._listeners):
        one.close()
