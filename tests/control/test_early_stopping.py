import numpy as np

from temperance.control import Chain, EarlyStopping, Linear, StopAbove, Strength

SPECS = {"a.p": Strength(0.5, low=0.0, high=1.0, neutral=0.0)}


def drive(controller, losses, **extra):
    values = {"a.p": np.full(np.shape(losses[0]), 0.5)}
    memory, rows = controller.begin(values, SPECS), []
    for t, loss in enumerate(losses):
        signals = {"valid_loss": loss, "evidence": loss, "progress": t / 10, "step": t, **extra}
        after, memory = controller.steer(values, signals, memory, SPECS)
        moves = controller.explain(values, after, signals, memory, SPECS)
        rows.append((memory["keep"].tolist(), memory["stop"].tolist(), [m for m in moves if m.strength == "training"]))
        values = after
    return rows


def test_stops_when_patience_runs_out_and_keeps_the_best():
    rows = drive(EarlyStopping(2), [1.0, 0.8, 0.9, np.nan, 0.85, 0.7])
    assert [keep for keep, _, _ in rows] == [True, True, False, False, False, False]
    assert [stop for _, stop, _ in rows] == [False, False, False, False, True, True]


def test_the_stop_is_logged_once_with_its_reason():
    logs = [moves for _, _, moves in drive(EarlyStopping(2), [1.0, 1.0, 1.0, 1.0])]
    assert [len(moves) for moves in logs] == [0, 0, 1, 0]
    assert "not improved for 2" in logs[2][0].reason
    assert logs[2][0].value == 1.0


def test_small_improvements_do_not_count():
    assert drive(EarlyStopping(1, min_delta=0.1), [1.0, 0.95])[-1][:2] == (False, True)
    assert drive(EarlyStopping(1, min_delta=0.1), [1.0, 0.85])[-1][:2] == (True, False)
    assert drive(EarlyStopping(1, noise=1.0), [1.0, 0.95], valid_loss_error=0.06)[-1][:2] == (False, True)
    assert drive(EarlyStopping(1, noise=1.0), [1.0, 0.95], valid_loss_error=0.04)[-1][:2] == (True, False)


def test_higher_can_be_better():
    rows = drive(EarlyStopping(1, better="higher"), [0.5, 0.6, 0.55])
    assert [row[:2] for row in rows] == [(True, False), (True, False), (False, True)]


def test_members_stop_on_their_own():
    rows = drive(EarlyStopping(1), [np.array([1.0, 1.0]), np.array([0.9, 1.1]), np.array([0.8, 0.1])])
    assert rows[-1][0] == [True, False]
    assert rows[-1][1] == [False, True]


def test_evidence_stops_above_its_limit():
    rows = drive(StopAbove(patience=2), [-0.5, 0.1, -0.1, 0.1, 0.2])
    assert [stop for _, stop, _ in rows] == [False, False, False, False, True]


def test_a_chain_stops_when_a_part_stops():
    rows = drive(Chain((Linear(), EarlyStopping(1))), [1.0, 1.1])
    assert [row[:2] for row in rows] == [(True, False), (False, True)]
    assert len(rows[1][2]) == 1
