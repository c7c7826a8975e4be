import subprocess
import sys

import numpy as np
import pytest
import torch
from scipy import stats

from temperance.core.random import (
    KeyPath,
    Request,
    Tape,
    beta,
    beta_number,
    exponential,
    fold,
    normal,
    permutation,
    playing,
    pulse,
    running,
    site_mask,
    site_normal,
    site_uniform,
    uniform,
)  # fmt: skip

CPU = torch.device("cpu")


@pytest.mark.parametrize(("draw", "law"), [(uniform, "uniform"), (normal, "norm"), (exponential, "expon")])
def test_draws_follow_their_laws_and_their_keys(draw, law):
    x = draw(1, (20_000,), CPU)
    assert stats.kstest(x.numpy(), law).pvalue > 1e-3
    assert torch.equal(x, draw(1, (20_000,), CPU))
    assert not torch.equal(x, draw(2, (20_000,), CPU))
    assert sorted(permutation(3, 10, CPU).tolist()) == list(range(10))


def test_draws_leave_torchs_generator_alone():
    before = torch.get_rng_state()
    with pulse(1):
        site_uniform("s", torch.zeros(3)), uniform(1, (3,), CPU), beta(1, 0.2, CPU, strength="mixup.alpha")
    assert torch.equal(before, torch.get_rng_state())


def test_beta_reads_the_members_own_strength_on_a_tape():
    tape = Tape()
    with playing(tape):
        beta(KeyPath(("share",)), torch.tensor(0.5), CPU, strength="mixup.alpha")
    assert tape.requests == [Request("beta", ("share",), (), CPU, torch.float32, "mixup.alpha")]
    drawn = tape.draw([11, 12], {"mixup.alpha": np.array([0.2, 0.0])})
    assert drawn[0].tolist() == [np.float32(beta_number(fold(11, "share"), 0.2)), 1.0]


def test_a_tape_plays_each_members_own_noise():
    tape = Tape()
    with playing(tape):
        for _ in range(2):
            normal(KeyPath(("a",)), (3,), CPU)
        permutation(KeyPath(("b",)), 4, CPU)
    assert len(tape.requests) == 2
    noise = tape.draw([7, 8], {})
    assert torch.equal(noise[0][1], normal(fold(8, "a"), (3,), CPU))
    assert torch.equal(noise[1][0], permutation(fold(7, "b"), 4, CPU))
    with pytest.raises(RuntimeError, match="outside a population step"):
        uniform(KeyPath(("a",)), (1,), CPU)


def test_sites_count_their_calls_within_a_pass():
    like = torch.zeros(4)
    with pulse(5):
        first, second = site_uniform("s", like), site_uniform("s", like)
    with pulse(5):
        again = site_uniform("s", like)
        inner_key = running().key
    assert torch.equal(first, again)
    assert not torch.equal(first, second)
    assert inner_key == 5
    assert running() is None


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_masks_have_the_dtype_of_what_they_multiply(dtype):
    keep = torch.tensor(0.5, dtype=torch.float64)
    with pulse(1):
        mask = site_mask("s", torch.zeros(1000, dtype=dtype), keep)
    assert mask.dtype == dtype
    assert set(mask.tolist()) == {0.0, 2.0}
    with pulse(1):
        assert site_mask("s", torch.zeros(5, dtype=dtype), torch.tensor(1.0)).tolist() == [1.0] * 5


def test_drawing_does_not_load_dynamo():
    code = (
        "import sys, torch\nfrom temperance.core.random import pulse, site_mask\n"
        "with pulse(1): site_mask('s', torch.zeros(3), torch.tensor(0.5))\n"
        "sys.exit('torch._dynamo' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")
def test_noise_of_a_site_is_one_node_of_a_compiled_graph():
    def three(x):
        return site_uniform("a", x), site_mask("b", x, torch.tensor(0.5)), site_normal("a", x, (x.shape[0], 1))

    torch.compiler.reset()
    compiled = torch.compile(three, backend="aot_eager", fullgraph=True)
    for key in (1, 2):
        x = torch.ones(3, 4, dtype=torch.float64)
        with pulse(key):
            expected = three(x)
        with pulse(key):
            got = compiled(x)
        assert all(torch.equal(a, b) for a, b in zip(got, expected, strict=True))

    def twice(x):
        return site_uniform("a", x), site_uniform("a", x)

    with pulse(3):
        first, second = torch.compile(twice, backend="aot_eager", fullgraph=True)(torch.ones(4))
    assert not torch.equal(first, second)  # two calls of a site are two draws
    torch.compiler.reset()
