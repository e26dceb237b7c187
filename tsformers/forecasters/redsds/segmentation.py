"""The regime of every step of series, and how much longer it is expected to last."""

from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
import torch
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from tsformers.data.dataframes import Frame, check_answer_columns, from_pandas, stamps
from tsformers.data.intake.ids import id_columns
from tsformers.data.panel import Panel
from tsformers.data.window_scaling import scale
from tsformers.data.windows import cut
from tsformers.errors import TsformersError
from tsformers.forecasters.fitted_settings import check_unchanged
from tsformers.forecasters.neural.validation import check_bare, check_like
from tsformers.forecasters.redsds.generative import Sequences
from tsformers.forecasters.redsds.inference import Encoded
from tsformers.forecasters.redsds.network import REDSDSNetwork, marginalise
from tsformers.forecasters.redsds.unused import MIN_STEPS, warn_of_unused
from tsformers.hsmm.inference import Posterior, viterbi
from tsformers.messages import Option
from tsformers.training.randomness import find_device
from tsformers.training.threads import limited_threads

MAX_STEPS = 1 << 18  # series times steps in one pass of the network
COLUMNS = ("regime", "probability", "expected_remaining")

Method = Literal["posterior", "viterbi"]


class Steps(NamedTuple):
    """The answer for each of R rows of history.

    Source: Ansari et al. (2021), RED-SDS, section 4.1.
    """

    regime: np.ndarray  # (R,) from 0
    probability: np.ndarray  # (R,) of that regime, given the whole series
    remaining: np.ndarray  # (R,) further steps that the regime is expected to last
    durations: np.ndarray  # (K, D), mean over the rows of the probabilities of lasting 1 .. D steps


def segment(model: Any, data: Frame | Panel, *, method: Method = "posterior", static: Frame | None = None) -> Frame:
    """The regime of every step of every series, given the whole series.

    States are the means of their posterior, so that the answer is deterministic; regimes and their ages are
    marginalised exactly. Series may be new, and of any length, also longer than the context; each is read as a whole,
    scaled by its own values (``scaler``). Steps without a value have a regime as others do. Regimes are numbered from 0
    in no particular order; a number means the same regime in all series.

    Args:
        model: a fitted REDSDS.
        data: a long frame or a Panel with the covariates of ``fit``.
        method: "posterior" gives the most probable regime of each step on its own, "viterbi" the most probable path.
        static: statics of the series of ``data``.

    Returns:
        Columns ``unique_id, ds`` (under the caller's names), ``regime``, ``probability`` (of this regime at this step)
        and ``expected_remaining`` (mean of the further steps of the regime by its duration distribution, given its age;
        a switch into the same regime counts as an end), in the caller's frame type.

    Raises:
        sklearn.exceptions.NotFittedError: before ``fit``.
        ValueError: ``method`` is unknown; a setting was changed since ``fit``.
        DataError: what ``Panel.from_frame`` refuses; covariates that differ from those of ``fit``; a column of ids or
            times has the name of a column of the answer.

    Example:
        >>> from tsformers import REDSDS
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(60), "y": np.sin(np.arange(60.0))})
        >>> model = REDSDS(horizon=2, context_length=16, n_regimes=2, max_steps=2, seed=0, verbose=False).fit(frame)
        >>> list(model.segment(frame))
        ['unique_id', 'ds', 'regime', 'probability', 'expected_remaining']

    Source: Ansari et al. (2021), RED-SDS, section 4.1.
    """
    check_ready(model)
    if method not in ("posterior", "viterbi"):
        raise TsformersError(Option("method", method), " is unknown; choose 'posterior' or 'viterbi'")
    check_answer_columns(model.panel_.schema, COLUMNS, "the answer")
    panel = model.panel_.like(data, static)
    check_like(model, panel)
    steps = segment_panel(model, panel, method)
    if (model.found_["share"] == 0).any() and model.usage_["step"].max() >= MIN_STEPS:  # collapsed in training too
        warn_of_unused(np.bincount(steps.regime, minlength=model.n_regimes), "the data")
    history = panel.in_history
    table = pd.DataFrame(
        {
            **id_columns(panel.ids.repeat(panel.lengths), panel.schema),
            panel.schema.time_col: stamps(panel.times[history], panel.schema),
            "regime": steps.regime,
            "probability": steps.probability,
            "expected_remaining": steps.remaining,
        }
    )
    return from_pandas(table, panel.schema.backend)


