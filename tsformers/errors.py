"""Exceptions for users' mistakes: every message names the thing, the place and the remedy."""

import difflib
from collections.abc import Iterable

from tsformers.messages import Message, Part

NAMED = 5  # names of many in a message


class TsformersError(ValueError):
    """A user's mistake: the parts of its message are text and remedies (``tsformers.messages``).

    Args:
        *parts: see ``Message``; ``str(error)`` is the text for a reader of Python, ``error.message`` renders others.

    Example:
        >>> from tsformers.messages import Option
        >>> TsformersError("two readings; pass ", Option("decimal", ",")).message.text("shell")
        'two readings; pass --decimal ,'
    """

    def __init__(self, *parts: Part) -> None:
        super().__init__(*parts)
        self.message = Message(*parts)

    def __str__(self) -> str:
        return str(self.message)


class DataError(TsformersError):
    """The data cannot be used; the message names column, series, row and remedy.

    Example:
        >>> raise DataError("column 'y' of series 'a' holds text at row 3; convert it with pd.to_numeric")
        Traceback (most recent call last):
        tsformers.errors.DataError: column 'y' of series 'a' holds text at row 3; convert it with pd.to_numeric
    """


class JobError(TsformersError):
    """A recipe, a job file or a run folder cannot be used; the message names file, key and remedy.

    Example:
        >>> raise JobError("pipelines/mine.toml: models.lru.class is missing; write class = 'LRU'")
        Traceback (most recent call last):
        tsformers.errors.JobError: pipelines/mine.toml: models.lru.class is missing; write class = 'LRU'
    """


class DataWarning(UserWarning):
    """What the reader should know about data that are used all the same; parts as in ``TsformersError``.

    Args:
        *parts: see ``Message``.

    Example:
        >>> from tsformers.messages import Option
        >>> print(DataWarning("-9999 looks like a missing value; pass ", Option("missing", -9999)))
        -9999 looks like a missing value; pass missing=-9999
    """

    def __init__(self, *parts: Part) -> None:
        super().__init__(*parts)
        self.message = Message(*parts)

    def __str__(self) -> str:
        return str(self.message)


class TrainingInterrupted(UserWarning):
    """Ctrl-C ended a training early and the model keeps its best weights so far; jobs and commands stop instead.

    Example:
        >>> import warnings
        >>> warnings.simplefilter("error", TrainingInterrupted)  # now Ctrl-C in fit is an exception again
        >>> warnings.resetwarnings()
    """


def did_you_mean(name: str, offered: Iterable[str], otherwise: str = "") -> str:
    """The end of a message about an unknown name: the closest valid names, or all of them.

    Args:
        name: the unknown name.
        offered: the valid names.
        otherwise: replaces the whole list when no valid name is close.

    Returns:
        A clause without a full stop.

    Example:
        >>> did_you_mean("horizont", ["horizon", "windows", "step"])
        "did you mean 'horizon'?"
    """
    names = list(offered)
    lower = {candidate.lower(): candidate for candidate in names}
    close = [lower[match] for match in difflib.get_close_matches(name.lower(), lower, n=3, cutoff=0.6)]
    close = close or [candidate for candidate in names if candidate.lower().startswith(f"{name.lower()}_")]
    if close:
        return f"did you mean {' or '.join(map(repr, close))}?"
    return otherwise or (f"there are {', '.join(names)}" if names else "there are none to choose from")


def first_names(names: Iterable[object]) -> str:
    """The first few of many names, for a message.

    Args:
        names: of series, for example.

    Returns:
        Five at most, as Python prints them, and an ellipsis where there are more.

    Example:
        >>> first_names(["a", 7]), first_names("abcdefg")
        ("'a', 7", "'a', 'b', 'c', 'd', 'e', ...")
    """
    every = [*names]
    return ", ".join(map(repr, every[:NAMED])) + (", ..." if len(every) > NAMED else "")
