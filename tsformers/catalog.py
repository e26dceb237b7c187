"""The modules of all public names, in literal tables: the only place where a name becomes a class."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

FORECASTERS = {
    "SeasonalNaive": "tsformers.forecasters.seasonal_naive",
    "HoltWinters": "tsformers.forecasters.holt_winters",
    "AutoETS": "tsformers.forecasters.auto_ets",
    "AutoARIMA": "tsformers.forecasters.auto_arima",
    "Theta": "tsformers.forecasters.theta",
    "Blend": "tsformers.forecasters.blend.forecaster",
    "Intermittent": "tsformers.forecasters.intermittent.forecaster",
    "Linear": "tsformers.forecasters.linear",
    "Autoformer": "tsformers.forecasters.autoformer.forecaster",
    "LRU": "tsformers.forecasters.lru.forecaster",
    "REDSDS": "tsformers.forecasters.redsds.forecaster",
    "Auto": "tsformers.compose.auto.forecaster",
}

PREPROCESSORS = {
    "Scale": "tsformers.preprocessing.scale",
    "Bounded": "tsformers.preprocessing.bounded",
    "TrendSeasonalDecomposition": "tsformers.preprocessing.trend_seasonal",
    "AutocorrelatedErrors": "tsformers.preprocessing.autocorrelated_errors",
}
CLUSTERERS = {
    "MixSeq": "tsformers.clustering.mixseq.clusterer",
    "ByFeatures": "tsformers.clustering.by_features",
    "Coreset": "tsformers.clustering.coreset.coreset",
}

OTHERS = {
    "DataError": "tsformers.errors",
    "DataWarning": "tsformers.errors",
    "JobError": "tsformers.errors",
    "Panel": "tsformers.data.panel",
    "describe": "tsformers.diagnostics.description",
    "from_wide": "tsformers.data.intake.wide",
    "resample": "tsformers.data.resample",
    "Forecast": "tsformers.data.forecast",
    "from_gluonts": "tsformers.data.gluonts",
    "Pipeline": "tsformers.compose.pipeline",
    "Clustered": "tsformers.compose.clustered",
    "Ensemble": "tsformers.compose.ensemble",
    "Conformal": "tsformers.compose.conformal",
    "AnomalyDetector": "tsformers.anomaly.detector",
    "load": "tsformers.storage.folder",
    "save": "tsformers.storage.folder",
    "score": "tsformers.scoring.table",
    "backtest": "tsformers.evaluation.rolling",
    "load_dataset": "tsformers.datasets.load",
}

PUBLIC = FORECASTERS | PREPROCESSORS | CLUSTERERS | OTHERS

# Submodules that are attributes of tsformers: tsf.scoring.crps_samples
SUBMODULES = ("anomaly", "fdr", "hsmm", "nn", "scoring", "simulate", "testing")

# Classes besides the forecasters that saved models and job files name
MODELS = ("Pipeline", "Clustered", "Ensemble", "Conformal", "AnomalyDetector", *PREPROCESSORS, *CLUSTERERS)

# Classes of scikit-learn that are settings of ByFeatures: saved, and named in job files, as ours are
OUTSIDE = {
    "KMeans": "sklearn.cluster",
    "MiniBatchKMeans": "sklearn.cluster",
    "BisectingKMeans": "sklearn.cluster",
    "AgglomerativeClustering": "sklearn.cluster",
    "SpectralClustering": "sklearn.cluster",
    "Birch": "sklearn.cluster",
    "GaussianMixture": "sklearn.mixture",
    "BayesianGaussianMixture": "sklearn.mixture",
}

# Outputs of GluonTS that are settings of networks: saved by the arguments they were made with
GLUONTS_OUTPUTS = dict.fromkeys(
    (
        "BetaOutput",
        "BinnedUniformsOutput",
        "GammaOutput",
        "GeneralizedParetoOutput",
        "ISQFOutput",
        "ImplicitQuantileNetworkOutput",
        "LaplaceOutput",
        "NegativeBinomialOutput",
        "NormalOutput",
        "PiecewiseLinearOutput",
        "PoissonOutput",
        "SplicedBinnedParetoOutput",
        "StudentTOutput",
        "TruncatedNormalOutput",
    ),
    "gluonts.torch.distributions",
)

# Procedures of online testing
PROCEDURES = {
    "LOND": "tsformers.fdr.lond",
    "AlphaSpending": "tsformers.fdr.alpha_spending",
    "MemoryLORD": "tsformers.fdr.memory_lord",
    "LORD": "tsformers.fdr.lord",
    "SAFFRON": "tsformers.fdr.saffron",
    "AlphaInvesting": "tsformers.fdr.alpha_investing",
    "ADDIS": "tsformers.fdr.addis",
    "OnlineBH": "tsformers.fdr.online_bh",
}

# Frozen dataclasses that are settings of models: saved by their fields
SETTINGS = {
    "ConformalP": "tsformers.anomaly.conformal",
    "PredictiveP": "tsformers.anomaly.predictive",
    "Widths": "tsformers.forecasters.redsds.architecture",
    "TemperatureAnnealing": "tsformers.forecasters.redsds.annealing",
    **PROCEDURES,
}

PLUGIN_GROUP = "tsformers.forecasters"  # entry points of installed packages that offer forecasters


def load_from(table: Mapping[str, str], name: str) -> Any:
    """What a table of this module names; its module is imported by this call.

    Args:
        table: modules by name.
        name: a key of it.

    Returns:
        The class or function.

    Raises:
        KeyError: the name is not in the table.

    Example:
        >>> load_from(PROCEDURES, "LORD").__name__
        'LORD'
    """
    return getattr(import_module(table[name]), name)


def load_public(name: str) -> object:
    """The public object called ``name``; its module is imported by this call.

    Args:
        name: a key of ``PUBLIC``.

    Returns:
        The class or function.

    Raises:
        KeyError: the name is not in the table.

    Example:
        >>> load_public("DataError").__name__
        'DataError'
    """
    return load_from(PUBLIC, name)


def plugin_names() -> list[str]:
    """Names that installed packages offer under the entry-point group ``tsformers.forecasters``.

    Returns:
        Names in alphabetical order.

    Example:
        >>> isinstance(plugin_names(), list)
        True
    """
    from importlib.metadata import entry_points  # slow to import

    return sorted(entry_points(group=PLUGIN_GROUP).names)


def find_class(name: str, extra: dict[str, type] | None = None) -> type:
    """The forecaster class called ``name``: the caller's own first, then those of tsformers, then installed plug-ins.

    Args:
        name: class name in the catalog, key of ``extra``, or name of an entry point.
        extra: classes of the caller's own, by name.

    Returns:
        The class.

    Raises:
        KeyError: no class has that name; the message lists those there are.

    Example:
        >>> find_class("Mine", {"Mine": dict}) is dict
        True
    """
    if extra and name in extra:
        return extra[name]
    if name in FORECASTERS:
        return load_from(FORECASTERS, name)
    from importlib.metadata import entry_points  # slow to import

    for point in entry_points(group=PLUGIN_GROUP, name=name):
        return point.load()
    offered = ", ".join([*FORECASTERS, *plugin_names(), *(extra or {})])
    raise KeyError(f"no forecaster is called {name!r}; on offer: {offered}")


def find_model(name: str, extra: dict[str, type] | None = None) -> type:
    """The class called ``name`` of a saved model: a forecaster, preprocessor, clusterer or composed model.

    Args:
        name: as for ``find_class``, or one of ``MODELS`` or ``OUTSIDE``.
        extra: classes of the caller's own, by name.

    Returns:
        The class.

    Raises:
        KeyError: no class has that name.

    Example:
        >>> find_model("Ensemble").__name__
        'Ensemble'
    """
    if name in (*MODELS, *OUTSIDE) and not (extra and name in extra):
        return load_from(PUBLIC | OUTSIDE, name)
    return find_class(name, extra)
