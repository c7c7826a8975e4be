from itertools import pairwise

import numpy as np
import pytest

from temperance.control.nupi import nupi

# Errors fed to cooper-optim 1.0.1 (MIT; cooper.optim.nuPI, lr=1, maximize=True, init_type=ZEROS, float64, torch 2.13),
# and the parameter after each step, recorded 2026-11-23. No code of it is used.
ERRORS = [0.5, -0.2, 0.3, 0.1, -0.4, 0.25, 0.0, -0.1]
COOPER = {
    (0.0, 1.0, 0.0): [0.5, 0.3, 0.6, 0.7, 0.3, 0.55, 0.55, 0.45],
    (1.0, 1.0, 0.0): [1.0, 0.1, 0.9, 0.8, -0.1, 0.8, 0.55, 0.35],
    (1.0, 0.15, 0.5): [0.325, 0.07, 0.2525, 0.23625, -0.089375, 0.1403125, 0.11140625, 0.031953125],
    (2.0, 0.3, 0.9): [0.25, 0.14, 0.285, 0.3245, 0.11305, 0.235745, 0.2286705, 0.17230345],
}
# Its SGD initialization with gains (1, 0.15, 0.5). The code sets xi_0 = 0 where its own text and the paper have
# xi_0 = e_0; so after a first plain step it goes on as ZEROS does. Ours follows the text.
COOPER_SGD = [0.075, -0.055, 0.19, 0.205, -0.105, 0.1325, 0.1075, 0.03]
GAINS = pytest.mark.parametrize("gains", list(COOPER), ids=str)


def path(errors, gains, init, start=0.0, xi=np.nan):
    kp, ki, nu = gains
    value, xi, values = np.array(start), np.array(xi), []
    for error in errors:
        delta, xi = nupi(np.array(error), xi, kp=kp, ki=ki, nu=nu, init=init)
        value = value + delta
        values.append(float(value))
    return values


def twin(errors, gains, init):
    """The formula in plain Python floats."""
    kp, ki, nu = gains
    value, before, values = 0.0, None, []
    for error in errors:
        if before is None:
            before = error if init == "sgd" else 0.0
        now = nu * before + (1 - nu) * error
        value += ki * error + kp * (now - before)
        before = now
        values.append(value)
    return values


@GAINS
def test_equals_the_authors_code(gains):
    np.testing.assert_allclose(path(ERRORS, gains, "zeros"), COOPER[gains], atol=1e-12)


def test_the_authors_sgd_start_is_a_plain_step_and_then_zeros():
    first = 0.15 * ERRORS[0]
    np.testing.assert_allclose(
        [first, *path(ERRORS[1:], (1.0, 0.15, 0.5), "zeros", start=first)], COOPER_SGD, atol=1e-12
    )


@GAINS
@pytest.mark.parametrize("init", ["sgd", "zeros"])
def test_equals_the_plain_formula(gains, init):
    errors = np.random.default_rng(0).normal(size=200)
    np.testing.assert_allclose(path(errors, gains, init), twin(errors, gains, init), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("init", ["sgd", "zeros"])
def test_integral_alone_is_gradient_ascent(init):
    np.testing.assert_allclose(path(ERRORS, (0.0, 1.0, 0.0), init), np.cumsum(ERRORS), rtol=0, atol=1e-15)


def test_unit_gains_are_the_optimistic_gradient():
    values = path(ERRORS, (1.0, 1.0, 0.0), "sgd")
    steps = np.diff([0.0, *values])
    expected = [ERRORS[0], *(2 * now - before for before, now in pairwise(ERRORS))]
    np.testing.assert_allclose(steps, expected, atol=1e-15)


def test_a_dead_error_holds_both():
    delta, xi = nupi(np.array([np.nan, 1.0]), np.array([0.5, 0.5]), kp=1.0, ki=1.0, nu=0.5)
    np.testing.assert_array_equal(delta, [0.0, 1.25])
    np.testing.assert_array_equal(xi, [0.5, 0.75])


def test_hand_computed_case():
    # kp 1, ki 0.5, nu 0.5, first error 2: xi 2, delta 1; then error 4: xi 3, delta 0.5*4 + (3 - 2) = 3
    delta, xi = nupi(np.array(2.0), np.array(np.nan), kp=1.0, ki=0.5, nu=0.5)
    assert (delta, xi) == (1.0, 2.0)
    delta, xi = nupi(np.array(4.0), xi, kp=1.0, ki=0.5, nu=0.5)
    assert (delta, xi) == (3.0, 3.0)
