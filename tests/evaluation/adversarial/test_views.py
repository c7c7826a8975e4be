import numpy as np
import pytest
import torch

from temperance.evaluation.adversarial.losses import margin
from temperance.evaluation.adversarial.views import log_scores, pictures, table
from temperance.evaluation.aspects.base import Subject
from temperance.evaluation.schema.propose import propose
from temperance.evaluation.schema.space import Space
from temperance.records.errors import DataError


def test_a_table_in_scales_answers_like_the_model_and_knows_its_rows(netted):
    found, subject = netted
    rows = found.rows.take(np.arange(40))
    rows.numeric[3, 1] = np.nan
    space = Space(propose(found), found.schema)
    for one in (subject, Subject(subject.predictor)):
        view = table(one, rows, space)
        said = torch.softmax(view.victim.scores(view.points).double(), dim=1).numpy()
        np.testing.assert_allclose(said, subject.predict(rows), atol=1e-6)
        order = torch.tensor([7, 3, 30])  # rows keep their categories and gaps, wherever they stand
        part = torch.softmax(view.victim.scores(view.points[order]).double(), dim=1).numpy()
        np.testing.assert_allclose(part, said[order.numpy()], atol=1e-6)
        assert view.victim.free.tolist() == [1, 1, 1, 1, 0]
    exact = table(subject, rows, space)
    guess = table(Subject(subject.predictor), rows, space)
    y = torch.from_numpy(found.target[:40])
    one, two = (v.victim.slope(v.points, y, margin)[2] for v in (exact, guess))
    assert (one[:, -1] == 0).all()
    assert float((one.sign() == two.sign())[:, :-1].double().mean()) > 0.8  # the net has kinks within the nudge
    assert exact.features(exact.points).shape == (40, 16)
    assert guess.features is None


def test_pictures_are_numbers_from_0_to_1_or_bytes(pictured):
    found, subject = pictured
    rows = found.rows.take(np.arange(20))
    for one in (subject, Subject(subject.predictor)):
        view = pictures(one, rows)
        assert view.points.shape == (20, 1, 8, 8)
        assert (float(view.points.min()), float(view.points.max())) == (0.0, 1.0)
        said = torch.softmax(view.victim.scores(view.points).double(), dim=1).numpy()
        np.testing.assert_allclose(said, subject.predict(rows), atol=1e-5)
    assert view.victim.gradient == "none"
    with pytest.raises(DataError, match="rows without pictures"):
        pictures(subject, rows._replace(images=None))


def test_logarithms_are_finite_and_what_is_no_number_stays_none():
    found = log_scores(np.array([[0.0, 1.0], [np.nan, 0.5]]))
    assert np.isfinite(found[0]).all()
    assert np.isnan(found[1, 0])
