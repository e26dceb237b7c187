"""Models and a stream's state as the version before wrote them; ``cases/saved.py`` loads them."""

import contextlib
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tsformers as tsf
from fixed_point import models as made
from fixed_point.command_line import run
from fixed_point.data import counts, daily, even, hourly, two_kinds, with_covariates
from fixed_point.registry import alone

STREAM = "stream.state"


def with_roles(model: Any) -> Any:
    """Fitted with a known and a past covariate and statics."""
    frame, _, static = with_covariates()
    return model.fit(frame, known=["price"], static=static)


def local(kind: Any, **settings: Any) -> Callable[[], Any]:
    """A forecaster of one series at a time."""
    return lambda: kind(horizon=4, **made.QUIET, **settings).fit(daily(2, 40))


def on(frame: Any, make: Callable[..., Any], **settings: Any) -> Callable[[], Any]:
    """A model fitted on the frame."""
    return lambda: make(**settings).fit(frame())


def days() -> Any:
    """What most are fitted on."""
    return daily(2, 40)


FORECASTERS: dict[str, Callable[[], Any]] = {
    "SeasonalNaive": local(tsf.SeasonalNaive),
    "HoltWinters": local(tsf.HoltWinters),
    "AutoETS": local(tsf.AutoETS),
    "AutoARIMA": local(tsf.AutoARIMA, max_p=2, max_seasonal=1, max_order=2),
    "Theta": local(tsf.Theta),
    "Linear": on(days, made.linear),
    "Linear_quantile": on(days, made.linear, likelihood="quantile", decompose=True),
    "Autoformer": on(days, made.autoformer),
    "Autoformer_paper": on(lambda: even(2, 40), made.paper_toy),
    "LRU": on(days, made.lru),
    "LRU_s4d": on(days, made.lru, cell="s4d"),
    "LRU_gru": lambda: made.gru(**made.lru_size()).fit(days()),
    "LRU_gru_paths": lambda: made.gru(**made.lru_size(decoding="autoregressive", likelihood="normal")).fit(days()),
    "LRU_paths_counts": on(
        counts, made.lru, decoding="autoregressive", likelihood="negative_binomial", scaler="mean_abs"
    ),
    "REDSDS": lambda: tsf.REDSDS(**made.redsds_size()).fit(days()),
    "REDSDS_annealed": on(days, made.annealed),
    "REDSDS_geometric": lambda: tsf.REDSDS(**made.redsds_size(durations="geometric", residual=True)).fit(days()),
    "Ensemble": lambda: tsf.Ensemble([made.naive(), made.linear()], weights=[1.0, 2.0], seed=0).fit(days()),
    "Pipeline": lambda: tsf.Pipeline(
        [tsf.Scale("robust"), tsf.TrendSeasonalDecomposition(n_jobs=1, verbose=False)], made.theta(season_length=1)
    ).fit(days()),
    "Pipeline_adjusted": lambda: tsf.Pipeline([tsf.AutocorrelatedErrors()], made.linear()).fit(days()),
    "Pipeline_adjusted_local": lambda: tsf.Pipeline([tsf.AutocorrelatedErrors()], made.theta()).fit(days()),
    "Clustered": lambda: tsf.Clustered(made.mixture(), made.naive()).fit(two_kinds()),
    "Clustered_sum": lambda: tsf.Clustered(made.mixture(), made.theta(season_length=1), aggregate=True).fit(
        two_kinds()
    ),
}
COVARIATES: dict[str, Callable[[], Any]] = {
    "covariates_Autoformer": lambda: with_roles(made.autoformer()),
    "covariates_LRU": lambda: with_roles(made.lru()),
    "covariates_REDSDS": lambda: with_roles(made.annealed()),
}
CLUSTERERS: dict[str, Callable[[], Any]] = {
    "MixSeq": on(two_kinds, made.transformer_mixture),
    "MixSeq_ar": on(two_kinds, made.mixture),
    "ByFeatures": on(two_kinds, made.by_features),
}
PREPROCESSORS: dict[str, Callable[[], Any]] = {
    "Scale": lambda: tsf.Scale().fit(tsf.Panel.from_frame(days())),
    "TrendSeasonalDecomposition": lambda: tsf.TrendSeasonalDecomposition("stl", n_jobs=1, verbose=False).fit(
        tsf.Panel.from_frame(days())
    ),
}
DETECTORS: dict[str, Callable[[], Any]] = {
    "detector": lambda: made.detector(refresh=2).fit(hourly(96)),
    "detector_conformal": lambda: made.detector(
        p_value=tsf.anomaly.ConformalP(window=30), control=tsf.fdr.SAFFRON(0.2, decay=0.9), scope="series"
    ).fit(hourly(96)),
    "detector_LRU": lambda: made.detector(made.lru(), refresh=4).fit(hourly(96)),
}
OTHERS: dict[str, Callable[[], Any]] = {"Coreset": lambda: tsf.Coreset(60, 2, seed=0).fit(two_kinds())}


def save_models(folder: Path) -> None:
    """Train all and keep them under ``folder``, which is emptied first."""
    with alone():
        for name, make in (FORECASTERS | COVARIATES | CLUSTERERS | PREPROCESSORS | DETECTORS | OTHERS).items():
            tsf.save(make(), f"{name}")
        hourly(40, 3, "2024-01-05", seed=1).to_csv("rows.csv", index=False)
        run("detect", "--model", "detector", "rows.csv", "-o", "out.csv", "--state", STREAM)
        for path in ("rows.csv", "out.csv"):
            Path(path).unlink()
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(".", folder)


@contextlib.contextmanager
def copied(folder: Path) -> Any:
    """A copy of the folder to work in, so that the store is never written to."""
    with tempfile.TemporaryDirectory() as place, contextlib.chdir(place):
        shutil.copytree(folder, "saved")
        yield Path("saved")
