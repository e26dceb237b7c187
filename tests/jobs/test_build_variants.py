"""Variants of a class in job files, and settings of former versions."""

import pytest

from tsformers import Autoformer
from tsformers.errors import JobError
from tsformers.jobs.build import build, find_variant


def test_a_variant_is_the_class_method_and_other_keys_override_it():
    chosen = {"horizon": 24, "d_model": 64, "d_ff": 256}
    model = build("Autoformer.paper", chosen, place="here", defaults={"seed": 3, "context_length": 36})
    expected = Autoformer.paper(24, d_model=64, d_ff=256, seed=3, context_length=36)
    assert model.get_params() == expected.get_params()
    inner = {"horizon": 4, "models": [{"class": "Autoformer.paper", "horizon": 4}]}
    assert build("Ensemble", {"models": inner["models"]}, place="here").models[0].scaler is None


@pytest.mark.parametrize("name", ["Autoformer.papre", "Autoformer.fit", "Autoformer._get_param_names", "Theta.paper"])
def test_an_unknown_variant_is_refused_by_name(name):
    with pytest.raises(JobError, match=f"^here: {name.partition('.')[0]} has no variant '{name.partition('.')[2]}'; "):
        build(name, {"horizon": 4}, place="here")


def test_a_plug_in_may_have_a_dot_in_its_name():
    assert find_variant("my.model", {"my.model": Autoformer}) == (Autoformer, "")


def test_a_variant_without_its_horizon_is_refused():
    with pytest.raises(JobError, match=r"here: Autoformer refuses its settings: .*horizon"):
        build("Autoformer.paper", {}, place="here")


def test_the_former_preset_is_refused_with_the_class_to_write():
    with pytest.raises(
        JobError, match=r"here: Autoformer has no setting 'preset' any more; .*Autoformer\.paper\("
    ) as error:
        build("Autoformer", {"horizon": 4, "preset": "paper"}, place="here")
    assert 'class = "Autoformer.paper"' in error.value.message.text("job")
    assert "--model Autoformer.paper" in error.value.message.text("shell")
