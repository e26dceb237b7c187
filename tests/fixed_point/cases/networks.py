"""Linear, Autoformer and LRU: forecasts after a few steps of training, and what else they tell."""

from typing import Any, ClassVar

import numpy as np
import torch

import tsformers as tsf
from fixed_point.data import counts, daily, even, gaps, tiny, with_covariates
from fixed_point.models import autoformer, gru, linear, lru, lru_size, paper_toy
from fixed_point.registry import case

LIKELIHOODS = ("normal", "student_t", "quantile", "quantile_function", "squared_error")


def forecast(model: Any, **more: Any) -> dict[str, Any]:
    """What a fitted model says, with the losses of its training."""
    history = model.history_.drop(columns="seconds")
    return {"forecast": model.predict(n_samples=10, seed=1), "history": history} | more


def with_roles(model: Any) -> dict[str, Any]:
    """Forecast of a model with known and past covariates and statics, also of rows it has not been fitted on."""
    frame, future, static = with_covariates()
    model.fit(frame, known=["price"], static=static)
    some = frame.groupby("unique_id").head(40)
    ahead = frame.groupby("unique_id").nth(slice(40, 44))[["unique_id", "ds", "price"]]
    earlier = model.predict(some, future=ahead, static=static, n_samples=10, seed=2)
    return {"forecast": model.predict(future=future, n_samples=10, seed=1), "earlier": earlier}


def register(name: str, make: Any, frame: Any = lambda: daily(3, 60)) -> None:
    """A case: the model fitted on the frame."""
    case(name, trained=True)(lambda: forecast(make().fit(frame())))


for likelihood in LIKELIHOODS:
    register(f"Linear, {likelihood}", lambda likelihood=likelihood: linear(likelihood=likelihood))
    register(f"Autoformer, {likelihood}", lambda likelihood=likelihood: autoformer(likelihood=likelihood))
    register(f"LRU, {likelihood}", lambda likelihood=likelihood: lru(likelihood=likelihood))
for kind in (linear, autoformer, lru):
    name = {linear: "Linear", autoformer: "Autoformer", lru: "LRU"}[kind]
    negative = lambda kind=kind: kind(likelihood="negative_binomial", scaler="mean_abs")  # noqa: E731
    register(f"{name}, counts", negative, counts)
    register(f"{name}, gaps", lambda kind=kind: kind(scaler="robust"), gaps)
    register(f"{name}, one series of channels", lambda kind=kind: kind(multivariate=True), even)
    register(f"{name}, unscaled", lambda kind=kind: kind(scaler=None, schedule="constant", gradient_clip=0.5))
    case(f"{name}, covariates", trained=True)(lambda kind=kind: with_roles(kind()))
register("Linear, decomposed", lambda: linear(decompose=True, normalise=False, moving_average=7, weight_decay=0.1))
register("Linear, halving, early", lambda: linear(schedule="halving", max_epochs=3, early_stopping_patience=1))
register("Linear, context chosen", lambda: tsf.Linear(horizon=4, max_steps=4, seed=0, verbose=False))
register("Linear, long validation", lambda: linear(validation_windows=2, validation_stride=3, max_steps=40))
register("Autoformer, mean", lambda: autoformer(trend_start="mean", activation="relu", label_length=4, factor=1.0))
register("Autoformer, last", lambda: autoformer(trend_start="last", encoder_layers=1, decoder_layers=2, dropout=0.2))
register("Autoformer, whole numbers", autoformer, lambda: daily(2, 60, freq=2))
register("Autoformer, paper", paper_toy, even)
register("LRU, s4d", lambda: lru(cell="s4d"))
register("LRU, gru", lambda: gru(**lru_size()))
register("LRU, last", lambda: lru(start="last", n_layers=1, r_min=0.3, r_max=0.8, max_phase=1.0, dropout=0.3))
register("LRU, periods", lambda: lru(periods=(7,), d_state=24, recurrent_rate=0.1))
for cell in ("lru", "s4d"):
    register(f"LRU, {cell}, paths", lambda cell=cell: lru(cell=cell, decoding="autoregressive"))
register("LRU, gru, paths", lambda: gru(**lru_size(decoding="autoregressive", likelihood="normal")))
register(
    "LRU, counts, paths",
    lambda: lru(decoding="autoregressive", likelihood="negative_binomial", scaler="mean_abs"),
    counts,
)


