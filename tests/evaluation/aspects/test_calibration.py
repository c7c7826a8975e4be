from dataclasses import replace

import numpy as np
import pytest

from temperance.evaluation.aspects.calibration import CalibrationAspect


def sharper(pair, by):
    """Return the model with its log odds times ``by``."""
    table, model = pair
    plain = model.function

    def change(rows):
        p = np.clip(plain(rows), 1e-9, 1 - 1e-9)
        z = by * np.log(p[:, 1] / p[:, 0])
        q = 1 / (1 + np.exp(-z))
        return np.stack([1 - q, q], axis=1)

    model.function = change
    return table, model


def test_a_true_model_fits_as_far_as_rows_can_tell(binary, make) -> None:
    reading = CalibrationAspect().measure(make.case(binary))
    assert reading["ece"].value <= reading["ece_floor"].value
    assert "fit what happened" in reading.sentences[0]
    assert reading.details["temperature"]["temperature"] == pytest.approx(1.0, abs=0.2)
    assert reading.details["temperature"]["verdict"] != "better"


def test_an_over_confident_model_is_called_so_and_a_temperature_helps(binary, make) -> None:
    reading = CalibrationAspect().measure(make.case(sharper(binary, 4.0)))
    assert reading["ece"].low > 0
    assert "surer than it is right" in reading.sentences[0]
    row = reading.details["temperature"]
    assert row["temperature"] == pytest.approx(4.0, rel=0.3)
    assert row["verdict"] == "better"
    assert row["ece_after"] < row["ece_before"]
    assert reading["rmsce_debiased"].value <= reading["rmsce"].value + 0.02


def test_few_rows_weights_and_values(binary, regression, make) -> None:
    few = make.case(binary).but(index=np.arange(40))
    assert "too few" in CalibrationAspect().measure(few).not_done[0][1]
    weighted = make.case((replace(binary[0], weight=np.ones(1000)), binary[1]))
    assert "weights" in CalibrationAspect().measure(weighted).not_done[0][1]
    assert "values" in CalibrationAspect().measure(make.case(regression)).not_done[0][1]