def segment_panel(model: Any, panel: Panel, method: Method = "posterior") -> Steps:
    """Regimes of all rows of history of ``panel``, series after series.

    Source: Ansari et al. (2021), RED-SDS, section 4.1.
    """
    device = find_device(model.device)
    network: REDSDSNetwork = model.network_
    network.eval()
    packed = model.covariates_.pack(panel, multivariate=model.multivariate).to(device)
    lengths = packed.ends - packed.offsets[:-1]
    starts = torch.cat([lengths.new_zeros(1), lengths.cumsum(0)])
    regime = np.empty(int(starts[-1]), dtype=np.int64)
    probability, remaining = np.empty(len(regime)), np.empty(len(regime))
    durations, order = torch.zeros(0), lengths.argsort(stable=True)
    with torch.no_grad(), limited_threads():
        for some in similar_lengths(order, lengths):
            longest = int(lengths[some].max())
            window = cut(packed, some, packed.offsets[some] + longest, longest, 0)
            sequences, encoded = network.read(scale(window, model.scaler), lengths[some])
            posterior = marginalise(encoded.factors)
            chosen = (
                posterior.regime.argmax(-1) if method == "posterior" else viterbi(**encoded.factors._asdict()).regime
            )
            ahead, lasting = remaining_steps(network, sequences, encoded, posterior, chosen)
            inside = torch.arange(longest, device=device) < lengths[some, None]
            rows = (starts[some, None] + torch.arange(longest, device=device))[inside].cpu().numpy()
            share = posterior.regime.gather(-1, chosen[..., None])[..., 0]
            regime[rows], probability[rows] = chosen[inside].cpu().numpy(), share[inside].cpu().numpy()
            remaining[rows] = ahead[inside].cpu().numpy()
            mean = lasting.expand(*inside.shape, *lasting.shape[-2:])[inside].double().sum(0) / len(regime)
            durations = mean if not durations.numel() else durations + mean
    steps = Steps(regime, probability, remaining, durations.cpu().numpy())
    return _for_each(steps, panel) if model.multivariate else steps


def remaining_steps(
    network: REDSDSNetwork, sequences: Sequences, encoded: Encoded, posterior: Posterior, chosen: Tensor
) -> tuple[Tensor, Tensor]:
    """How many further steps each regime ``chosen`` (B, L) is expected to last, and the duration probabilities.

    ``sum over c of P(c | regime) E[d - c | d >= c]``. Of geometric durations, ``p / (1 - p)`` with p the chance of
    staying at the step's state.

    Returns:
        (B, L), and probabilities (K, D) or (B, L, K, D).

    Source: Ansari et al. (2021), RED-SDS, section 3.1.
    """
    design, temperatures = network.design, network.temperatures
    if design.durations == "geometric":
        y = torch.where(sequences.observed, sequences.y, network.model.emission(encoded.x))
        switch = network.model.log_switch(encoded.x, y, sequences.controls, temperatures.switch)
        stay = switch.diagonal(dim1=-2, dim2=-1).exp().clamp(max=1 - 1e-6)  # (B, L, K)
        lasting = stay[..., None] ** torch.arange(design.max_duration, device=stay.device) * (1 - stay[..., None])
        return (stay / (1 - stay)).gather(-1, chosen[..., None])[..., 0], lasting
    lasting = network.model.durations.log_probabilities(sequences.controls, temperatures.duration).exp()
    lasting = torch.nn.functional.pad(lasting, (design.min_duration - 1, 0))
    ahead = expected_ahead(lasting).expand(*chosen.shape, *lasting.shape[-2:])
    index = chosen[..., None, None].expand(*chosen.shape, 1, lasting.shape[-1])
    weights = posterior.regime_count.gather(2, index)[:, :, 0]
    total = weights.sum(-1, keepdim=True)
    weights = torch.where(total > 0, weights / total, 1 / weights.shape[-1])  # a path may pass where no mass is left
    return (weights * ahead.gather(2, index)[:, :, 0]).sum(-1), lasting


def expected_ahead(probabilities: Tensor) -> Tensor:
    """``E[d - c | d >= c]`` (..., D) for c = 1 .. D, from ``probabilities`` (..., D) of d = 1 .. D.

    Example:
        >>> expected_ahead(torch.tensor([0.5, 0.0, 0.5]))
        tensor([1., 1., 0.])

    Source: Ansari et al. (2021), RED-SDS, section 3.1.
    """
    count = torch.arange(1, probabilities.shape[-1] + 1, device=probabilities.device, dtype=probabilities.dtype)
    at_least = probabilities.flip(-1).cumsum(-1).flip(-1)
    longer = (probabilities * count).flip(-1).cumsum(-1).flip(-1)
    tiny = torch.finfo(probabilities.dtype).tiny
    return torch.where(at_least > 0, longer / at_least.clamp(min=tiny) - count, 0.0).clamp(min=0)


def check_ready(model: Any) -> None:
    """The model is fitted, its settings are those of ``fit``, and nothing is wrapped around its network."""
    check_is_fitted(model, "network_")
    check_unchanged(model)
    check_bare(model, "segmenting")


def similar_lengths(order: Tensor, lengths: Tensor) -> list[Tensor]:
    """Groups of series of similar lengths, whose number times the longest is ``MAX_STEPS`` at most.

    Example:
        >>> groups = similar_lengths(torch.tensor([1, 0]), torch.tensor([7, 5]))
        >>> [group.tolist() for group in groups]
        [[1, 0]]
    """
    groups, start = [], 0
    sizes = lengths[order].cpu().numpy()
    while start < len(order):
        stop = start + 1 + int((sizes[start + 1 :] * np.arange(2, len(order) - start + 1) <= MAX_STEPS).sum())
        groups.append(order[start:stop])
        start = stop
    return groups


def _for_each(steps: Steps, panel: Panel) -> Steps:
    """The answer for the one sequence of a multivariate panel, repeated for the rows of each of its series."""
    rows = np.concatenate([np.arange(len(steps.regime) - length, len(steps.regime)) for length in panel.lengths])
    return Steps(steps.regime[rows], steps.probability[rows], steps.remaining[rows], steps.durations)