@case("Autoformer tells its parts and periods", trained=True)
def parts():
    model = autoformer().fit(daily(3, 60))
    later = daily(2, 66, seed=1)
    return {
        "parts": model.decompose(),
        "parts of others": model.decompose(later),
        "periods": model.periods(),
        "others": model.predict(later, n_samples=5, seed=0),
    }


@case("Linear goes on", trained=True)
def warm():
    model = linear().fit(daily(3, 60))
    return forecast(model.fit(daily(3, 62), warm_start=True), others=model.predict(daily(2, 50, seed=2), n_samples=5))


class Poisson:
    """The interface of GluonTS's outputs, without its network libraries."""

    args_dim: ClassVar = {"rate": 1}
    event_shape = ()

    def get_args_proj(self, in_features: int) -> Any:
        """Features to parameters."""
        return Rates(in_features)

    def distribution(self, distr_args: Any, loc: Any = None, scale: Any = None) -> Any:
        """Parameters to a distribution."""
        return torch.distributions.Poisson(distr_args[0] if scale is None else distr_args[0] * scale)


class Rates(torch.nn.Module):
    """One rate."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.rate = torch.nn.Linear(width, 1)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor]:
        """Above zero."""
        return (torch.nn.functional.softplus(self.rate(x))[..., 0],)


register("LRU, an output of GluonTS", lambda: lru(likelihood=Poisson(), scaler="mean_abs"), counts)
register("Linear, an output of GluonTS", lambda: linear(likelihood=Poisson(), scaler="mean_abs"), counts)


def next_step(found: Any) -> dict[str, Any]:
    """All answers of the distribution of the next value."""
    return {
        "times": found.times,
        "mean": found.mean,
        "median": found.median,
        "quantile": found.quantile([0.05, 0.5, 0.9]),
        "interval": found.interval(0.8),
        "cdf": found.cdf(np.full(len(found), 12.0)),
        "sample": found.sample(5, seed=0),
    }


def streamed(model: Any, frame: Any, **roles: Any) -> dict[str, Any]:
    """A stream's answers to some values, missing ones among them, before and after it is put back."""
    model.fit(frame, **roles)
    stream, rng = model.stream(), np.random.default_rng(0)
    n = len(stream)
    collected = {"first": next_step(stream.next)}
    for k in range(4):
        y = 12 + rng.normal(size=n)
        y[k % n] = np.nan
        collected[f"{k}"] = next_step(stream.update(y))
    kept = stream.snapshot()
    collected["one series"] = next_step(stream.update([11.0], ids=[stream.ids[-1]]))
    collected["put back"] = next_step(model.stream().restore(kept).update(np.full(n, 13.0)))
    return collected


for likelihood in ("normal", "student_t", "quantile_function"):
    case(f"LRU stream, {likelihood}", trained=True)(
        lambda likelihood=likelihood: streamed(lru(likelihood=likelihood), daily(3, 60))
    )
for cell in ("lru", "s4d"):
    case(f"LRU stream, {cell}, paths", trained=True)(
        lambda cell=cell: streamed(lru(cell=cell, decoding="autoregressive"), gaps())
    )
case("LRU stream, gru", trained=True)(lambda: streamed(gru(**lru_size()), daily(3, 60)))
case("LRU stream, counts", trained=True)(
    lambda: streamed(lru(likelihood="negative_binomial", scaler="mean_abs"), counts())
)


@case("LRU stream, frozen units and covariates", trained=True)
def stream_of_covariates():
    frame, future, static = with_covariates()
    model = tsf.LRU(**lru_size()).fit(frame, known=["price"], static=static)
    stream = model.stream(future=future.groupby("unique_id").head(1), units="frozen")
    first = next_step(stream.next)
    later = next_step(stream.update([11.0, 22.0, 33.0], known=[[0.1], [0.2], [0.3]], past=[[1.0], [np.nan], [2.0]]))
    return {"first": first, "later": later}


@case("Linear, defaults of a short run", trained=True)
def defaults():
    return forecast(tsf.Linear(**tiny(max_steps=3)).fit(daily(2, 80, freq="h")))
