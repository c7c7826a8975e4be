"""The first signal asks, the second ends."""

import signal
import threading

import pytest

from temperance.study.signals import asked_by_signals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_first_asked_then_ended_then_as_before(number):
    before, seen = signal.getsignal(number), []
    with asked_by_signals(lambda: seen.append(1)):
        signal.raise_signal(number)
        assert seen == [1]
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
    assert signal.getsignal(number) == before


def test_an_ignored_signal_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with asked_by_signals(lambda: None):
            assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_other_threads_change_nothing():
    said = []

    def run():
        with asked_by_signals(lambda: None):
            said.append(signal.getsignal(signal.SIGTERM))

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert said == [before]
