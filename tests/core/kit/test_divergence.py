"""The divergence of two answers, whole and in pieces."""

import numpy as np
import torch

from temperance.core.kit import divergence as pieces


def test_equals_the_formula_and_is_wide():
    a, b = torch.randn(4, 6, dtype=torch.float64), torch.randn(4, 6, dtype=torch.float64)
    p, q = (torch.softmax(z, 1).numpy() for z in (a, b))
    np.testing.assert_allclose(pieces.divergence(a, b).numpy(), (p * np.log(p / q)).sum(1), rtol=1e-12)
    assert pieces.divergence(a.bfloat16(), b.bfloat16()).dtype == torch.float32


def test_a_large_vocabulary_in_pieces_gives_the_same(monkeypatch):
    a = torch.randn(6, 5, 11, dtype=torch.float64, requires_grad=True)
    b = torch.randn(6, 5, 11, dtype=torch.float64)
    whole = pieces.divergence(b, a)
    (slope,) = torch.autograd.grad(whole.sum(), a)
    monkeypatch.setattr(pieces, "LARGE", 0)
    monkeypatch.setattr(pieces, "PIECE", 40)
    cut = pieces.divergence(b, a)
    torch.testing.assert_close(cut, whole, rtol=0, atol=1e-14)
    torch.testing.assert_close(torch.autograd.grad(cut.sum(), a)[0], slope, rtol=0, atol=1e-14)
