"""What the caller asked for: the keywords of ``Panel.from_frame``, in one form."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from tsformers.errors import DataError
from tsformers.messages import Option

Names = tuple[str, ...]


class Asked(NamedTuple):
    """Roles and readings that the caller chose; None = by the rules of ``find_roles``.

    Args:
        ids: columns of ids, joined where there are several.
        times: columns of times, joined where there are several.
        target: column of values.
        known: covariates known in advance.
        past: other covariates; None = every other column of numbers.
        missing: values and texts that stand for a missing value.
        time_format: of the times.
        tz: their time zone.
        resample: length of bins.
        aggregate: what a bin shows.

    Example:
        >>> Asked(ids=("shop",)).ids
        ('shop',)
    """

    ids: Names | None = None
    times: Names | None = None
    target: str | None = None
    known: Names = ()
    past: Names | None = None
    missing: tuple[Any, ...] = ()
    time_format: str | None = None
    tz: str | None = None
    resample: str | None = None
    aggregate: str | None = None

    @property
    def columns(self) -> Names:
        """All columns that were asked for."""
        target = () if self.target is None else (self.target,)
        return (*(self.ids or ()), *(self.times or ()), *target, *self.known, *(self.past or ()))


NOTHING = Asked()


def names_of(given: Any) -> Names:
    """Column names that may be one name, several or none.

    Args:
        given: as a caller gives them.

    Returns:
        All of them.

    Example:
        >>> names_of("shop"), names_of(["shop", "dept"]), names_of(7), names_of(None)
        (('shop',), ('shop', 'dept'), (7,), ())
    """
    if given is None:
        return ()
    return tuple(given) if isinstance(given, Iterable) and not isinstance(given, str) else (given,)


def asked(
    *,
    id_col: Any = None,
    time_col: Any = None,
    target_col: Any = None,
    known: Any = (),
    past: Any = None,
    missing: Any = (),
    time_format: str | None = None,
    tz: str | None = None,
    resample: str | None = None,
    aggregate: str | None = None,
) -> Asked:
    """The keywords of ``Panel.from_frame`` in one form.

    Args:
        id_col: a name, or several to be joined.
        time_col: a name, or several to be joined.
        target_col: a name.
        known: a name or several.
        past: a name or several; None = every other column of numbers.
        missing: a value or several.
        time_format: see ``Panel.from_frame``.
        tz: see ``Panel.from_frame``.
        resample: see ``Panel.from_frame``.
        aggregate: see ``Panel.from_frame``.

    Returns:
        What was asked for.

    Raises:
        DataError: a column has two roles, or ``aggregate`` comes without ``resample``.

    Example:
        >>> asked(id_col=["shop", "item"], known="price", missing=-9999).missing
        (-9999,)
    """
    if aggregate is not None and resample is None:
        raise DataError(
            Option("aggregate", aggregate), " has no effect without ", Option("resample"),
            "; give it the length of the bins, "
            "such as ", Option("resample", "D"), ", or leave it out",
        )  # fmt: skip
    found = Asked(
        None if id_col is None else names_of(id_col),
        None if time_col is None else names_of(time_col),
        target_col,
        names_of(known),
        None if past is None else names_of(past),
        _values(missing),
        time_format,
        tz,
        resample,
        aggregate,
    )
    _refuse_two_roles(found)
    return found


def _refuse_two_roles(found: Asked) -> None:
    main = (*(found.ids or ()), *(found.times or ()), *(() if found.target is None else (found.target,)))
    again = [name for k, name in enumerate(main) if name in main[:k]]
    if again:
        raise DataError(
            "ids, times and values need different columns, and ", repr(again[0]), " was named twice; see ",
            Option("id_col"), ", ", Option("time_col"), " and ", Option("target_col"),
        )  # fmt: skip
    names = [*found.known, *(found.past or ())]
    usual = (*(found.ids or ("unique_id",)), *(found.times or ("ds",)), found.target or "y")
    taken = [name for k, name in enumerate(names) if name in (*usual, *names[:k])]
    if taken:
        keyword = (
            Option("known", list(found.known)) if taken[0] in found.known else Option("past", list(found.past or ()))
        )
        raise DataError(keyword, f": {taken[0]!r} has a role already; name each covariate once")


def _values(given: Any) -> tuple[Any, ...]:
    if given is None:
        return ()
    return tuple(given) if isinstance(given, list | tuple | set | frozenset) else (given,)
