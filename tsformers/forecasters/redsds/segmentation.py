"""What a fitted REDSDS sees: the regime of every step, how long it may last, and what each regime is like."""

import warnings
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
import torch
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from tsformers.data.dataframes import Frame, from_pandas, stamps
from tsformers.data.panel import Panel
from tsformers.data.window_scaling import scale
from tsformers.data.windows import cut
from tsformers.errors import DataError
from tsformers.forecasters.fitted_settings import check_unchanged
from tsformers.forecasters.neural.validation import check_bare, check_like
from tsformers.forecasters.redsds.generative import Told
from tsformers.forecasters.redsds.inference import Encoded
from tsformers.forecasters.redsds.network import REDSDSNetwork, summed
from tsformers.hsmm.inference import Posterior, viterbi
from tsformers.plotting.regimes import Coloured, durations_chart, segments_chart
from tsformers.training.randomness import find_device

MOST_STEPS = 1 << 18  # series times steps looked at at once
MOST_SUMMARISED = 1 << 18  # rows of the training data from which regimes are described
FEW_STEPS = 100  # of training, after which a regime may not have found its place yet
COLLAPSED = 0.99  # share of one regime from which on the others count as lost
ANSWER = ("regime", "probability", "expected_remaining")
SHOWN = 3

Method = Literal["posterior", "viterbi"]


class Steps(NamedTuple):
    """What is said of each of R rows of history.

    Source: Ansari et al. (2021), RED-SDS, section 4.1.
    """

    regime: np.ndarray  # (R,) from 0
    probability: np.ndarray  # (R,) of that regime, given all that was seen
    remaining: np.ndarray  # (R,) further steps that the regime is expected to last
    durations: np.ndarray  # (K, D), mean over the rows of the probabilities of lasting 1 .. D steps


def segment(model: Any, data: Frame | Panel, *, method: Method = "posterior", static: Frame | None = None) -> Frame:
    """The regime of every step of every series, given the whole series.

    States are the means of their posterior, so that the answer is always the same; regimes and their ages are summed
    out exactly. Series may be of any length, longer ones than the context too, and new; each is read as a whole, in
    units of its own (``scaler``). Steps without a value have a regime as others do. Regimes are numbers from 0 without
    an order; those of one model mean the same in all series.

    Args:
        model: a fitted REDSDS.
        data: a long frame or a Panel with the covariates of ``fit``.
        method: "posterior" takes the likeliest regime of each step by itself, "viterbi" the likeliest path.
        static: statics of the series of ``data``.

    Returns:
        Columns ``unique_id, ds`` (under the caller's names), ``regime``, ``probability`` (of this regime at this step)
        and ``expected_remaining`` (how many further steps the duration law gives the regime, given how long it has
        lasted by now; a switch into the same regime counts as an end), in the caller's frame type.

    Raises:
        sklearn.exceptions.NotFittedError: before ``fit``.
        ValueError: an unknown method; a setting was changed since ``fit``.
        DataError: what ``Panel.from_frame`` refuses; covariates that differ from those of ``fit``; a column of ids or
            times that is called like one of the answer.

    Example:
        >>> from tsformers import REDSDS
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(60), "y": np.sin(np.arange(60.0))})
        >>> model = REDSDS(horizon=2, context_length=16, n_regimes=2, max_steps=2, seed=0, verbose=False).fit(frame)
        >>> list(model.segment(frame))
        ['unique_id', 'ds', 'regime', 'probability', 'expected_remaining']

    Source: Ansari et al. (2021), RED-SDS, section 4.1.
    """
    _check_ready(model)
    if method not in ("posterior", "viterbi"):
        raise ValueError(f"method={method!r} is unknown; choose 'posterior' or 'viterbi'")
    panel = model.panel_.like(data, static)
    check_like(model, panel)
    for name in (panel.schema.id_col, panel.schema.time_col):
        if name in ANSWER:
            raise DataError(
                f"column {name!r} of the data has the name of a column of the answer; rename it before fit, for "
                f"example with df.rename(columns={{{name!r}: {name + '_'!r}}})"
            )
    steps = look(model, panel, method)
    history = panel.in_history
    table = pd.DataFrame(
        {
            panel.schema.id_col: panel.ids.repeat(panel.lengths),
            panel.schema.time_col: stamps(panel.times[history], panel.schema),
            "regime": steps.regime,
            "probability": steps.probability,
            "expected_remaining": steps.remaining,
        }
    )
    return from_pandas(table, panel.schema.backend)


