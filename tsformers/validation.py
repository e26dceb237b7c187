"""Settings checked against their annotations: types, choices, and ranges written as ``Annotated[int, AtLeast(1)]``."""

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from types import NoneType, SimpleNamespace, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from tsformers.messages import Message, Part

LISTS = (tuple, list, Sequence)
FORECASTER_PARTS = ("horizon", "fit", "predict")
Model = TypeVar("Model")
NUMBERS = {int: ("whole number", int | np.integer), float: ("number", int | float | np.integer | np.floating)}


@dataclass(frozen=True)
class AtLeast:
    """A number of ``low`` or more.

    Example:
        >>> AtLeast(1).holds(1), AtLeast(1).text("whole number")
        (True, 'a whole number of 1 or more')
    """

    low: float

    def holds(self, value: Any) -> bool:
        """Whether ``value`` is in the range; NaN is in none."""
        return bool(value >= self.low)

    def text(self, noun: str) -> str:
        """The range in words."""
        return f"a {noun} of {self.low:g} or more"


@dataclass(frozen=True)
class Above:
    """A number above ``low``.

    Example:
        >>> Above(0).holds(0.0), Above(0).text("number")
        (False, 'a number above 0')
    """

    low: float

    def holds(self, value: Any) -> bool:
        """Whether ``value`` is in the range; NaN is in none."""
        return bool(value > self.low)

    def text(self, noun: str) -> str:
        """The range in words."""
        return f"a {noun} above {self.low:g}"


@dataclass(frozen=True)
class Between:
    """A number from ``low`` to ``high``; ``open`` names the ends that are left out: "", "low", "high" or "both".

    Example:
        >>> Between(0, 1, open="high").holds(1.0), Between(0, 1, open="high").text("number")
        (False, 'a number in [0, 1)')
        >>> Between(0, 10).text("whole number")
        'a whole number from 0 to 10'
    """

    low: float
    high: float
    open: Literal["", "low", "high", "both"] = ""

    def holds(self, value: Any) -> bool:
        """Whether ``value`` is in the range; NaN is in none."""
        above = value > self.low if self.open in ("low", "both") else value >= self.low
        below = value < self.high if self.open in ("high", "both") else value <= self.high
        return bool(above and below)

    def text(self, noun: str) -> str:
        """The range in words."""
        if not self.open:
            return f"a {noun} from {self.low:g} to {self.high:g}"
        left, right = "(" if self.open in ("low", "both") else "[", ")" if self.open in ("high", "both") else "]"
        return f"a {noun} in {left}{self.low:g}, {self.high:g}{right}"


@dataclass(frozen=True)
class OneOf:
    """A text out of ``names``: for choices that are keys of a table, which ``Literal`` would repeat.

    Example:
        >>> OneOf(("normal", "student_t")).holds("poisson"), OneOf(("normal", "student_t")).text("text")
        (False, "'normal', 'student_t'")
    """

    names: tuple[str, ...]

    def holds(self, value: Any) -> bool:
        """Whether ``value`` is one of the names."""
        return value in self.names

    def text(self, noun: str) -> str:
        """The names, quoted."""
        return ", ".join(map(repr, self.names))


Range = AtLeast | Above | Between | OneOf


