"""Settings are held to their annotations."""

import sys
import types
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Protocol, runtime_checkable

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone

from tsformers.validation import (
    Above,
    AtLeast,
    Between,
    OneOf,
    allowed_values,
    check_settings,
    remedies_of,
    replaced_settings,
)


@runtime_checkable
class Output(Protocol):
    def draw(self): ...


class Normal:
    def draw(self):
        return 0.0


@dataclass(frozen=True)
class Widths:
    hidden: Annotated[int, AtLeast(1)] = 8


@dataclass
class Settings:
    d_model: Annotated[int, AtLeast(1)] = 64
    context_length: Annotated[int, AtLeast(1)] | None = None
    learning_rate: Annotated[float, Above(0)] = 1e-3
    dropout: Annotated[float, Between(0, 1, open="high")] = 0.0
    residual: bool = False
    cell: Literal["lru", "gru"] = "lru"
    scaler: Literal["standard"] | None = "standard"
    periods: Sequence[Annotated[float, Above(1)]] | None = None
    emission: tuple[Annotated[int, AtLeast(1)], Annotated[int, AtLeast(1)]] = (8, 32)
    widths: Widths = field(default_factory=Widths)
    kernels: tuple[tuple[int, int], ...] = ((3, 3),)
    width: int = None  # type: ignore[assignment]  # a default holds, whatever its annotation
    likelihood: str | Any = "student_t"
    output: Annotated[str, OneOf(("normal", "student_t"))] | Output = "normal"
    start: Annotated[str, OneOf(("zero", "last"))] = "zero"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("d_model", np.int64(3)),
        ("context_length", 5),
        ("learning_rate", 1),
        ("learning_rate", np.float32(0.1)),
        ("learning_rate", float("inf")),
        ("residual", 1),
        ("cell", np.str_("gru")),
        ("widths", Widths(hidden=np.int64(3))),
        ("kernels", [[3, 3], [5, 5]]),
        ("width", 4),
        ("periods", [24, 168.5]),
        ("periods", np.array([24.0])),
        ("likelihood", object()),
        ("scaler", None),
        ("output", "student_t"),
        ("output", Normal()),
    ],
)
def test_what_an_annotation_allows_passes(name, value):
    check_settings(Settings(**{name: value}))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("d_model", 0, "d_model must be a whole number of 1 or more, not 0"),
        ("d_model", True, "d_model must be a whole number of 1 or more, not True"),
        ("d_model", 2.5, "d_model must be a whole number of 1 or more, not 2.5"),
        ("context_length", 0, "context_length must be a whole number of 1 or more or None, not 0"),
        ("learning_rate", float("nan"), "learning_rate must be a number above 0, not nan"),
        ("learning_rate", "fast", "learning_rate must be a number above 0, not 'fast'"),
        ("dropout", 1.0, r"dropout must be a number in \[0, 1\), not 1.0"),
        ("residual", "no", "residual must be True or False, not 'no'"),
        ("residual", 2, "residual must be True or False, not 2"),
        ("cell", "lstm", "cell='lstm' is unknown; choose one of 'lru', 'gru'"),
        ("scaler", "minmax", "scaler='minmax' is unknown; choose one of 'standard', None"),
        ("periods", [24, 1], r"periods\[1\] must be a number above 1, not 1"),
        ("periods", 24, "periods must be a list, each entry a number above 1 or None, not 24"),
        ("kernels", ((3,),), r"kernels\[0\] must be 2 values, each a whole number, not \(3,\)"),
        ("width", "wide", "width must be a whole number, not 'wide'"),
        ("emission", (8,), "emission must be 2 values, each a whole number of 1 or more, not"),
        ("emission", (8, 0), r"emission\[1\] must be a whole number of 1 or more, not 0"),
        (
            "output",
            "poisson",
            "output must be one of 'normal', 'student_t' or an object with the interface Output, not",
        ),
        ("output", object(), "output must be one of 'normal', 'student_t' or an object with the interface Output, not"),
        ("start", "first", "start='first' is unknown; choose one of 'zero', 'last'"),
        ("widths", Widths(hidden=0), "widths.hidden must be a whole number of 1 or more, not 0"),
    ],
)
def test_anything_else_is_refused_by_name_value_and_range(name, value, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        check_settings(Settings(**{name: value}))


def test_the_allowed_values_are_said_in_words():
    allowed = allowed_values(Settings)
    assert list(allowed) == [*Settings.__dataclass_fields__]
    assert allowed["scaler"] == "one of 'standard', None"
    assert allowed["dropout"] == "a number in [0, 1)"
    assert allowed["residual"] == "True or False"


PLUGIN = """
from __future__ import annotations
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated
from tsformers.validation import AtLeast, replaced_settings
if TYPE_CHECKING:
    from nowhere import Output

@replaced_settings(depth="write width=")
@dataclass(kw_only=True)
class Mine:
    width: Annotated[int, AtLeast(1)] = 8
    output: Output | None = None
"""


def test_annotations_written_as_texts_are_resolved_where_they_can_be_even_after_their_module_is_forgotten():
    module = types.ModuleType("a_plug_in")
    sys.modules["a_plug_in"] = module
    try:
        exec(compile(PLUGIN, "a_plug_in.py", "exec"), module.__dict__)
    finally:
        del sys.modules["a_plug_in"]
    assert allowed_values(module.Mine) == {"width": "a whole number of 1 or more", "output": "any value"}
    check_settings(module.Mine(output="whatever"))
    with pytest.raises(ValueError, match="width must be a whole number of 1 or more, not 0"):
        check_settings(module.Mine(width=0))


def test_a_subclass_with_another_default_keeps_the_range_of_its_base_unless_it_names_one():
    @dataclass
    class Mine(Settings):
        d_model: int | None = None
        dropout: Annotated[float, Between(0, 0.5)] = 0.1

    check_settings(Mine())
    for name, value in {"d_model": 0, "dropout": 0.6, "learning_rate": 0}.items():
        with pytest.raises(ValueError, match=name):
            check_settings(Mine(**{name: value}))


@replaced_settings(preset="write Estimator.paper()")
@dataclass(kw_only=True, repr=False)
class Estimator(BaseEstimator):
    """Has settings of today alone."""

    width: int = 8


def test_a_former_setting_is_refused_with_what_replaces_it_and_is_no_setting():
    with pytest.raises(TypeError, match=r"^Estimator has no setting 'preset' any more; write Estimator.paper\(\)$"):
        Estimator(preset="paper")
    with pytest.raises(TypeError, match="unexpected keyword argument 'depth'"):
        Estimator(depth=3)
    with pytest.raises(ValueError, match=r"no setting 'preset' any more; write Estimator.paper\(\)$"):
        Estimator().set_params(preset="paper")
    assert Estimator().set_params(width=3).width == 3
    assert clone(Estimator(width=3)).get_params() == {"width": 3}
    assert remedies_of(Estimator) == {"preset": "write Estimator.paper()"}
    assert remedies_of(Settings) == {}