def look(model: Any, panel: Panel, method: Method = "posterior") -> Steps:
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
    laws, order = torch.zeros(0), lengths.argsort(stable=True)
    with torch.no_grad():
        for some in _together(order, lengths):
            longest = int(lengths[some].max())
            window = cut(packed, some, packed.offsets[some] + longest, longest, 0)
            told, encoded = network.read(scale(window, model.scaler), lengths[some])
            posterior = summed(encoded.factors)
            chosen = (
                posterior.regime.argmax(-1) if method == "posterior" else viterbi(**encoded.factors._asdict()).regime
            )
            ahead, law = remaining_steps(network, told, encoded, posterior, chosen)
            inside = torch.arange(longest, device=device) < lengths[some, None]
            rows = (starts[some, None] + torch.arange(longest, device=device))[inside].cpu().numpy()
            share = posterior.regime.gather(-1, chosen[..., None])[..., 0]
            regime[rows], probability[rows] = chosen[inside].cpu().numpy(), share[inside].cpu().numpy()
            remaining[rows] = ahead[inside].cpu().numpy()
            mean = law.expand(*inside.shape, *law.shape[-2:])[inside].double().sum(0) / len(regime)
            laws = mean if not laws.numel() else laws + mean
    steps = Steps(regime, probability, remaining, laws.cpu().numpy())
    return _for_each(steps, panel) if model.multivariate else steps


def remaining_steps(
    network: REDSDSNetwork, told: Told, encoded: Encoded, posterior: Posterior, chosen: Tensor
) -> tuple[Tensor, Tensor]:
    """How many further steps each regime ``chosen`` (B, L) is expected to last, and its law of durations.

    ``sum over c of P(c | regime) E[d - c | d >= c]``. Of geometric durations, ``p / (1 - p)`` with p the chance of
    staying at the step's state.

    Returns:
        (B, L), and probabilities (K, D) or (B, L, K, D).

    Source: Ansari et al. (2021), RED-SDS, section 3.1.
    """
    design, temperatures = network.design, network.temperatures
    if design.durations == "geometric":
        y = torch.where(told.seen, told.y, network.model.emission(encoded.x))
        switch = network.model.log_switch(encoded.x, y, told.controls, temperatures.switch)
        stay = switch.diagonal(dim1=-2, dim2=-1).exp().clamp(max=1 - 1e-6)  # (B, L, K)
        law = stay[..., None] ** torch.arange(design.max_duration, device=stay.device) * (1 - stay[..., None])
        return (stay / (1 - stay)).gather(-1, chosen[..., None])[..., 0], law
    law = network.model.durations.log_law(told.controls, temperatures.duration).exp()
    law = torch.nn.functional.pad(law, (design.min_duration - 1, 0))
    ahead = expected_ahead(law).expand(*chosen.shape, *law.shape[-2:])
    index = chosen[..., None, None].expand(*chosen.shape, 1, law.shape[-1])
    weights = posterior.regime_count.gather(2, index)[:, :, 0]
    total = weights.sum(-1, keepdim=True)
    weights = torch.where(total > 0, weights / total, 1 / weights.shape[-1])  # a path may pass where no mass is left
    return (weights * ahead.gather(2, index)[:, :, 0]).sum(-1), law


