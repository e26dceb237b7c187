"""Makes ``fixed_point`` importable, as ``record.py`` does; its files are no tests and hold no doctests."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))
collect_ignore_glob = ["cases/*", *(path.name for path in HERE.glob("*.py") if not path.name.startswith("test_"))]
