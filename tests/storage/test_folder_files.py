"""A folder that is replaced while others read it, or whose writer is killed, always holds a whole model."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tsformers.storage.folder as storage
from tsformers.errors import JobError
from tsformers.storage import folder_files
from tsformers.storage.folder_files import read_files, write_files

from .conftest import OWN, Mine

WRITER = """
import sys
from pathlib import Path
from tsformers.storage.folder_files import write_files
place, first = Path(sys.argv[1]), int(sys.argv[2])
for k in range(first, first + 100_000):
    write_files(place, {"format": 2, "k": k}, k.to_bytes(4, "big") * 5000)
"""


def writer(place, first=0):
    return subprocess.Popen([sys.executable, "-P", "-c", WRITER, str(place), str(first)])


def whole(place):
    page, raw = read_files(place)
    assert raw == page["k"].to_bytes(4, "big") * 5000
    return page["k"]


def wait_for(place):
    end = time.monotonic() + 60
    while not (place / "model.json").exists():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_whoever_reads_while_two_processes_write_gets_a_whole_model(tmp_path):
    place = tmp_path / "m"
    running = [writer(place), writer(place, 200_000)]
    try:
        wait_for(place)
        found, end = set(), time.monotonic() + 60
        while (len(found) <= 20 or len({k >= 200_000 for k in found}) < 2) and time.monotonic() < end:
            found.add(whole(place))
    finally:
        for process in running:
            process.kill()
            process.wait()
    assert len(found) > 20  # it did change meanwhile
    assert len({k >= 200_000 for k in found}) == 2  # both writers were read
    whole(place)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs a signal that cannot be caught")
def test_a_writer_that_is_killed_at_any_moment_leaves_a_whole_model(tmp_path):
    place = tmp_path / "m"
    for k in range(4):
        process = writer(place, 1000 * k)
        wait_for(place)
        time.sleep(0.3 + 0.013 * k)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        whole(place)


@given(st.lists(st.binary(max_size=20), min_size=1, max_size=6))
@settings(max_examples=20, deadline=None)
def test_the_last_of_many_saves_is_what_is_read(tmp_path_factory, contents):
    place = tmp_path_factory.mktemp("saves") / "m"
    for k, content in enumerate(contents):
        write_files(place, {"format": 2, "k": k}, content)
    page, raw = read_files(place)
    assert (page["k"], raw) == (len(contents) - 1, contents[-1])
    assert len([*place.iterdir()]) == 2
    assert [path.name for path in place.parent.iterdir()] == ["m"]


def test_the_reader_reads_again_when_the_page_changed_meanwhile(tmp_path, monkeypatch):
    place = tmp_path / "m"
    write_files(place, {"format": 2, "k": 1}, b"one")
    original, pending = folder_files.Path.read_bytes, [True]

    def late(self):
        if self.suffix == ".safetensors" and pending:
            pending.clear()
            write_files(place, {"format": 2, "k": 2}, b"two")  # removes what the page that was read names
        return original(self)

    monkeypatch.setattr(folder_files.Path, "read_bytes", late)
    assert read_files(place)[1] == b"two"


def test_files_that_a_killed_process_left_are_no_foreign_files_and_go_after_a_day(tmp_path):
    place = tmp_path / "m"
    storage.save(Mine(horizon=1), place)
    left = [place / f"arrays-{'a' * 16}.safetensors", place / f".model-{'b' * 16}.json"]
    for path in left:
        path.write_bytes(b"half")
    storage.save(Mine(horizon=2), place)
    assert all(path.exists() for path in left)  # they may belong to a process that is still writing
    for path in left:
        os.utime(path, (0, 0))
    storage.save(Mine(horizon=3), place)
    assert storage.load(place, classes=OWN).horizon == 3
    assert len([*place.iterdir()]) == 2


def test_a_page_names_no_file_elsewhere(tmp_path):
    write_files(tmp_path / "m", {"format": 2}, np.zeros(2).tobytes())
    page = (tmp_path / "m" / "model.json").read_text().replace("arrays.safetensors", "../arrays.safetensors")
    (tmp_path / "m" / "model.json").write_text(page)
    with pytest.raises(JobError, match="names no file of arrays"):
        read_files(tmp_path / "m")


def test_a_link_to_a_folder_stays_a_link(tmp_path):
    storage.save(Mine(horizon=1), tmp_path / "version")
    (tmp_path / "current").symlink_to(tmp_path / "version")
    storage.save(Mine(horizon=2), tmp_path / "current")
    assert (tmp_path / "current").is_symlink()
    assert storage.load(tmp_path / "version", classes=OWN).horizon == 2
