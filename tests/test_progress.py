"""Progress bars: on standard error where they are asked for, nothing elsewhere."""

import sys
import time

import pytest

from tsformers import progress as module
from tsformers.progress import HiddenBar, LineBar, is_quiet, progress, reporting, waiting


def steps(n, verbose, **more):
    with progress(n, verbose, "work", **more) as bar:
        for _ in range(n):
            bar.update()
            bar.set_postfix(loss="1.5")
        return bar


def test_a_bar_goes_to_standard_error_with_its_title_and_count(capfd):
    steps(3, True)
    out, err = capfd.readouterr()
    assert out == "" and "work" in err and "3/3" in err


@pytest.mark.parametrize("verbose", [False, None])  # None: standard error is no terminal here
def test_without_a_terminal_or_when_refused_nothing_is_shown(capfd, verbose):
    assert isinstance(steps(3, verbose), HiddenBar)
    assert capfd.readouterr() == ("", "")


def test_none_shows_the_bar_on_a_terminal(monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert not isinstance(progress(1, None), HiddenBar)


def test_work_done_before_is_counted_and_short_work_shows_nothing(capfd):
    with progress(5, True, done=4, leave=True) as bar:
        bar.update()
    assert "5/5" in capfd.readouterr().err
    with progress(2, True, delay=60) as bar:
        bar.update()
    assert capfd.readouterr().err.strip() == ""


def slow_steps():
    with progress(3, None, "work", unit="step") as bar:
        bar.update()
        time.sleep(0.2)
        bar.update()
    return bar


def test_a_command_reports_in_lines_where_there_is_no_terminal(capfd, monkeypatch):
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    with reporting("command"):
        assert isinstance(slow_steps(), LineBar)
    assert capfd.readouterr() == ("", "work: 1 of 3 steps done\n")  # the next line would come after a minute


def test_a_bar_appears_on_a_terminal_before_its_first_step_is_done(capfd, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    with progress(3, None, "work"):
        time.sleep(0.2)
    assert "work" in capfd.readouterr().err


def test_short_work_of_a_command_is_silent(capfd):
    with reporting("command"):
        steps(3, None)
        with waiting("reading a.csv"):
            pass
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("verbose", [None, True])
def test_quiet_silences_bars_and_waiting(capfd, monkeypatch, verbose):
    monkeypatch.setattr(module, "PATIENCE", 0.0)
    with reporting("quiet"):
        assert is_quiet()
        with waiting("reading a.csv"):
            assert isinstance(steps(3, verbose), HiddenBar)
            time.sleep(0.05)
    assert not is_quiet() and capfd.readouterr() == ("", "")


def test_what_is_waited_for_is_named_once_a_minute(capfd, monkeypatch):
    monkeypatch.setattr(module, "PATIENCE", 0.01)
    with reporting("command"), waiting("reading a.csv"):
        time.sleep(0.2)
    assert capfd.readouterr() == ("", "reading a.csv: 0 s\n")


def test_a_bar_takes_over_from_waiting(capfd, monkeypatch):
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    with reporting("command"), waiting("fitting"):
        slow_steps()
    assert capfd.readouterr() == ("", "work: 1 of 3 steps done\n")


def test_a_library_waits_in_silence(capfd, monkeypatch):
    monkeypatch.setattr(module, "PATIENCE", 0.0)
    with waiting("reading a.csv"):
        time.sleep(0.05)
    assert capfd.readouterr() == ("", "")
