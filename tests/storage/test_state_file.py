"""The file of a state: replaced completely or not at all."""

import os

import numpy as np
import pytest

from tsformers.errors import JobError
from tsformers.storage.state_file import read_state, write_state


def test_the_file_of_a_state_is_replaced_completely_or_not_at_all(tmp_path, monkeypatch):
    write_state({"rows": 1, "a": np.arange(3)}, tmp_path / "s")

    def fails(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(JobError, match=r"cannot be written to .*No space left on device"):
        write_state({"rows": 2}, tmp_path / "s")
    assert read_state(tmp_path / "s")["rows"] == 1
    (tmp_path / "s").write_bytes(b"something else")
    with pytest.raises(JobError, match="is not the state of a detector"):
        read_state(tmp_path / "s")
    assert read_state(tmp_path / "nothing") is None
