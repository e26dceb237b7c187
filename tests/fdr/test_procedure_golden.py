"""Levels and decisions beside stored ones: two published implementations and double loops, 2,000 p-values each.

Exact sums agree to 1e-13 relative, sums of exponentials to their tolerance. ``lord3_package`` alone is left out: it
holds rewards that a package credits late, and the published rule behind it has no proof.
"""

from dataclasses import replace

import numpy as np
import pytest

from tsformers.fdr import ADDIS, LOND, LORD, SAFFRON, AlphaInvesting, AlphaSpending, MemoryLORD, OnlineBH

STREAMS = ("mix5", "rare", "conservative", "bursts", "edge")
MADE_OF = {
    "lordpp_w0_0.01": LORD(0.1, w0=0.01),
    "lordpp_w0_0.05": LORD(0.1, w0=0.05),
    "saffron": SAFFRON(0.1, w0=0.05),
    "addis": ADDIS(0.1, w0=0.05),
    "lond": LOND(0.1),
    "lond_modified": LOND(0.1, modified=True),
    "dlord": LORD(0.1, w0=0.01, tau=0.5),
    "lord_dep": LORD(0.1, w0=0.01, dependent=True),
    "alpha_investing": AlphaInvesting(0.1, w0=0.05),
    "alpha_spending": AlphaSpending(0.1),
    "memlord_d0.99_eta0.5_L0": LORD(0.1, decay=0.99, eta=0.5),
    "memlord_d0.99_eta0.5_L5": LORD(0.1, decay=0.99, eta=0.5, lag=5, fade_in_flight=False),
    "decaylord_off": LORD(0.1, decay=0.99, gamma_size=200),
    "decaysaffron_off": SAFFRON(0.1, decay=0.99, gamma_size=200),
    "decayaddis_off": ADDIS(0.1, decay=0.99, gamma_size=200),
    "memlordpp_off": MemoryLORD(0.1, w0=0.05, decay=0.99, gamma_size=200),
    "lord_off_gamma200": LORD(0.1, w0=0.05, gamma_size=200),
}


@pytest.fixture(scope="module", params=STREAMS)
def stored(request, shared):
    with np.load(shared / "golden" / "online_fdr" / f"{request.param}.npz") as vectors:
        return dict(vectors)


@pytest.mark.parametrize("name", MADE_OF)
def test_exact_levels_are_the_stored_ones(stored, name):
    procedure = MADE_OF[name].fresh()
    if hasattr(procedure, "tolerance"):
        procedure = replace(procedure, tolerance=0)
    levels, rejected = procedure.test_many(stored["p"])
    np.testing.assert_allclose(levels, stored[f"{name}__level"], rtol=1e-13, atol=0)
    assert np.array_equal(rejected, stored[f"{name}__reject"])


@pytest.mark.parametrize("name", [name for name in MADE_OF if hasattr(MADE_OF[name], "tolerance")])
@pytest.mark.parametrize("tolerance", [1e-9, 1e-6])
def test_levels_in_constant_memory_are_the_stored_ones_or_a_trifle_below(stored, name, tolerance):
    levels, rejected = replace(MADE_OF[name], tolerance=tolerance).test_many(stored["p"])
    exact = stored[f"{name}__level"]
    assert (levels <= exact * (1 + 1e-12)).all()
    assert (levels >= exact * (1 - tolerance)).all()
    assert np.array_equal(rejected, stored[f"{name}__reject"])


@pytest.mark.parametrize("window", [2000, 10_000, None])
def test_the_prefix_rule_rejects_what_is_stored_at_a_level_known_before(stored, window):
    levels, rejected = OnlineBH(0.1, window=window).test_many(stored["p"])
    assert np.array_equal(rejected, stored["bh_prefix__reject"])
    for i in np.flatnonzero(rejected):  # the stored threshold is a p-value: the largest of those at or below the level
        so_far = stored["p"][: i + 1]
        assert stored["bh_prefix__level"][i] == so_far[so_far <= levels[i]].max()


def test_the_counts_of_the_specification_come_out(shared):
    with np.load(shared / "golden" / "online_fdr" / "mix5.npz") as vectors:
        p = vectors["p"]
    counts = {"lordpp_w0_0.01": 29, "lordpp_w0_0.05": 40, "saffron": 54, "addis": 56, "lond": 23, "alpha_spending": 8}
    counts |= {"alpha_investing": 40, "decaylord_off": 68, "decaysaffron_off": 61, "decayaddis_off": 53}
    assert {name: int(MADE_OF[name].fresh().test_many(p)[1].sum()) for name in counts} == counts
