"""A model that cannot use the covariates it was given says so, once and before work."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans

import tsformers as tsf
from tsformers.catalog import CLUSTERERS, FORECASTERS, load_public
from tsformers.data.unused_covariates import roles_used, warn_unused_covariates
from tsformers.messages import message_of

WITHOUT = {"SeasonalNaive", "HoltWinters", "AutoETS", "Theta", "Intermittent"}
SIZES = {"Autoformer": {"d_model": 8, "d_ff": 8, "n_heads": 2}, "REDSDS": {"n_regimes": 2}}


def frame(n=40):
    days = pd.date_range("2024-01-01", periods=n)
    price = np.random.default_rng(0).integers(1, 4, n) * 1.0
    return pd.DataFrame({"unique_id": "a", "ds": days, "y": np.sin(np.arange(n)) + 2 + price, "price": price})


def plan(n=40, horizon=3):
    days = pd.date_range("2024-01-01", periods=n + horizon)[n:]
    return pd.DataFrame({"unique_id": "a", "ds": days, "price": 2.0})


def small(name):
    kind = load_public(name)
    if name == "Auto":
        return kind(horizon=3, models=["AutoARIMA"], time_limit=None, season_length=1, seed=0)
    if name == "Blend":
        return kind(horizon=3, season_length=1, max_steps=10, seed=0, verbose=False)
    if name in WITHOUT | {"AutoARIMA"}:
        return kind(horizon=3, season_length=1, seed=0)
    return kind(horizon=3, context_length=8, max_steps=1, seed=0, verbose=False, **SIZES.get(name, {}))


def heard(call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    return [entry.message for entry in caught if isinstance(entry.message, tsf.DataWarning)]


@pytest.mark.parametrize("name", FORECASTERS)
def test_every_forecaster_says_whether_it_uses_covariates_and_keeps_to_it(name):
    """A forecaster that uses covariates forecasts otherwise where they are others; one that does not warns."""
    model = small(name)
    data = frame().round({"y": 0}) if name == "Intermittent" else frame()
    said = heard(lambda: model.fit(data, known=["price"]))
    draws = [model.predict(future=plan().assign(price=price), n_samples=20, seed=1).values for price in (1.0, 3.0)]
    assert model.uses_covariates is (name not in WITHOUT)
    assert np.array_equal(*draws) is (name in WITHOUT)
    if name in WITHOUT:
        (one,) = said
        assert str(one).startswith(f"{name} takes no covariates; known=['price'] is not used: leave it out, or choose")
        assert "--known price" in message_of(one, "shell") and " --" not in str(one)
    else:
        assert said == []


@pytest.mark.parametrize("name", CLUSTERERS)
def test_no_clusterer_uses_covariates(name):
    model = (
        tsf.ByFeatures(KMeans(2))
        if name == "ByFeatures"
        else load_public(name)(n_clusters=2, **({"size": 8} if name == "Coreset" else {}))
    )
    with pytest.warns(tsf.DataWarning, match=f"{name} takes no covariates; known="), pytest.raises(tsf.DataError):
        model.fit(pd.DataFrame({"whatever": []}), known=["price"])  # said before the data are read


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: tsf.Pipeline([tsf.Scale()], small("Theta")), "Theta takes no covariates"),
        (lambda: tsf.Ensemble([small("Theta"), small("SeasonalNaive")]), "Ensemble takes no covariates"),
        (lambda: tsf.Clustered(tsf.ByFeatures(KMeans(1)), small("Theta")), "Theta takes no covariates"),
        (
            lambda: tsf.Clustered(tsf.ByFeatures(KMeans(1)), small("LRU"), aggregate=True),
            "Clustered takes no covariates",
        ),
    ],
)
def test_composed_models_warn_once_for_their_forecasters(make, named):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        (one,) = heard(lambda: make().fit(frame(), known=["price"]))
    assert str(one).startswith(named)


def test_composed_models_with_a_forecaster_that_uses_covariates_are_quiet():
    assert heard(lambda: tsf.Pipeline([], small("LRU")).fit(frame(), known=["price"])) == []
    assert tsf.Ensemble([small("Theta"), small("LRU")]).uses_covariates
    assert not tsf.Ensemble([small("Theta")]).uses_covariates


def test_statics_are_asked_for_and_columns_that_nobody_asked_for_are_not():
    static = pd.DataFrame({"unique_id": ["a"], "size": [1.0]})
    (one,) = heard(lambda: small("Theta").fit(frame(), static=static, known=["price"]))
    assert "known=['price'] and static= are not used: leave them out" in str(one)
    assert heard(lambda: small("Theta").fit(frame())) == []


def composed(model):
    """The model, and models made of it that read what it reads."""
    return [model, tsf.Pipeline([tsf.Scale()], model), tsf.Ensemble([model, small("Theta")])]


@pytest.mark.parametrize("model", composed(small("AutoARIMA")), ids=lambda model: type(model).__name__)
def test_local_models_read_known_covariates_only(model):
    assert roles_used(model) == ("known",)
    assert heard(lambda: warn_unused_covariates(model, {"known": ["price"]})) == []
    (one,) = heard(lambda: warn_unused_covariates(model, {"known": ["a"], "past": ["b"]}))
    assert str(one) == (
        f"{type(model).__name__} takes known covariates only; past=['b'] is not used: leave it out, or choose LRU, "
        "Autoformer or REDSDS"
    )


def test_a_forecaster_that_is_offered_reads_what_was_asked_for():
    (known,) = heard(lambda: warn_unused_covariates(small("Theta"), {"known": ["a"]}))
    (past,) = heard(lambda: warn_unused_covariates(small("Theta"), {"known": ["a"], "past": ["b"]}))
    assert "choose AutoARIMA, LRU" in str(known) and "AutoARIMA" not in str(past)
    assert heard(lambda: warn_unused_covariates([small("AutoARIMA"), small("LRU")], {"past": ["b"]})) == []


def test_a_multivariate_network_takes_no_statics():
    static = pd.DataFrame({"unique_id": ["a"], "size": [1.0]})
    model = small("LRU").set_params(multivariate=True)
    (one,) = heard(lambda: model.fit(frame(), static=static))
    assert str(one).startswith(
        "LRU with multivariate=True takes no statics; static= is not used: leave it out, or set multivariate=False"
    )
    assert "--set multivariate=false" in message_of(one, "shell")


def test_what_was_said_is_right_when_followed():
    assert heard(lambda: small("Theta").fit(frame())) == []  # left out
    assert heard(lambda: small("LRU").fit(frame(), known=["price"]).predict(future=plan())) == []  # chosen


@pytest.mark.parametrize("name", ["SeasonalNaive", "LRU"])
@pytest.mark.parametrize("given", [plan(), pd.DataFrame({"whatever": [1]})])
def test_a_future_without_known_is_told_of(name, given):
    model = small(name).fit(frame())
    (one,) = heard(lambda: model.predict(future=given))
    assert "future= is not used, since no covariate is known in advance; fit with known=" in str(one)
    assert ("['price']" in str(one)) is ("price" in given)
    assert message_of(one, "shell").startswith("--future is not used")


def test_a_backtest_warns_where_no_model_uses_them():
    models = {"naive": small("SeasonalNaive"), "theta": small("Theta")}
    (one,) = heard(lambda: tsf.backtest(models, frame(), windows=1, known=["price"]))
    assert str(one).startswith("SeasonalNaive and Theta take no covariates; known=['price'] is not used")
    assert heard(lambda: tsf.backtest({**models, "lru": small("LRU")}, frame(), windows=1, known=["price"])) == []


def test_a_detector_warns_of_statics():
    static = pd.DataFrame({"unique_id": ["a"], "size": [1.0]})
    detector = tsf.AnomalyDetector(small("SeasonalNaive"), calibration=20)
    (one,) = [str(each) for each in heard(lambda: detector.fit(frame(), static=static)) if "covariates" in str(each)]
    assert one.startswith("SeasonalNaive takes no covariates; static= is not used")


def test_a_model_that_does_not_say_is_not_warned_of():
    assert heard(lambda: warn_unused_covariates(object(), {"known": ["price"]})) == []
