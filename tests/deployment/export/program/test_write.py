"""A torch program on disk."""

import json

import numpy as np
import pytest
import torch

from temperance.deployment.export.program.write import graph_of, write_program
from temperance.records.errors import BundleError


def test_a_program_answers_any_count_of_rows_from_its_card_alone(net, tmp_path):
    done = write_program(net.bundle, graph_of(net.bundle), tmp_path / "p", net.rows)
    assert done["difference"] < 1e-5
    card = json.loads((tmp_path / "p" / "model.json").read_text())
    assert card["classes"] == ["no", "yes"]
    run = torch.export.load(tmp_path / "p" / "model.pt2").module()
    golden = np.load(tmp_path / "p" / "golden.npz")
    inputs = [torch.from_numpy(golden[name]) for name in card["takes"]]
    assert np.allclose(run(*inputs).detach().numpy(), golden["expected"], atol=1e-6)
    codes = [[c["vocabulary"].index(w) for c, w in zip(card["categorical"], ("red", "yes"), strict=True)]]
    one = run(torch.tensor([[1.0, 5e6, float("nan"), 2.0]], dtype=torch.float64), torch.tensor(codes))
    assert one.shape == (1, 2)
    assert float(one.sum()) == pytest.approx(1)


@pytest.mark.slow
def test_no_real_row_is_stored(net, tmp_path):
    write_program(net.bundle, graph_of(net.bundle), tmp_path / "p", net.rows)
    kept = np.load(tmp_path / "p" / "golden.npz")["numeric"]
    real = {row.tobytes() for row in net.rows.numeric}
    assert not any(row.tobytes() in real for row in kept)


def test_a_folder_that_exists_is_left_alone(net, tmp_path):
    with pytest.raises(BundleError, match="exists"):
        write_program(net.bundle, graph_of(net.bundle), tmp_path, net.rows)
