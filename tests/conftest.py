"""What every test may ask for."""

import os
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of golden vectors and real data beside the checkout; tests that need it skip where it is missing."""
    data = os.environ.get("TSFORMERS_DATA")
    folder = Path(data.split(os.pathsep)[0]).parent if data else Path(__file__).resolve().parents[2] / "shared"
    if not (folder / "golden").is_dir():
        pytest.skip("the golden vectors and data of ../shared are not here")
    return folder


@pytest.fixture
def rng() -> np.random.Generator:
    """Seeded anew for each test."""
    return np.random.default_rng(0)
