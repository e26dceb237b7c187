"""Checks of the laws that the contracts state, for the package's own classes and for authors of plug-ins."""

import copy
import json
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from torch import Tensor

from tsformers import storage
from tsformers.calendar.arithmetic import future_times
from tsformers.contracts import Network, Preprocessor, Procedure
from tsformers.data.forecast import Forecast
from tsformers.data.panel import Panel
from tsformers.data.windows import Window
from tsformers.training.config import Plan
from tsformers.validation import lacking_parts


def make_frame(
    n_series: int = 3, rows: int = 60, freq: str | int = "D", seed: int = 0, *, counts: bool = False
) -> pd.DataFrame:
    """A small seeded frame: level, trend, a season of 7 and noise; series end at different times.

    Args:
        n_series: how many series.
        rows: rows of the longest; each next series is one row shorter.
        freq: frequency of ``ds``; an integer gives integer time.
        seed: of the noise.
        counts: whole numbers of 0 or more.

    Returns:
        Columns unique_id, ds, y.

    Example:
        >>> make_frame(2, 30).groupby("unique_id").size().tolist()
        [30, 29]
    """
    rng = np.random.default_rng(seed)
    stamps = np.arange(rows) * freq if isinstance(freq, int) else pd.date_range("2024-01-01", periods=rows, freq=freq)
    frames = []
    for i in range(n_series):
        t = np.arange(rows - i)
        y = 10 * (i + 1) + 0.05 * t + 2 * np.sin(2 * np.pi * t / 7 + i) + rng.normal(0, 0.5, t.size)
        y = y.clip(min=0).round() if counts else y
        frames.append(pd.DataFrame({"unique_id": f"s{i}", "ds": stamps[: t.size], "y": y}))
    return pd.concat(frames, ignore_index=True)


def make_window(
    batch: int = 4,
    context_length: int = 16,
    horizon: int = 4,
    *,
    channels: int = 1,
    past_x: int = 0,
    known_x: int = 0,
    seed: int = 0,
) -> Window:
    """A seeded batch of windows with a tenth of the values missing.

    Args:
        batch: B windows.
        context_length: T steps of context.
        horizon: H steps to forecast.
        channels: C series forecast together.
        past_x: past covariates P.
        known_x: known covariates K, which ``past_x`` of the window holds too.
        seed: of the values.

    Returns:
        The batch, zeros where missing.

    Example:
        >>> make_window(2, 8, 3, channels=5).future.shape
        torch.Size([2, 3, 5])
    """
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator)

    past_observed = torch.rand(batch, context_length, channels, generator=generator) > 0.1
    future_observed = torch.rand(batch, horizon, channels, generator=generator) > 0.1
    return Window(
        past=normal(batch, context_length, channels) * past_observed,
        past_observed=past_observed,
        past_x=normal(batch, context_length, past_x + known_x),
        future=normal(batch, horizon, channels) * future_observed,
        future_observed=future_observed,
        future_x=normal(batch, horizon, known_x),
        series=torch.arange(batch),
    )


def make_plan(context_length: int = 4, horizon: int = 2, **settings: Any) -> Plan:
    """A short training run with early stopping on the last window of each series, for tests of networks.

    Args:
        context_length: T.
        horizon: H.
        **settings: those of ``Plan`` that are to differ.

    Returns:
        60 steps of 8 windows at most.

    Example:
        >>> make_plan(max_steps=20).max_steps
        20
    """
    small: dict[str, Any] = {"max_steps": 60, "max_epochs": None, "batch_size": 8, "validation_windows": 1}
    small |= {"learning_rate": 0.05, "weight_decay": 0.0, "gradient_clip": 1.0, "schedule": "cosine"}
    small |= {"scaler": "standard", "early_stopping_patience": 10, "validation_stride": None, "verbose": None}
    return Plan(context_length=context_length, horizon=horizon, **small | settings)


