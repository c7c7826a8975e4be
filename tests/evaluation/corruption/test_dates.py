from datetime import date, timedelta

import numpy as np

from temperance.evaluation.corruption.base import reference
from temperance.evaluation.corruption.dates import DateOffset
from temperance.records.schema import Column, Rows, Schema, Target


def test_month_and_weekday_follow_the_day():
    parts = ("days", "month", "weekday")
    columns = (*(Column(f"due {p}", "numeric", "due", p) for p in parts), Column("x", "numeric", "x"))
    schema = Schema(columns, Target("y", "binary", ("a", "b")))
    days = np.arange(19000.0, 19400.0)
    start = date(1970, 1, 1)
    read = lambda d: [float(d), (start + timedelta(int(d))).month, (start + timedelta(int(d))).weekday()]  # noqa: E731
    x = np.array([[*read(d), 5.0] for d in days])
    x[3, :3] = np.nan
    rows = Rows(x, np.zeros((400, 0), np.int32))
    facts = reference(schema, rows)
    assert DateOffset().applies(facts)
    made = DateOffset()(rows, severity=4, reference=facts, generator=np.random.default_rng(0)).numeric
    assert np.isnan(made[3, :3]).all()
    known = np.delete(np.arange(400), 3)
    assert set((made[known, 0] - x[known, 0]).tolist()) == {-7.0, 7.0}
    assert all(made[i, :3].tolist() == read(made[i, 0]) for i in known)
    assert (made[:, 3] == 5).all()
