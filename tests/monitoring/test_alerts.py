import json

import numpy as np

from temperance.monitoring.alerts import alerts_from
from temperance.monitoring.degradation import LossMonitor, expected_quality
from temperance.monitoring.monitor import Monitor


def test_calm_gives_no_alert(world):
    assert alerts_from(Monitor(world.reference, world.schema).verdicts()) == []


def test_alerts_say_impact_cause_and_action(world):
    monitor = Monitor(world.reference, world.schema)
    rows, predictions, _ = world.draw(1500, seed=2, shift=1.0, missing=0.3)
    monitor.observe(rows, predictions)
    alerts = alerts_from(monitor.verdicts(), quality=expected_quality(world.reference, predictions))
    assert alerts[0].severity == "act"
    kinds = {alert.channels[0].partition(":")[0] for alert in alerts}
    assert {"feature", "missing"} <= kinds
    for alert in alerts:
        assert all((alert.title, alert.impact, alert.cause, alert.action))
        assert alert.title in str(alert)
        json.dumps(alert.to_dict())
    assert "of 100 answers are right" in alerts[0].impact


def test_a_proved_loss_is_an_alert_with_its_interval():
    monitor = LossMonitor(0.1)
    (alert,) = alerts_from([monitor.observe(np.ones(200))])
    assert alert.severity == "act"
    assert "between" in alert.impact
    assert "retrain" in alert.action
