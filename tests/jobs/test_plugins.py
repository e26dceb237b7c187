"""Forecasters in the user's own Python files."""

import subprocess
import sys

import pytest

from tsformers.errors import JobError
from tsformers.jobs.plugins import load_plugins


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1", "offers no forecaster"),
        ("1/0", "fails to run: ZeroDivisionError"),
        ("FORECASTERS = {'a': 1}", "offers no forecaster"),
    ],
)
def test_a_plug_in_without_a_forecaster_is_named(tmp_path, text, message):
    (tmp_path / "bad.py").write_text(text)
    with pytest.raises(JobError, match=message):
        load_plugins([tmp_path / "bad.py"])


def test_a_plug_in_that_is_not_there_is_named(tmp_path):
    with pytest.raises(JobError, match="no such Python file"):
        load_plugins([tmp_path / "gone.py"])


def test_classes_of_plug_ins_travel_to_other_processes(plugin):
    cloudpickle = pytest.importorskip("cloudpickle")
    kind = load_plugins([plugin])["level"]
    sent = cloudpickle.dumps(kind(horizon=2, level=3.0)).hex()
    code = f"import pickle; print(pickle.loads(bytes.fromhex('{sent}')).level)"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "3.0"
