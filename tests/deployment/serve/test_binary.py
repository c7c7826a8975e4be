"""Parts of binary bodies; whole requests are in test_protocol.py."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from temperance.deployment.serve.binary import DTYPES, fill, packed, parted, unpacked
from temperance.records.errors import RequestError


@given(st.binary(max_size=200), st.sampled_from([*DTYPES, "BYTES", "FP65", None]), st.integers(-3, 300))
def test_any_bytes_fill_or_are_refused(data, datatype, size):
    content = {"inputs": [{"datatype": datatype, "parameters": {"binary_data_size": size}}]}
    try:
        fill(content, data)
    except RequestError as error:
        status = error.status
    else:
        status = 400 if size == len(data) else 500
    assert status == 400


@given(st.binary(max_size=100), st.sampled_from([b"gzip", b"deflate", b"br", b""]))
def test_any_bytes_unpack_or_are_refused(data, encoding):
    try:
        status = 400 if len(unpacked(data, encoding, most=1000)) <= 1000 else 500
    except RequestError as error:
        status = error.status
    assert status in (400, 413, 415)


def test_parts_and_packing():
    assert parted(b"{}12", b"2") == (b"{}", b"12")
    assert np.frombuffer(packed(np.array([[1.0, 2.0]])), "<f8").tolist() == [1.0, 2.0]
    with pytest.raises(RequestError, match="a number up to 2"):
        parted(b"{}", b"3")