def expected_ahead(law: Tensor) -> Tensor:
    """``E[d - c | d >= c]`` (..., D) for c = 1 .. D, from the probabilities ``law`` (..., D) of d = 1 .. D.

    Example:
        >>> expected_ahead(torch.tensor([0.5, 0.0, 0.5]))
        tensor([1., 1., 0.])

    Source: Ansari et al. (2021), RED-SDS, section 3.1.
    """
    count = torch.arange(1, law.shape[-1] + 1, device=law.device, dtype=law.dtype)
    at_least = law.flip(-1).cumsum(-1).flip(-1)
    longer = (law * count).flip(-1).cumsum(-1).flip(-1)
    return torch.where(at_least > 0, longer / at_least.clamp(min=torch.finfo(law.dtype).tiny) - count, 0.0).clamp(min=0)


def describe(model: Any, panel: Panel) -> dict[str, np.ndarray]:
    """What ``regimes_`` says, as arrays with K entries, from the first rows of the training data.

    Source: Ansari et al. (2021), RED-SDS, figure 3.
    """
    if not model.multivariate:
        enough = int(np.searchsorted(np.cumsum(panel.lengths), MOST_SUMMARISED)) + 1
        panel = panel.select(np.arange(min(enough, panel.n_series)))
    steps, k = look(model, panel), model.n_regimes
    owner = panel.owner[panel.in_history]
    rows = np.bincount(steps.regime, minlength=k)
    new = np.ones(len(owner), dtype=bool)
    new[1:] = (steps.regime[1:] != steps.regime[:-1]) | (owner[1:] != owner[:-1])
    runs = np.bincount(steps.regime[new], minlength=k)
    change = np.diff(panel.y[panel.in_history])
    fine = (owner[1:] == owner[:-1]) & np.isfinite(change)
    into, change = steps.regime[1:][fine], change[fine]
    count = np.maximum(np.bincount(into, minlength=k), 1)
    drift = np.bincount(into, weights=change, minlength=k) / count
    spread = np.sqrt(np.bincount(into, weights=(change - drift[into]) ** 2, minlength=k) / count)
    lasts = steps.durations / steps.durations.sum(1, keepdims=True)
    lengths = np.arange(1, lasts.shape[1] + 1)
    found = {
        "share": rows / rows.sum(),
        "mean_duration": lasts @ lengths,
        "mean_run": rows / np.maximum(runs, 1),
        "drift": drift,
        "spread": spread,
        "durations": lasts,
    }
    if model.transition == "linear":
        weight = model.network_.model.transition.first.weight.detach().cpu().double().numpy()
        matrix = weight.reshape(k, 2 * model.d_state, -1)[:, : model.d_state, : model.d_state]
        found["matrix"] = matrix + np.eye(model.d_state) if model.residual else matrix
    return found


def as_frame(found: dict[str, np.ndarray]) -> pd.DataFrame:
    """The table of ``regimes_``: one row a regime; laws and matrices are arrays in their cells.

    Source: Ansari et al. (2021), RED-SDS, figure 3.
    """
    columns = {name: list(each) if each.ndim > 1 else each for name, each in found.items()}
    return pd.DataFrame({"regime": np.arange(len(found["share"])), **columns})


def warn_if_collapsed(usage: pd.DataFrame) -> None:
    """A warning where one regime has taken all by the last record of ``usage_``; a run of few steps says nothing yet.

    Source: Ansari et al. (2021), RED-SDS, section 3.3.
    """
    if not len(usage) or usage["step"].iloc[-1] < FEW_STEPS:
        return
    share = usage.iloc[-1, 1:].to_numpy(dtype=np.float64)
    if len(share) > 1 and share.max() > COLLAPSED:
        warnings.warn(
            f"regime {int(share.argmax())} holds {100 * share.max():.4g} % of all steps: the others are lost; start "
            "with a higher switch_temperature or duration_temperature (10, say), which keeps them apart until each has "
            "learned something, train for longer, or ask for fewer regimes",
            UserWarning,
            stacklevel=3,
        )