@dataclass(frozen=True)
class Option:
    """One type that an annotation allows, with its range."""

    kind: Any
    range: Range | None = None

    @property
    def choices(self) -> bool:
        """Whether the values allowed are listed."""
        return get_origin(self.kind) is Literal or isinstance(self.range, OneOf)

    def holds(self, value: Any) -> bool:
        """Whether ``value`` is of this type and in this range."""
        if self.kind is NoneType:
            return value is None
        if self.kind is Any:
            return True
        if get_origin(self.kind) is Literal:
            return any(_same_kind(value, choice) and value == choice for choice in get_args(self.kind))
        if self.kind is bool:
            return isinstance(value, bool | np.bool_)
        if self.kind in NUMBERS:
            number = isinstance(value, NUMBERS[self.kind][1]) and not isinstance(value, bool)
            return number and (self.range.holds(value) if self.range else value == value)
        if self.kind is str:
            return isinstance(value, str) and (self.range is None or self.range.holds(value))
        if is_dataclass(self.kind) or is_interface(self.kind):
            return isinstance(value, self.kind)
        if get_origin(self.kind) in LISTS:
            return self._holds_entries(value)
        return True  # an object: its own class checks it

    def _holds_entries(self, values: Any) -> bool:
        kinds = get_args(self.kind)
        if isinstance(values, str) or not isinstance(values, Sequence | np.ndarray) or np.ndim(values) == 0:
            return False
        fixed = len(kinds) > 1 and Ellipsis not in kinds
        if fixed and len(values) != len(kinds):
            return False
        entries = zip(values, kinds if fixed else [kinds[0]] * len(values), strict=True)
        return all(any(option.holds(value) for option in options_of(kind)) for value, kind in entries)

    def text(self) -> str:
        """The type and its range in words."""
        if self.kind is NoneType:
            return "None"
        if self.kind is Any:
            return "any value"
        if get_origin(self.kind) is Literal:
            return ", ".join(map(repr, get_args(self.kind)))
        if self.kind in (*NUMBERS, str):
            noun = NUMBERS[self.kind][0] if self.kind in NUMBERS else "text"
            return self.range.text(noun) if self.range else f"a {noun}"
        if is_interface(self.kind):
            return f"an object with the interface {self.kind.__name__}"
        if get_origin(self.kind) in LISTS:
            kinds = [kind for kind in get_args(self.kind) if kind is not Ellipsis]
            entry = _words(options_of(kinds[0]))
            return f"{len(kinds)} values, each {entry}" if len(kinds) > 1 else f"a list, each entry {entry}"
        return "True or False" if self.kind is bool else getattr(self.kind, "__name__", str(self.kind))


def check_settings(settings: Any, prefix: str = "") -> None:
    """Every setting has a type, choice and range that its annotation allows, or is its default.

    Checked are numbers, truth values, texts, ``Literal`` choices, ``None``, tuples of numbers, and dataclasses of
    settings inside. Other objects are checked where they should be dataclasses
    or have an interface (``Protocol``) that can be checked at run time.

    Args:
        settings: a dataclass; its fields are the settings.
        prefix: what stands before the names in messages: the name of the setting that holds ``settings``.

    Raises:
        ValueError: names the first setting that is out of range, its value and what it may be.

    Example:
        >>> @dataclass
        ... class Sizes:
        ...     d_model: Annotated[int, AtLeast(1)] = 64
        ...     scaler: Literal["mean_abs", "standard"] | None = "standard"
        >>> check_settings(Sizes())
        >>> check_settings(Sizes(d_model=0))
        Traceback (most recent call last):
        ValueError: d_model must be a whole number of 1 or more, not 0
        >>> check_settings(Sizes(scaler="minmax"))
        Traceback (most recent call last):
        ValueError: scaler='minmax' is unknown; choose one of 'mean_abs', 'standard', None
    """
    kind: Any = type(settings)
    defaults = {field.name: field.default for field in fields(kind)}
    for name, options in options_by_setting(kind).items():
        value = getattr(settings, name)
        if value is defaults[name]:
            continue
        listed = next((option for option in options if get_origin(option.kind) in LISTS), None)
        if is_dataclass(value) and type(value) in [option.kind for option in options]:
            check_settings(value, f"{prefix}{name}.")
        elif listed and isinstance(value, Sequence | np.ndarray) and not isinstance(value, str) and np.ndim(value):
            _check_entries(prefix + name, value, get_args(listed.kind), options)
        else:
            _check(prefix + name, value, options)


