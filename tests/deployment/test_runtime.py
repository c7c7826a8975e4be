import pytest

from temperance.deployment.runtime import session
from temperance.records.errors import BundleError


def test_a_graph_runs_on_one_thread(shipped):
    made = session((shipped / "model.onnx").read_bytes())
    options = made.get_session_options()
    assert (options.intra_op_num_threads, options.enable_cpu_mem_arena) == (1, False)


def test_what_is_no_graph_is_refused():
    with pytest.raises(BundleError, match="ONNX Runtime refuses"):
        session(b"no graph")
