"""Plain attention: a second derivative exists, and every switch is put back."""

import pytest
import torch
from torch.backends import cuda
from torch.nn.functional import scaled_dot_product_attention

from temperance.core.attention import plain_attention

SWITCHES = (cuda.flash_sdp_enabled, cuda.mem_efficient_sdp_enabled, cuda.cudnn_sdp_enabled, cuda.math_sdp_enabled)


def test_a_second_derivative_exists():
    x = torch.randn(1, 2, 4, 8, requires_grad=True)
    with plain_attention():
        out = scaled_dot_product_attention(x, x, x)
    (slope,) = torch.autograd.grad(out.square().sum(), x, create_graph=True)
    slope.square().sum().backward()
    assert float(x.grad.abs().sum()) > 0


def _break(on: list[bool]) -> None:
    assert on == [False, False, False, True]
    raise ZeroDivisionError


@pytest.mark.parametrize("flash", [True, False])
def test_every_switch_is_put_back_also_after_an_error(flash):
    was = cuda.flash_sdp_enabled()
    cuda.enable_flash_sdp(flash)
    before = [is_on() for is_on in SWITCHES]
    try:
        with pytest.raises(ZeroDivisionError), plain_attention():
            _break([is_on() for is_on in SWITCHES])
        assert [is_on() for is_on in SWITCHES] == before
    finally:
        cuda.enable_flash_sdp(was)
