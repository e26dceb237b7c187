"""Signals that end a run: the first is noted, the second ends it at once, and former handlers come back."""

import os
import signal
import threading

import pytest

from tsformers.streaming.stop_signals import stop_signals


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_is_noted_and_the_second_interrupts(number):
    before = signal.getsignal(number)
    with stop_signals() as stopped:
        assert stopped() == 0
        os.kill(os.getpid(), number)
        assert stopped() == number
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
    assert signal.getsignal(number) is before


def test_outside_the_main_thread_signals_are_left_alone():
    found = []

    def work():
        with stop_signals() as stopped:
            found.append(stopped())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [0]
