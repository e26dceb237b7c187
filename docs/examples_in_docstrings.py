"""For the site alone: docstrings say ``Example:`` and ``Source:``, the reader of docstrings knows ``Examples:``."""

import re
from typing import Any

import griffe

SECTION = re.compile(r"^(\s*)Example:\s*$", re.MULTILINE)
FIELDS = re.compile(r"^(\s*)Args:\s*$", re.MULTILINE)


class Examples(griffe.Extension):
    """Names the sections of examples, and of the fields of named tuples, as the reader of docstrings knows them."""

    def on_instance(self, *, obj: Any, **_: Any) -> None:
        """Renames them in the docstring of ``obj``."""
        if obj.docstring is not None:
            obj.docstring.value = SECTION.sub(r"\1Examples:", obj.docstring.value)
            if obj.is_class and any(str(base).endswith("NamedTuple") for base in obj.bases):
                obj.docstring.value = FIELDS.sub(r"\1Attributes:", obj.docstring.value)
