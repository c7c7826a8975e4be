from temperance.deployment.serve.metrics import Metrics


def test_figures_in_prometheus_text():
    metrics = Metrics("churn", "abc")
    metrics.request("/predict", 200)
    metrics.request("/predict", 200)
    metrics.prediction(5, 0.002)
    metrics.alarms(2)
    text = metrics.text({"state": "alarm", "evidence": {"prediction": 12.5}}).decode()
    for line in (
        'temperance_requests_total{endpoint="/predict",status="200"} 2.0',
        "temperance_rows_total 5.0",
        "temperance_alarms_total 2.0",
        "temperance_drift_state 2.0",
        'temperance_drift_evidence{channel="prediction"} 12.5',
        'temperance_model{name="churn",version="abc"} 1.0',
        'temperance_request_seconds_bucket{le="0.0025"} 1.0',
    ):
        assert line in text.splitlines()


def test_two_servers_in_one_process_count_apart():
    one, two = Metrics("a", "1"), Metrics("b", "2")
    one.prediction(1, 0.1)
    assert "temperance_rows_total 0.0" in two.text(None).decode()


def test_what_is_served_and_why_stands_in_words_of_fixed_lists():
    metrics = Metrics("a", "1")
    said = {
        "level": "adapt",
        "state": "canary",
        "serving": "experts",
        "reason": "labels prove it (row 700)",
        "why": "gain",
        "answers_changed": 3,
    }
    found = {"cause": "relation", "step": "relabel", "impact": "x", "action": "label 200 rows", "why": "y"}
    for _ in range(2):
        text = metrics.text(None, said, found).decode()
    assert 'temperance_adaptation{level="adapt",serving="experts",state="canary",why="gain"} 1.0' in text
    assert 'temperance_diagnosis{cause="relation",step="relabel"} 1.0' in text
    assert "row 700" not in text  # a sentence as a label would be a new time series with each change of it
    assert "temperance_changed_answers 3.0" in text
    assert "canary" not in metrics.text(None, {**said, "state": "adapted"}, None).decode()
