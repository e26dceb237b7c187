"""Messages that name a remedy in the reader's tongue: a keyword in Python, a flag in a shell, a key in a job file."""

import json
import shlex
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Tongue: TypeAlias = Literal["python", "shell", "job"]
ABSENT: Any = type("Absent", (), {"__repr__": lambda self: "ABSENT", "__reduce__": lambda self: "ABSENT"})()


@dataclass(frozen=True)
class Option:
    """A keyword of a function, which is also a flag of the commands and a key of job files.

    Args:
        name: the keyword.
        value: what to pass; left out, the message shows the bare name; a list is shown as one flag an entry.
        flag: the flag where it is not the keyword with dashes, without the leading dashes.

    Example:
        >>> Option("id_col", "shop").text("python"), Option("id_col", "shop").text("shell")
        ("id_col='shop'", '--id-col shop')
        >>> Option("known").text("python"), Option("known").text("shell"), Option("freq", 1).text("job")
        ('known=', '--known', 'freq = 1')
    """

    name: str
    value: object = ABSENT
    flag: str | None = None

    def text(self, tongue: Tongue) -> str:
        """The option as it is typed.

        Args:
            tongue: where the reader stands.

        Returns:
            Text to paste.
        """
        if tongue == "shell":
            return _flag(f"--{self.flag or self.name.replace('_', '-')}", self.value)
        if self.value is ABSENT:
            return f"{self.name}=" if tongue == "python" else self.name
        return f"{self.name}={self.value!r}" if tongue == "python" else f"{self.name} = {_toml(self.value)}"


@dataclass(frozen=True)
class Setting:
    """A setting of a forecaster or another part: a keyword in Python, ``--set`` in a shell.

    Args:
        name: the setting; dots name a part of it.
        value: what to pass; left out, the message shows the bare name.
        flag: the flag of a shell, without the leading dashes.

    Example:
        >>> Setting("season_length", 24).text("python"), Setting("season_length", 24).text("shell")
        ('season_length=24', '--set season_length=24')
        >>> Setting("window", 50, flag="detector").text("shell")
        '--detector window=50'
    """

    name: str
    value: object = ABSENT
    flag: str = "set"

    def text(self, tongue: Tongue) -> str:
        """The setting as it is typed.

        Args:
            tongue: where the reader stands.

        Returns:
            Text to paste.
        """
        if tongue == "shell":
            shown = (
                "VALUE" if self.value is ABSENT else self.value if isinstance(self.value, str) else _toml(self.value)
            )
            return f"--{self.flag} {self.name}={shlex.quote(str(shown))}"
        return Option(self.name, self.value).text(tongue)


@dataclass(frozen=True)
class Either:
    """A remedy that is written differently in each tongue.

    Args:
        python: for a reader of Python.
        shell: for a reader in a shell.
        job: for a reader of a job file; None = as in a shell.

    Example:
        >>> Either("tsf.from_wide(df)", "--wide").text("shell")
        '--wide'
    """

    python: str
    shell: str
    job: str | None = None

    def text(self, tongue: Tongue) -> str:
        """The remedy as it is typed.

        Args:
            tongue: where the reader stands.

        Returns:
            Text to paste.
        """
        return {"python": self.python, "shell": self.shell, "job": self.shell if self.job is None else self.job}[tongue]


Part: TypeAlias = "str | Option | Setting | Either | Message"


class Message:
    """Text with remedies in it, rendered for the tongue of its reader.

    Args:
        *parts: text, options, settings, alternatives and other messages, in order.

    Example:
        >>> message = Message("the times have two readings; pass ", Option("time_format", "%d.%m.%Y"))
        >>> print(message)
        the times have two readings; pass time_format='%d.%m.%Y'
        >>> message.text("shell")
        'the times have two readings; pass --time-format %d.%m.%Y'
    """

    def __init__(self, *parts: Part) -> None:
        self.parts = parts

    def text(self, tongue: Tongue) -> str:
        """The whole message.

        Args:
            tongue: where the reader stands.

        Returns:
            Its text.
        """
        return "".join(part if isinstance(part, str) else part.text(tongue) for part in self.parts)

    def __str__(self) -> str:
        return self.text("python")

    def __repr__(self) -> str:
        return f"Message({str(self)!r})"


def joined(parts: "list[Part]", last: str = " or ") -> Message:
    """Alternatives as an enumeration.

    Args:
        parts: one an alternative.
        last: before the last of them.

    Returns:
        The message.

    Example:
        >>> print(joined([Option("decimal", ","), Option("decimal", ".")]))
        decimal=',' or decimal='.'
    """
    spaced: list[Part] = []
    for place, part in enumerate(parts):
        spaced += [] if place == 0 else [last if place == len(parts) - 1 else ", "]
        spaced.append(part)
    return Message(*spaced)


def message_of(error: BaseException, tongue: Tongue) -> str:
    """The text of an exception or a warning for a reader.

    Args:
        error: any exception; one with a ``message`` is rendered in the tongue.
        tongue: where the reader stands.

    Returns:
        Its text.

    Example:
        >>> message_of(ValueError("no such file"), "shell")
        'no such file'
    """
    part = part_of(error)
    return part if isinstance(part, str) else part.text(tongue)


def part_of(error: BaseException) -> "str | Message":
    """What an exception says, as a part of the message of another one.

    Args:
        error: any exception; one of ours, or one whose only argument is a ``Message``, keeps its remedies.

    Returns:
        A message, or the text of other exceptions.

    Example:
        >>> Message("SALES refuses: ", part_of(TypeError(Message("pass ", Option("freq", "D"))))).text("shell")
        'SALES refuses: pass --freq D'
    """
    message = getattr(error, "message", error.args[0] if len(error.args) == 1 else None)
    return message if isinstance(message, Message) else str(error)


def _flag(flag: str, value: object) -> str:
    if value is ABSENT or value is True:
        return flag
    if isinstance(value, list | tuple):
        return " ".join(f"{flag} {shlex.quote(str(entry))}" for entry in value)
    return f"{flag} {shlex.quote(str(value))}"


def _toml(value: object) -> str:
    if value is ABSENT:
        return ""
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, default=str)