def check_forecaster(model: Any, data: pd.DataFrame | None = None) -> None:
    """Check that the laws of a forecaster hold.

    Settings (of a class that has ``get_params``): ``clone`` and ``set_params`` agree, and ``fit`` leaves them alone.
    Order: ``predict`` before ``fit`` is refused; ``fit`` returns the model. Answer: one finite forecast a series,
    right after its last row. Repeatability: same seed, same bits, whatever the caller's random state, which stays
    untouched; the order of rows does not matter. No look-ahead: rows after a cutoff change nothing before it. Missing
    values give finite forecasts. Integer time works. Save and load (of a class that has ``save``) change nothing, and
    a setting changed after ``fit`` is refused, or means the same after them as before.

    Args:
        model: a forecaster, not fitted: any object with ``horizon``, ``fit`` and ``predict``. Copies of it are fitted,
            with a ``seed`` if that is one of its settings, or of what it is made of.
        data: a long frame, long enough for the model; None makes one of three daily series of 60 rows, of whole numbers
            for a class that says ``counts = True``.

    Raises:
        AssertionError: a law does not hold; the message names it.

    Example:
        >>> from tsformers import SeasonalNaive
        >>> check_forecaster(SeasonalNaive(horizon=4))
    """
    frame = make_frame(counts=getattr(model, "counts", False)) if data is None else data
    lacking = lacking_parts(model)
    assert not lacking, f"a forecaster has horizon, fit and predict; {type(model).__name__} lacks {', '.join(lacking)}"
    if hasattr(model, "get_params"):
        _check_settings(model)
    seeded = _copy(model)
    if seeds := [name for name in _settings(model) if name.rpartition("__")[2] == "seed"]:
        seeded.set_params(**dict.fromkeys(seeds, 3))
    before = frame.copy(deep=True)
    random_state = _random_state()
    fitted = _copy(seeded)
    _check_order(fitted)
    assert fitted.fit(frame) is fitted, "fit must return the model itself"
    assert _same_settings(fitted, seeded), "fit changed a setting; what is learned belongs in attributes that end in _"
    first = fitted.predict(seed=1)
    _check_answer(first, Panel.from_frame(frame), model.horizon)
    pd.testing.assert_frame_equal(frame, before, obj="the caller's frame")
    assert random_state == _random_state(), "fit and predict must leave the caller's random state alone"
    assert _equal(first, fitted.predict(seed=1)), "predict with the same seed must give the same numbers"
    assert _equal(first, _copy(seeded).fit(frame).predict(seed=1)), "fit with the same seed must give the same numbers"
    shuffled = frame.sample(frac=1, random_state=0)
    assert _equal(first, _copy(seeded).fit(shuffled).predict(seed=1)), "the order of rows must not matter"
    _check_no_look_ahead(fitted, frame)
    _check_missing(seeded, frame)
    _check_integer_time(seeded, frame)
    if hasattr(fitted, "save"):
        _check_storage(fitted, first)
        _check_changed_settings(fitted)


def check_preprocessor(preprocessor: Preprocessor, data: pd.DataFrame | None = None, horizon: int = 5) -> None:
    """Check that the laws of a preprocessor hold.

    The transformed truth, handed back as a forecast, inverts to the truth. Panels stay as they were given. Ids, times
    and lengths survive. Fitting twice gives the same numbers.

    Args:
        preprocessor: not fitted; it is deep-copied.
        data: a long frame; None makes one of three daily series.
        horizon: rows at the end of each series that serve as the future.

    Raises:
        AssertionError: a law does not hold; the message names it.

    Example:
        >>> class Double:
        ...     def fit(self, panel): return self
        ...     def transform(self, panel): return replace(panel, y=2 * panel.y)
        ...     def inverse(self, forecast, past=None): return replace(forecast, values=forecast.values / 2)
        >>> from dataclasses import replace
        >>> check_preprocessor(Double())
    """
    panel = Panel.from_frame(make_frame() if data is None else data)
    past = panel.until(panel.ends - horizon)
    y_before, past_before = panel.y.copy(), past.y.copy()
    fitted = copy.deepcopy(preprocessor)
    assert fitted.fit(past) is fitted, "fit must return the preprocessor itself"
    transformed = fitted.transform(panel)
    assert transformed.ids.equals(panel.ids), "transform must keep the ids and their order"
    assert np.array_equal(transformed.times, panel.times), "transform must keep the times"
    truth = _as_forecast(panel, panel.y, horizon)
    answer = fitted.inverse(_as_forecast(panel, transformed.y, horizon), past=past)
    np.testing.assert_allclose(
        answer.values, truth.values, rtol=1e-7, atol=1e-7, err_msg="the transformed truth must invert to the truth"
    )
    assert np.array_equal(panel.y, y_before, equal_nan=True), "transform must not change the panel it was given"
    assert np.array_equal(past.y, past_before, equal_nan=True), "fit must not change the panel it was given"
    again = copy.deepcopy(preprocessor).fit(past).transform(panel)
    assert np.array_equal(again.y, transformed.y, equal_nan=True), "fitting twice must give the same numbers"


