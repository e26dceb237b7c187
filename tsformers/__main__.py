"""``python -m tsformers`` is the command ``tsformers``."""

import sys

from tsformers.cli import main

if __name__ == "__main__":
    sys.exit(main())
