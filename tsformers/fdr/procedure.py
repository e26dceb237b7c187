"""Procedure, the base of all online tests: one test, many tests, the state; and Parallel, many procedures at once."""

import dataclasses
from collections.abc import Sequence
from functools import cached_property
from typing import Any, ClassVar, Self, cast

import numpy as np
from jaxtyping import Bool, Float, Int64, Integer, Real

import tsformers.fdr.wealth_kernel as wealth
from tsformers.catalog import PROCEDURES, load_from
from tsformers.errors import TsformersError
from tsformers.messages import Option
from tsformers.validation import check_settings

State = dict[str, Any]
ONLY_ROW = np.zeros(1, dtype=np.int64)  # the rows of a single procedure


class Procedure:
    """An online testing procedure: one p-value in, its level and the decision out, for as long as the stream lasts.

    The level of a test is fixed before its p-value is known, and the hypothesis is rejected when ``p <= level``.
    Settings are fixed at construction; two procedures are equal when their settings are, whatever they have tested.

    A procedure of one's own is a frozen dataclass that says what its settings mean: ``rule``, for one of the compiled
    kernels.

    Raises:
        ValueError: a setting is out of range, or does not go with another.

    Example:
        >>> from tsformers.fdr import LOND
        >>> LOND(alpha=0.1).test(0.001)[1]
        True

    Source: the contract of ``tsformers.contracts.Procedure``.
    """

    kernel: ClassVar[Any] = wealth  # the module of compiled code

    def __post_init__(self) -> None:
        check_settings(self)
        self.rule  # noqa: B018  # refuses settings that do not go together

    @cached_property
    def rule(self) -> Any:
        """What the settings mean for the kernel.

        Raises:
            ValueError: two settings do not go together.
        """
        raise NotImplementedError

    def test(self, p: float) -> tuple[float, bool]:
        """Test one hypothesis, in constant time.

        Args:
            p: its p-value, in [0, 1].

        Returns:
            The level it was tested at, and whether it is rejected (an alarm).

        Raises:
            ValueError: ``p`` is NaN or outside [0, 1]; nothing has been tested then.
        """
        if not 0 <= p <= 1:
            raise ValueError(_refusal(p))
        self._reserve(1)
        levels, rejected = _run(self, self._running, ONLY_ROW, np.array([p], dtype=np.float64))
        return levels.item(), rejected.item()

    def test_many(
        self, p: Real[np.ndarray, " T"] | Sequence[float]
    ) -> tuple[Float[np.ndarray, " T"], Bool[np.ndarray, " T"]]:
        """Test many p-values: bit for bit what ``test`` gives one by one, in one compiled call.

        Args:
            p: T p-values in [0, 1], in order of arrival.

        Returns:
            Their levels and decisions.

        Raises:
            ValueError: a p-value is NaN or outside [0, 1], or ``p`` is not one-dimensional; nothing has been tested
                then.
        """
        values = _checked(p)
        if values.ndim != 1:
            raise ValueError(f"test_many takes one stream, an array of one axis; this has shape {values.shape}")
        self._reserve(values.size)
        return _run(self, self._running, ONLY_ROW, values)

    @property
    def next_level(self) -> float:
        """The level that the next test will have; no p-value can change it any more."""
        return float(self._running.level[0])

    @property
    def first_level(self) -> float:
        """The level of the very first test: until something is rejected, no later level is higher."""
        return float(self._initial(1).level[0])

    @property
    def least_level(self) -> float:
        """What the level never falls below; 0 where it tends to 0 between discoveries."""
        rule = self.rule
        return min(rule.cap, rule.base * rule.floor)

    @property
    def n_tests(self) -> int:
        """How many tests have been done."""
        return int(self._running.tests[0])

    def fresh(self) -> Self:
        """The same settings before the first test."""
        return dataclasses.replace(self)  # type: ignore[type-var]

    def many(self, n: int) -> "Parallel":
        """``n`` procedures with these settings, each before its first test, that advance in one compiled call.

        Example:
            >>> from tsformers.fdr import LORD
            >>> levels, rejected = LORD(alpha=0.1).many(3).test(np.array([0.5, 1e-9, 0.2]))
            >>> rejected
            array([False,  True, False])
        """
        return Parallel(self, n)

    @property
    def state(self) -> State:
        """Everything needed to resume, serialisable as JSON: numbers, texts, lists and dicts."""
        running = self.kernel.to_json(self._running)
        settings = {field.name: getattr(self, field.name) for field in dataclasses.fields(cast(Any, self))}
        return {"procedure": type(self).__name__, "settings": settings, "running": running}

    @classmethod
    def from_state(cls, state: State) -> Self:
        """The procedure that ``state`` was taken from: later tests are those of an uninterrupted run, bit for bit.

        Args:
            state: what ``.state`` gave, directly or through JSON. ``Procedure.from_state`` finds the class itself.

        Raises:
            ValueError: this is no such state, or that of another class.

        Example:
            >>> from tsformers.fdr import LOND
            >>> resumed = Procedure.from_state(LOND(alpha=0.1).state)
            >>> resumed == LOND(alpha=0.1)
            True
        """
        if not isinstance(state, dict) or not {"procedure", "settings", "running"} <= state.keys():
            raise ValueError("this is no state of a procedure; pass the dict that .state gave")
        kind: Any = cls if state["procedure"] == cls.__name__ else find_procedure(state["procedure"])
        if kind is None or not issubclass(kind, cls):
            raise ValueError(f"this is the state of {state['procedure']!r}, not of {cls.__name__}")
        try:
            new = kind(**state["settings"])
            new.__dict__["_running"] = new.kernel.from_json(new.rule, state["running"])
        except (TypeError, KeyError, ValueError) as error:
            raise ValueError(f"the state of {kind.__name__} cannot be read: {error}") from error
        return new

    @cached_property
    def _running(self) -> Any:
        return self._initial(1)

    def _initial(self, n: int) -> Any:
        return self.kernel.initial_state(self.rule, n)

    def _reserve(self, tests: int) -> None:
        self.__dict__["_running"] = self.kernel.reserve(self.rule, self._running, tests)


