import pytest

from temperance.deployment.serve.ownership import Token
from temperance.records.errors import RequestError


@pytest.mark.parametrize("given", [b"", b"Bearer ", b"Bearer wrong", b"right", b"bearer right", b"Bearer right "])
def test_only_the_token_opens(given):
    with pytest.raises(RequestError) as fault:
        Token("right").check([(b"authorization", given)])
    assert fault.value.status == 401


def test_the_token_opens_and_an_empty_one_never_does():
    Token("right").check([(b"x", b"y"), (b"authorization", b"Bearer right")])
    with pytest.raises(RequestError):
        Token("").check([(b"authorization", b"Bearer ")])
