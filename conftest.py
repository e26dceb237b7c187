"""Examples in docstrings that need GluonTS are skipped, with the reason, where it is not installed."""

import importlib.util

import pytest

NEED_GLUONTS = ("Forecast.to_gluonts", "gluonts.from_gluonts", "gluonts_objects.read", "gluonts_objects.write")
REASON = "gluonts is not installed: pip install 'tsformers[gluonts]'"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark those examples."""
    if importlib.util.find_spec("gluonts") is None:
        for item in items:
            if isinstance(item, pytest.DoctestItem) and item.name.endswith(NEED_GLUONTS):
                item.add_marker(pytest.mark.skip(reason=REASON))
