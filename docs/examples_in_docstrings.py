"""For the site alone: docstrings say ``Example:`` and ``Source:``, the reader of docstrings knows ``Examples:``."""

import re
from typing import Any

import griffe

SECTION = re.compile(r"^(\s*)Example:\s*$", re.MULTILINE)


class Examples(griffe.Extension):
    """Names the sections of examples as the reader knows them, so that they are shown as code."""

    def on_instance(self, *, obj: Any, **_: Any) -> None:
        """Renames them in the docstring of ``obj``."""
        if obj.docstring is not None:
            obj.docstring.value = SECTION.sub(r"\1Examples:", obj.docstring.value)
