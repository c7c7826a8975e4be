from temperance.deployment.bundle import load
from temperance.deployment.serve.metrics import Tally
from temperance.deployment.serve.statistics import repository, statistics


def test_counts_and_nanoseconds_are_those_that_were_counted(shipped):
    bundle, tally = load(shipped), Tally()
    tally.request(True, 0.5, 2)
    tally.request(False, 0.25, 1)
    tally.run(7, 0.1, 2)
    one = statistics(bundle, tally)["model_stats"][0]
    assert (one["name"], one["version"]) == (bundle.name, bundle.version)
    assert (one["inference_count"], one["execution_count"]) == (7, 1)
    assert one["last_inference"] > 1.6e12
    told = one["inference_stats"]
    assert told["success"] == {"count": 2, "ns": 500_000_000}
    assert told["fail"] == {"count": 1, "ns": 250_000_000}
    assert told["compute_infer"] == {"count": 1, "ns": 100_000_000}
    assert told["queue"]["count"] == 0


def test_the_repository_holds_the_model(shipped):
    bundle = load(shipped)
    assert repository(bundle, ready=True)[0]["state"] == "READY"
    assert "stopping" in repository(bundle, ready=False)[0]["reason"]
