"""Progress bars: on standard error where they are asked for, nothing elsewhere."""

import sys

import pytest

from tsformers.progress import HiddenBar, progress


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
