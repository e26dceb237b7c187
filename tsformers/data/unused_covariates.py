"""Warnings of covariates that were asked for and that a model cannot use."""

import warnings
from collections.abc import Mapping
from typing import Any

from tsformers.data.dataframes import Frame, Schema
from tsformers.data.intake.asked import names_of
from tsformers.errors import DataWarning
from tsformers.messages import Option, Part, Setting, joined

ROLES = ("known", "past", "static")
USERS = {True: "AutoARIMA, LRU, Autoformer or REDSDS", False: "LRU, Autoformer or REDSDS"}  # by: known ones suffice


def warn_unused_covariates(models: Any, roles: Mapping[str, Any], stacklevel: int = 3) -> None:
    """Warn, before work, where covariates are asked for and none of the models takes any.

    A class says by its attribute ``uses_covariates`` whether it reads them, and by ``covariate_roles`` which, where it
    does not read all; one without the attributes is not warned of. Only what this call asks for counts: columns that
    are in the frame anyway are nobody's request.

    Args:
        models: a forecaster, a clusterer or another model, or a list of them.
        roles: the keywords of ``Panel.from_frame`` as they were given.
        stacklevel: of the warning.

    Warns:
        DataWarning: names the models, the keywords, and forecasters that use covariates.

    Example:
        >>> from tsformers import Theta
        >>> with warnings.catch_warnings(record=True) as caught:
        ...     warnings.simplefilter("always")
        ...     warn_unused_covariates(Theta(horizon=1), {"known": ["price"]})
        >>> print(caught[0].message)
        Theta takes no covariates; known=['price'] is not used: leave it out, or choose AutoARIMA, LRU, Autoformer or
        REDSDS
    """
    asked: dict[str, Part] = {
        key: Option(key, [*found]) for key in ("known", "past") if (found := names_of(roles.get(key)))
    }
    if roles.get("static") is not None:
        asked["static"] = Option("static")
    every = list(models) if isinstance(models, list | tuple) else [models]
    if not every:
        return
    used = dict.fromkeys(role for model in every for role in roles_used(model))
    unused = {role: part for role, part in asked.items() if role not in used}
    if unused:
        cores = [_core(model) for model in every]
        names = dict.fromkeys(type(core).__name__ for core in cores)
        kinds = f"{' and '.join(used)} covariates only" if used else "no covariates"
        head: list[Part] = [f"{' and '.join(names)} {'takes' if len(names) == 1 else 'take'} {kinds}; "]
        users = USERS[unused.keys() == {"known"}]
        others: list[Part] = [f", or choose {users}"] if all(map(_is_replaceable, cores)) else []
    elif "static" in asked and all(getattr(model, "multivariate", False) for model in every):
        head = [f"{type(every[0]).__name__} with ", Setting("multivariate", True), " takes no statics; "]
        unused, others = {"static": asked["static"]}, [", or set ", Setting("multivariate", False)]
    else:
        return
    verb = " is not used: leave it out" if len(unused) == 1 else " are not used: leave them out"
    warnings.warn(DataWarning(*head, joined([*unused.values()], " and "), verb, *others), stacklevel=stacklevel)


def roles_used(model: Any) -> tuple[str, ...]:
    """Which covariates a model reads: some of "known", "past" and "static".

    Args:
        model: a forecaster, one made of forecasters, a clusterer or another model.

    Returns:
        The roles; all of them where the class does not say.

    Example:
        >>> from tsformers import AutoARIMA, Ensemble, Theta
        >>> roles_used(Ensemble([Theta(horizon=1), AutoARIMA(horizon=1)])), roles_used(Theta(horizon=1))
        (('known',), ())
    """
    if not getattr(model, "uses_covariates", True):
        return ()
    inner = getattr(model, "forecaster", None)
    parts = [inner] if inner is not None else getattr(model, "models", ())
    found = {role for part in parts for role in roles_used(part)} if parts else getattr(model, "covariate_roles", ROLES)
    return tuple(role for role in ROLES if role in found)


def warn_needless_future(future: Frame, schema: Schema, stacklevel: int = 4) -> None:
    """Warn that a future is given for which ``fit`` has named no covariate.

    Args:
        future: the frame.
        schema: of the data of ``fit``.
        stacklevel: of the warning.

    Warns:
        DataWarning: names the keyword, with the columns that it could have.

    Example:
        >>> import pandas as pd
        >>> with warnings.catch_warnings(record=True) as caught:
        ...     warnings.simplefilter("always")
        ...     warn_needless_future(pd.DataFrame({"price": [1.0]}), Schema(past=("price",)))
        >>> print(caught[0].message)
        future= is not used, since no covariate is known in advance; fit with known=['price']
    """
    columns = {str(name) for name in getattr(future, "columns", ())} | set(getattr(future, "column_names", ()))
    fitting = [name for name in schema.past if name in columns]
    known = Option("known", fitting) if fitting else Option("known")
    warnings.warn(
        DataWarning(Option("future"), " is not used, since no covariate is known in advance; fit with ", known),
        stacklevel=stacklevel,
    )


def _core(model: Any) -> Any:
    """The model that lacks covariates: the inmost forecaster of a composed one."""
    inner = getattr(model, "forecaster", None)
    return model if inner is None or getattr(inner, "uses_covariates", True) else _core(inner)


def _is_replaceable(model: Any) -> bool:
    """Whether another forecaster can take its place: it is one, and not the sum of clusters."""
    is_forecaster = "horizon" in vars(model) or hasattr(type(model), "horizon")
    return is_forecaster and not getattr(model, "aggregate", False)
