"""The peer of the speed table is a fair one: it computes what the authors' code computes."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest
import torch

SOURCE = Path(__file__).resolve().parents[2] / "benchmarks" / "plain_autoformer.py"
RENAMED = [
    (r"([a-z]+)_projection\.", r"\1."),
    (r"conv1\.", "feed_forward.first."),
    (r"conv2\.", "feed_forward.second."),
    (r"enc_embedding\.", "embed_past."),
    (r"dec_embedding\.", "embed_future."),
    (r"value_embedding\.tokenConv\.", "values."),
    (r"temporal_embedding\.embed\.", "covariates."),
    (r"encoder\.attn_layers\.", "encoder."),
    (r"decoder\.layers\.", "decoder."),
    (r"(en|de)coder\.norm\.layernorm\.", r"\1coder_norm.norm."),
    (r"^decoder\.projection\.", "seasonal."),
    (r"(^|\.)projection\.", r"\1trend."),
]


def plain_name(name):
    for theirs, replacement in RENAMED:
        name = re.sub(theirs, replacement, name)
    return name


@pytest.mark.parametrize("mode", ["eval", "train"])
def test_the_plain_transcription_gives_the_authors_forecast_and_gradients(shared, mode):
    spec = importlib.util.spec_from_file_location("plain_autoformer", SOURCE)
    transcription = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(transcription)
    vectors = np.load(shared / "golden" / "autoformer" / "model_small.npz")
    model = transcription.PlainAutoformer(5, 4, 16, 4, 32, 0.0).double().train(mode == "train")
    weights = {plain_name(key[6:]): torch.from_numpy(vectors[key]) for key in vectors.files if key[:6] == "param."}
    model.load_state_dict(weights)
    answer = model(*(torch.from_numpy(vectors[name]) for name in ("x_enc", "x_mark_enc", "x_mark_dec")), 36)
    np.testing.assert_allclose(answer.detach(), vectors[f"y_{mode}"], rtol=1e-9, atol=1e-11)
    if mode == "train":
        (answer - torch.from_numpy(vectors["target"])).square().mean().backward()
        theirs = {plain_name(key[11:]): vectors[key] for key in vectors.files if key.startswith("grad_train.")}
        for name, p in model.named_parameters():
            np.testing.assert_allclose(p.grad, theirs[name], rtol=1e-9, atol=1e-11)