def check_draws(n_samples: object, seed: object) -> None:
    """Refuse a number of draws, or a seed of them, that there cannot be.

    Args:
        n_samples: a whole number of 1 or more.
        seed: a whole number of 0 or more; None = fresh draws.

    Raises:
        ValueError: names the argument, what it may be and what it is.

    Example:
        >>> check_draws(2.5, None)
        Traceback (most recent call last):
        ValueError: n_samples must be a whole number of 1 or more, not 2.5
    """
    _check("n_samples", n_samples, options_of(Annotated[int, AtLeast(1)]))
    _check("seed", seed, options_of(Annotated[int, AtLeast(0)] | None))


def allowed_values(kind: type) -> dict[str, str]:
    """What each setting of a class may be, in words.

    Args:
        kind: a dataclass.

    Returns:
        Words by the name of the setting.

    Example:
        >>> @dataclass
        ... class Sizes:
        ...     horizon: Annotated[int, AtLeast(1)]
        ...     seed: Annotated[int, AtLeast(0)] | None = None
        >>> allowed_values(Sizes)
        {'horizon': 'a whole number of 1 or more', 'seed': 'a whole number of 0 or more or None'}
    """
    return {name: _words(options) for name, options in options_by_setting(kind).items()}


@functools.cache
def options_by_setting(kind: type) -> dict[str, tuple[Option, ...]]:
    """What the settings of a dataclass may be, in the order of its signature.

    A subclass that annotates a setting again, to give it another default, keeps the range of its base where it names
    none. An annotation written as a text is resolved in the module of its class; ``Any`` stands for one that cannot be,
    such as a name imported for type checkers alone.

    Args:
        kind: a dataclass.

    Returns:
        Options by the name of the setting.

    Example:
        >>> options_by_setting(AtLeast)
        {'low': (Option(kind=<class 'float'>, range=None),)}
    """
    found: dict[str, tuple[Option, ...]] = {}
    for base in reversed(kind.__mro__):
        made = inspect.unwrap(base.__init__)  # type: ignore[misc]
        names = getattr(made, "__globals__", None)  # of the class's module: a plug-in's cannot be imported again
        for name, hint in inspect.get_annotations(base).items():
            try:
                [hint] = get_type_hints(
                    SimpleNamespace(__annotations__={name: hint}), names, include_extras=True
                ).values()
                hash(hint)
            except (NameError, TypeError, AttributeError, SyntaxError):
                hint = Any
            ranges = {option.kind: option.range for option in found.get(name, ())}
            found[name] = tuple(Option(o.kind, o.range or ranges.get(o.kind)) for o in options_of(hint))
    return {field.name: found[field.name] for field in fields(kind) if field.init}


def replaced_settings(**remedies: Part) -> Callable[[type[Model]], type[Model]]:
    """Has a class refuse settings of former versions by name, and say what replaces them.

    Args:
        **remedies: what to write today, by the name of the former setting.

    Returns:
        A decorator for dataclasses, to be written above ``@dataclass``; the signature of the class stays as it is.

    Example:
        >>> @replaced_settings(width="write d_model=")
        ... @dataclass(kw_only=True)
        ... class Sizes:
        ...     d_model: int = 64
        >>> Sizes(width=3)
        Traceback (most recent call last):
        TypeError: Sizes has no setting 'width' any more; write d_model=
    """

    def decorate(kind: type[Model]) -> type[Model]:
        made: Any = kind.__init__

        @functools.wraps(made)
        def init(self: Any, *values: Any, **settings: Any) -> None:
            for name in settings:
                if name in remedies:
                    raise TypeError(
                        Message(f"{type(self).__name__} has no setting {name!r} any more; ", remedies[name])
                    )
            made(self, *values, **settings)

        init.remedies = remedies  # type: ignore[attr-defined]
        kind.__init__ = init  # type: ignore[method-assign]
        if hasattr(kind, "set_params"):
            changed: Any = kind.set_params  # type: ignore[attr-defined]

            @functools.wraps(changed)
            def set_params(self: Any, **settings: Any) -> Any:
                for name in settings:
                    if name in remedies:
                        raise ValueError(
                            Message(f"{type(self).__name__} has no setting {name!r} any more; ", remedies[name])
                        )
                return changed(self, **settings)

            kind.set_params = set_params  # type: ignore[attr-defined]
        return kind

    return decorate