def check_network(network: Network, window: Window, n_samples: int = 5) -> None:
    """Check that the laws of a network hold.

    ``loss`` gives one finite number a window and has a gradient; it ignores missing values. ``sample`` gives
    (B, S, H, C) and ignores the future. In evaluation mode the loss of a window does not depend on its batch.

    Args:
        network: a ``torch.nn.Module`` with ``loss``, ``sample`` and ``levels``.
        window: a batch of at least two windows that fits it (``make_window`` makes one).
        n_samples: S draws.

    Raises:
        AssertionError: a law does not hold; the message names it.

    Example:
        >>> from tsformers.forecasters.autoformer.forecaster import Autoformer
        >>> check_network(Autoformer(horizon=4, context_length=16).build(1, 0, 0, 0), make_window(2, 16, 4))
    """
    assert isinstance(network, torch.nn.Module), "a network is a torch.nn.Module"
    batch, horizon, channels = window.future.shape
    network.train()
    loss = network.loss(window)
    assert loss.shape == (batch,), f"loss must have shape ({batch},), one number a window, not {tuple(loss.shape)}"
    assert bool(torch.isfinite(loss).all()), "loss must be finite"
    torch.autograd.backward(loss.mean())
    assert any(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in network.parameters()), (
        "no parameter got a gradient"
    )
    network.zero_grad(set_to_none=True)
    network.eval()
    with torch.no_grad():
        loss = network.loss(window)
        changed = window._replace(
            future=torch.where(window.future_observed, window.future, torch.full_like(window.future, 1e3))
        )
        assert torch.equal(loss, network.loss(changed)), "loss must ignore missing future values"
        alone = network.loss(
            window._replace(**{name: part[:1] for name, part in window._asdict().items() if part is not None})
        )
        assert torch.allclose(loss[:1], alone, rtol=1e-4, atol=1e-5), (
            "in evaluation mode the loss must not depend on the batch"
        )
        draws = _seeded(lambda: network.sample(window, n_samples))
        expected = (batch, len(network.levels) if network.levels else n_samples, horizon, channels)
        assert draws.shape == expected, f"sample must have shape {expected}, not {tuple(draws.shape)}"
        assert bool(torch.isfinite(draws).all()), "samples must be finite"
        blind = window._replace(
            future=torch.full_like(window.future, 7.0), future_observed=torch.zeros_like(window.future_observed)
        )
        assert torch.equal(draws, _seeded(lambda: network.sample(blind, n_samples))), "sample must ignore the future"


def check_procedure(procedure: Procedure, n_tests: int = 200, seed: int = 0) -> None:
    """Check that the laws of an online testing procedure hold.

    The level of a test does not depend on its own p-value and lies in [0, 1]; the test is rejected when the p-value is
    at or below it. The state is serialisable as JSON; a procedure resumed from it gives the same answers. p-values
    outside [0, 1] are refused.

    Args:
        procedure: at its start; it is deep-copied.
        n_tests: length of the stream, a fifth of it tiny p-values.
        seed: of the stream.

    Raises:
        AssertionError: a law does not hold; the message names it.

    Example:
        >>> class Fixed:
        ...     def __init__(self): self.state = {"t": 0}
        ...     def test(self, p):
        ...         if not 0 <= p <= 1:
        ...             raise ValueError(f"{p} is no p-value")
        ...         self.state["t"] += 1
        ...         return 0.01, p <= 0.01
        ...     @classmethod
        ...     def from_state(cls, state):
        ...         new = cls()
        ...         new.state = dict(state)
        ...         return new
        >>> check_procedure(Fixed())
    """
    rng = np.random.default_rng(seed)
    stream = np.where(rng.random(n_tests) < 0.2, rng.random(n_tests) * 1e-6, rng.random(n_tests))
    running = copy.deepcopy(procedure)
    for t, p in enumerate(stream):
        level, _ = copy.deepcopy(running).test(float(rng.random()))
        resumed = type(running).from_state(json.loads(json.dumps(running.state)))  # type: ignore[attr-defined]
        actual = running.test(float(p))
        assert actual[0] == level, f"the level of test {t + 1} depends on its own p-value"
        assert 0 <= level <= 1, f"the level of test {t + 1} is {level}"
        assert actual[1] == (p <= level), f"test {t + 1}: rejected must mean p <= level"
        assert resumed.test(float(p)) == actual, f"a procedure resumed from its state differs at test {t + 1}"
    for wrong in (-0.1, 1.1):
        try:
            copy.deepcopy(running).test(wrong)
        except ValueError:
            continue
        raise AssertionError(f"test({wrong}) must raise a ValueError")


def _random_state() -> tuple[bytes, int, bytes]:
    numpy_state: Any = np.random.get_state()
    return numpy_state[1].tobytes(), int(numpy_state[2]), torch.get_rng_state().numpy().tobytes()


def _settings(model: Any) -> dict[str, Any]:
    return model.get_params() if hasattr(model, "get_params") else {}


def _copy(model: Any) -> Any:
    return clone(model) if hasattr(model, "get_params") else copy.deepcopy(model)


def _check_order(fresh: Any) -> None:
    wanted = "predict before fit must raise sklearn.exceptions.NotFittedError (check_is_fitted of scikit-learn does)"
    try:
        fresh.predict()
    except NotFittedError:
        return
    except Exception as error:
        raise AssertionError(f"{wanted}, not {type(error).__name__}: {error}") from error
    raise AssertionError(wanted)