class Parallel:
    """N procedures with the same settings, one for each of N series, that cost little more than N numbers each.

    Their state is arrays whose first axis is N, and one compiled call advances any of them: ten thousand series take
    about a millisecond a time step. Each behaves bit for bit as the procedure alone would.

    Args:
        procedure: whose settings all have.
        n: how many, from 1.

    Raises:
        ValueError: ``n`` is below 1.

    Example:
        >>> from tsformers.fdr import SAFFRON
        >>> side_by_side = Parallel(SAFFRON(alpha=0.1), 2)
        >>> side_by_side.test(np.array([1e-4, 0.9, 0.8]), series=np.array([1, 0, 1]))[1]
        array([ True, False, False])
        >>> side_by_side.next_level.round(4)
        array([0.0036, 0.0072])
    """

    def __init__(self, procedure: Procedure, n: int) -> None:
        if n < 1:
            raise TsformersError("there must be one procedure at least, not ", Option("n", n))
        self.procedure = procedure.fresh()
        self._running = self.procedure._initial(n)

    def __len__(self) -> int:
        return len(self._running.level)

    def __repr__(self) -> str:
        return f"Parallel({self.procedure!r}, {len(self)})"

    @property
    def next_level(self) -> Float[np.ndarray, " N"]:
        """The level of each one's next test."""
        return self._running.level.copy()

    @property
    def n_tests(self) -> Int64[np.ndarray, " N"]:
        """How many tests each has done."""
        return self._running.tests.copy()

    def test(
        self, p: Real[np.ndarray, " K"] | Sequence[float], series: Integer[np.ndarray, " K"] | None = None
    ) -> tuple[Float[np.ndarray, " K"], Bool[np.ndarray, " K"]]:
        """Test K p-values, each with the procedure of its series, in the order given.

        Args:
            p: the p-values, in [0, 1].
            series: which procedure tests each, from 0; a series may come several times or not at all. None: p-value i
                goes to procedure i, so that K must be N.

        Returns:
            K levels and K decisions.

        Raises:
            ValueError: a p-value is NaN or outside [0, 1], the lengths differ, or a series does not exist; nothing has
                been tested then.
        """
        values = _checked(p)
        rows = np.arange(len(self)) if series is None else np.asarray(series)
        if values.ndim != 1 or rows.shape != values.shape:
            raise ValueError(f"there must be one p-value for each series: {values.shape} and {rows.shape} do not match")
        if rows.size == 0:
            return values, np.zeros(0, dtype=bool)
        if not np.issubdtype(rows.dtype, np.integer) or rows.min() < 0 or rows.max() >= len(self):
            raise ValueError(f"series must be whole numbers from 0 to {len(self) - 1}; call grow(n) to add procedures")
        most = 1 if series is None else int(np.bincount(rows).max())
        self._running = self.procedure.kernel.reserve(self.procedure.rule, self._running, most)
        return _run(self.procedure, self._running, np.ascontiguousarray(rows, dtype=np.int64), values)

    def grow(self, n: int) -> None:
        """Add procedures before their first test until there are ``n``; the others do not change.

        Raises:
            ValueError: there are more than ``n`` already.
        """
        if n < len(self):
            raise ValueError(f"there are {len(self)} procedures already; grow(n) cannot take any away")
        if n > len(self):
            self._running = _joined(self._running, self.procedure._initial(n - len(self)))

    def one(self, i: int) -> Procedure:
        """A copy of procedure ``i`` by itself."""
        alone = self.procedure.fresh()
        rows = range(len(self))[i]
        alone.__dict__["_running"] = type(self._running)(*(part[rows : rows + 1].copy() for part in self._running))
        return alone

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """The state: copies of all arrays by name, N first; with ``procedure.state`` all that must be saved."""
        return {name: part.copy() for name, part in self._running._asdict().items()}

    @classmethod
    def from_arrays(cls, procedure: Procedure, arrays: dict[str, np.ndarray]) -> Self:
        """The N procedures whose ``arrays`` these are, resumed bit for bit.

        Args:
            procedure: with the settings they had.
            arrays: what ``.arrays`` gave.

        Raises:
            ValueError: the arrays are not those of such procedures.
        """
        new = cls(procedure, 1)
        kernel, rule, names = new.procedure.kernel, new.procedure.rule, new._running._fields
        try:
            new._running = kernel.checked(rule, type(new._running)(**{name: np.array(arrays[name]) for name in names}))
        except (KeyError, ValueError) as error:
            raise ValueError(f"these are not the arrays of {procedure!r}: {error}") from error
        return new