def remedies_of(kind: type) -> Mapping[str, Part]:
    """What replaces the former settings of a class, by their names.

    Args:
        kind: a class, decorated by ``replaced_settings`` or not.

    Returns:
        Remedies by the name of the former setting.

    Example:
        >>> remedies_of(replaced_settings(width="write d_model=")(type("Sizes", (), {})))
        {'width': 'write d_model='}
    """
    return getattr(kind.__init__, "remedies", {})  # type: ignore[misc]


def options_of(hint: Any) -> tuple[Option, ...]:
    """The types that an annotation allows.

    Args:
        hint: a type, a union, a ``Literal``, or ``Annotated`` with a range.

    Returns:
        One option a type.

    Example:
        >>> [option.text() for option in options_of(Annotated[int, AtLeast(1)] | None)]
        ['a whole number of 1 or more', 'None']
    """
    return tuple(_flattened(hint, None))


def lacking_parts(model: Any) -> list[str]:
    """What an object lacks to be a forecaster, whose contract is ``contracts.Forecaster``.

    Args:
        model: any.

    Returns:
        Names of attributes; none for a forecaster.

    Example:
        >>> lacking_parts(object())
        ['horizon', 'fit', 'predict']
    """
    return [name for name in FORECASTER_PARTS if not hasattr(model, name)]


def is_interface(kind: Any) -> bool:
    """Whether a type is a ``Protocol`` that ``isinstance`` can check.

    Args:
        kind: a type.

    Example:
        >>> is_interface(int)
        False
    """
    return getattr(kind, "_is_runtime_protocol", False)


def _flattened(hint: Any, bound: Range | None) -> Iterator[Option]:
    if get_origin(hint) is Annotated:
        inner, *notes = get_args(hint)
        ranges = [note for note in notes if isinstance(note, Range)]
        yield from _flattened(inner, ranges[0] if ranges else bound)
    elif get_origin(hint) in (Union, UnionType):
        for part in get_args(hint):
            yield from _flattened(part, bound)
    else:
        yield Option(NoneType if hint is None else hint, bound)


def _same_kind(value: Any, choice: Any) -> bool:
    kinds = {str: str, int: int | np.integer, bool: bool | np.bool_}.get(type(choice), type(choice))
    return isinstance(value, kinds) and isinstance(value, bool) == isinstance(choice, bool)


def _check(name: str, value: Any, options: tuple[Option, ...]) -> None:
    if any(option.holds(value) for option in options):
        return
    kinds = {option.kind for option in options}
    if bool in kinds and not kinds & {int, float} and isinstance(value, int | np.integer) and value in (0, 1):
        return  # 0 and 1 as truth values
    if any(o.choices for o in options) and all(o.choices or o.kind is NoneType for o in options):
        raise ValueError(f"{name}={value!r} is unknown; choose one of {', '.join(o.text() for o in options)}")
    raise ValueError(f"{name} must be {_words(options)}, not {value!r}")


def _check_entries(name: str, values: Any, kinds: tuple[Any, ...], options: tuple[Option, ...]) -> None:
    fixed = len(kinds) > 1 and Ellipsis not in kinds
    if fixed and len(values) != len(kinds):
        raise ValueError(f"{name} must be {_words(options)}, not {values!r}")
    for i, entry in enumerate(values):
        _check(f"{name}[{i}]", entry, options_of(kinds[i] if fixed else kinds[0]))


def _words(options: tuple[Option, ...]) -> str:
    if all(option.choices or option.kind is NoneType for option in options):
        return "one of " + ", ".join(option.text() for option in options)
    texts = [f"one of {o.text()}" if o.choices else o.text() for o in options]
    return " or ".join(texts) if len(texts) < 3 else ", ".join(texts[:-1]) + " or " + texts[-1]
