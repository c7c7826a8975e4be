from temperance.adaptation.guard import Guarded
from temperance.deployment.serve.watch import PostProcessor, Watcher
from temperance.monitoring.monitor import Monitor


def test_the_rooms_below_fit_the_seam():
    for name in ("observe", "summary"):
        assert hasattr(Monitor, name)
        assert hasattr(Watcher, name)
    for name in ("transform", "summary"):
        assert hasattr(Guarded, name)
        assert hasattr(PostProcessor, name)
    assert not isinstance(object(), Watcher)
