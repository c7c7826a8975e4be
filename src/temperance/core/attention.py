"""Attention that can be differentiated twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from torch.backends import cuda

# The switches count on every device. ``torch.nn.attention.sdpa_kernel`` does the same with more calls.
_FUSED: tuple[tuple[Callable[[], bool], Callable[[bool], None]], ...] = (
    (cuda.flash_sdp_enabled, cuda.enable_flash_sdp),
    (cuda.mem_efficient_sdp_enabled, cuda.enable_mem_efficient_sdp),
    (cuda.cudnn_sdp_enabled, cuda.enable_cudnn_sdp),
)


@contextmanager
def plain_attention() -> Iterator[None]:
    """Use the plain attention kernel meanwhile: the fused ones have no second derivative."""
    on = [switch for is_on, switch in _FUSED if is_on()]
    math_on: bool = cuda.math_sdp_enabled()  # type: ignore[no-untyped-call]
    for switch in on:
        switch(False)
    cuda.enable_math_sdp(True)
    try:
        yield
    finally:
        for switch in on:
            switch(True)
        cuda.enable_math_sdp(math_on)
