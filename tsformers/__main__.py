"""``python -m tsformers`` is the command ``tsformers``."""

import sys

from tsformers.cli.app import main

if __name__ == "__main__":
    sys.exit(main())
