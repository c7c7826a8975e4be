from temperance.adaptation.steward import Steward
from temperance.deployment.serve.watch import PostProcessor, Watcher
from temperance.monitoring.monitor import Monitor


def test_the_rooms_below_fit_the_seam():
    for name in ("observe", "summary"):
        assert hasattr(Monitor, name)
        assert hasattr(Watcher, name)
    for name in ("serve", "summary"):
        assert hasattr(Steward, name)
        assert hasattr(PostProcessor, name)
    assert not isinstance(object(), Watcher)