def _check_settings(model: Any) -> None:
    assert _same_settings(model, clone(model)), "clone must keep every setting"
    assert clone(model).set_params(**model.get_params()).get_params().keys() == model.get_params().keys()
    assert type(model).__name__ in repr(model), "repr must name the class"


def _same_settings(a: Any, b: Any) -> bool:
    return repr(sorted(_settings(a).items())) == repr(sorted(_settings(b).items()))


def _check_answer(forecast: Forecast, panel: Panel, horizon: int) -> None:
    assert forecast.ids.equals(panel.ids), "the forecast must hold the panel's ids in its order"
    assert forecast.horizon == horizon, f"the forecast has {forecast.horizon} steps, not {horizon}"
    assert np.isfinite(forecast.values).all(), "the forecast must be finite"
    expected = future_times(panel.times[panel.ends - 1], horizon, panel.grid)
    assert np.array_equal(forecast.times, expected), "the forecast must begin right after each series' last row"
    levels = np.linspace(0.05, 0.95, 19)
    assert (np.diff(forecast.quantile(levels), axis=1) >= 0).all(), "quantiles must not cross"


def _check_no_look_ahead(fitted: Any, frame: pd.DataFrame) -> None:
    last = frame.groupby("unique_id")["ds"].transform("max")
    early = frame[frame["ds"] < last]
    expected = fitted.predict(early, seed=1)
    fitted.predict(frame, seed=1)
    assert _equal(expected, fitted.predict(early, seed=1)), (
        "a longer history predicted before must not change a forecast"
    )
    panel = Panel.from_frame(frame)
    assert _equal(expected, fitted.predict(panel.until(panel.ends - 1), seed=1)), (
        "rows after the cutoff must not be read"
    )


def _check_missing(seeded: Any, frame: pd.DataFrame) -> None:
    holes = frame.copy()
    holes.loc[holes.groupby("unique_id").cumcount() % 9 == 4, "y"] = np.nan
    forecast = _copy(seeded).fit(holes).predict(seed=1)
    assert np.isfinite(forecast.values).all(), "missing values must give finite forecasts"


def _check_integer_time(seeded: Any, frame: pd.DataFrame) -> None:
    counted = frame.assign(ds=frame.groupby("unique_id").cumcount() * 2)
    forecast = _copy(seeded).fit(counted).predict(seed=1)
    last = counted.groupby("unique_id")["ds"].max().to_numpy()
    assert np.array_equal(forecast.times[:, 0], last + 2), "integer time must continue by its own step"


def _check_storage(fitted: Any, expected: Forecast) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "model"
        fitted.save(place)
        suffixes = {path.suffix for path in place.rglob("*") if path.is_file()}
        assert suffixes <= {".json", ".safetensors"}, f"a saved model is JSON and safetensors, not {sorted(suffixes)}"
        loaded = storage.load(place, {type(fitted).__name__: type(fitted)})
        assert _equal(expected, loaded.predict(seed=1)), "a loaded model must forecast what the saved one did"


def _check_changed_settings(fitted: Any) -> None:
    others: dict[type, Callable[[Any], object]] = {  # another value of the same kind
        bool: lambda value: not value,
        int: lambda value: value + 1,
        float: lambda value: value + 1,
        str: lambda value: value + "_",
        type(None): lambda _: 1,
    }
    names = [name for name in _settings(fitted) if "__" not in name]
    for name, value in ((name, getattr(fitted, name)) for name in names):
        if type(value) not in others:
            continue
        changed = copy.deepcopy(fitted).set_params(**{name: others[type(value)](value)})
        with tempfile.TemporaryDirectory() as folder:
            try:
                expected = changed.predict(seed=1)
                changed.save(Path(folder) / "model")
            except Exception:  # refused, which is one of the two answers allowed
                continue
            law = f"{name}, changed after fit, must be refused or mean the same after save and load"
            try:
                loaded = storage.load(Path(folder) / "model", {type(fitted).__name__: type(fitted)})
                assert _equal(expected, loaded.predict(seed=1)), law
            except (ValueError, RuntimeError, TypeError) as error:
                raise AssertionError(law) from error


def _equal(a: Forecast, b: Forecast) -> bool:
    same = a.ids.equals(b.ids) and np.array_equal(a.times, b.times) and a.counts == b.counts
    return same and np.array_equal(a.values, b.values)


def _as_forecast(panel: Panel, y: np.ndarray, horizon: int) -> Forecast:
    rows = panel.ends[:, None] - horizon + np.arange(horizon)
    return Forecast(panel.ids, panel.times[rows], y[rows][:, None, :], grid=panel.grid, schema=panel.schema)


def _seeded(draw: Callable[[], Tensor]) -> Tensor:
    with torch.random.fork_rng(), warnings.catch_warnings():
        torch.manual_seed(0)
        return draw()