def plot_segments(
    model: Any, data: Frame | Panel, ids: Any = None, *, method: Method = "posterior", static: Frame | None = None
) -> Any:
    """A picture of each series, coloured by regime.

    Args:
        model: a fitted REDSDS.
        data: as in ``segment``.
        ids: the series to draw; None: the first three.
        method: as in ``segment``.
        static: as in ``segment``.

    Returns:
        A ``matplotlib.figure.Figure``, unknown to pyplot; ``figure.savefig("f.png")`` keeps it.

    Raises:
        sklearn.exceptions.NotFittedError: before ``fit``.
        ValueError: an id that is not there.
        DataError: as in ``segment``.
        ImportError: matplotlib is missing.

    Example:
        >>> from tsformers import REDSDS
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(60), "y": np.sin(np.arange(60.0))})
        >>> model = REDSDS(horizon=2, context_length=16, n_regimes=2, max_steps=2, seed=0, verbose=False).fit(frame)
        >>> [axes.get_title(loc="left") for axes in model.plot_segments(frame).axes]
        ['a']

    Source: Ansari et al. (2021), RED-SDS, figure 2.
    """
    _check_ready(model)
    panel = model.panel_.like(data, static)
    check_like(model, panel)
    chosen = panel.ids[:SHOWN] if ids is None else pd.Index([ids] if isinstance(ids, str) else ids, tupleize_cols=False)
    positions = panel.ids.get_indexer(chosen)
    if (positions < 0).any():
        raise ValueError(f"series {chosen[int(np.argmax(positions < 0))]!r} is not there; see the ids of the data")
    shown = panel if model.multivariate else panel.select(positions)
    regime = look(model, shown, method).regime
    history = shown.in_history
    times, y = shown.times[history], shown.y[history]
    bounds = np.concatenate([[0], np.cumsum(shown.lengths)])
    pictures = []
    for name in chosen:
        i = int(shown.ids.get_loc(name))
        rows = slice(bounds[i], bounds[i + 1])
        pictures.append(Coloured(str(name), times[rows], y[rows], regime[rows]))
    return segments_chart(pictures, model.n_regimes, panel.schema.tz)


def plot_durations(model: Any) -> Any:
    """A picture of each regime's law of durations.

    Args:
        model: a fitted REDSDS.

    Returns:
        A ``matplotlib.figure.Figure``, unknown to pyplot.

    Raises:
        sklearn.exceptions.NotFittedError: before ``fit``.
        ImportError: matplotlib is missing.

    Example:
        >>> from tsformers import REDSDS
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(60), "y": np.sin(np.arange(60.0))})
        >>> model = REDSDS(horizon=2, context_length=16, n_regimes=2, max_steps=2, seed=0, verbose=False).fit(frame)
        >>> len(model.plot_durations().axes)
        2

    Source: Ansari et al. (2021), RED-SDS, figure 3.
    """
    check_is_fitted(model, "network_")
    check_bare(model, "describing regimes")
    table = model.regimes_
    return durations_chart(np.stack(table["durations"].tolist()), table["share"].to_numpy())


def _check_ready(model: Any) -> None:
    check_is_fitted(model, "network_")
    check_unchanged(model)
    check_bare(model, "segmenting")


def _together(order: Tensor, lengths: Tensor) -> list[Tensor]:
    """Series of similar lengths, so many at once that the longest times their number stays bounded."""
    pieces, start = [], 0
    sizes = lengths[order].cpu().numpy()
    while start < len(order):
        stop = start + 1 + int((sizes[start + 1 :] * np.arange(2, len(order) - start + 1) <= MOST_STEPS).sum())
        pieces.append(order[start:stop])
        start = stop
    return pieces


def _for_each(steps: Steps, panel: Panel) -> Steps:
    """What is said of the one sequence of a multivariate panel, for the rows of each of its series."""
    rows = np.concatenate([np.arange(len(steps.regime) - length, len(steps.regime)) for length in panel.lengths])
    return Steps(steps.regime[rows], steps.probability[rows], steps.remaining[rows], steps.durations)