def find_procedure(name: str) -> type[Procedure] | None:
    """The class of a procedure of this package.

    Args:
        name: a key of ``tsformers.catalog.PROCEDURES``.

    Returns:
        The class; None where there is none of that name.

    Example:
        >>> find_procedure("LOND").__name__
        'LOND'
    """
    return load_from(PROCEDURES, name) if name in PROCEDURES else None


def _run(
    procedure: Procedure, state: Any, rows: Int64[np.ndarray, " R"], p: Float[np.ndarray, " K"]
) -> tuple[np.ndarray, np.ndarray]:
    levels, rejected = np.empty(p.size), np.empty(p.size, dtype=bool)
    procedure.kernel.run(procedure.rule, state, rows, p, levels, rejected)
    return levels, rejected


def _joined(state: Any, more: Any) -> Any:
    """Both, one after the other; arrays that have grown in one are padded in the other."""
    parts = []
    for old, new in zip(state, more, strict=True):
        if old.ndim == 2 and old.shape[1] > new.shape[1]:
            new = np.pad(new, ((0, 0), (0, old.shape[1] - new.shape[1])))
        parts.append(np.concatenate([old, new]))
    return type(state)(*parts)


def _checked(p: Real[np.ndarray, "..."] | Sequence[float]) -> np.ndarray:
    values = np.ascontiguousarray(p, dtype=np.float64)
    wrong = ~((values >= 0) & (values <= 1))
    if wrong.any():
        first = int(wrong.ravel().argmax())
        raise ValueError(f"at position {first}: {_refusal(values.ravel()[first])}")
    return values


def _refusal(p: float) -> str:
    if p != p:
        return "NaN is no p-value; leave the test out, or pass 1.0 to count it as one without evidence"
    return f"{p} is no p-value: it must lie in [0, 1]; a score has to be turned into a p-value first"
