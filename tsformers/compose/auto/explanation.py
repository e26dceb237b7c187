"""What a fitted Auto says of itself: a sentence, the line that repeats it, a frame and a picture."""

from typing import Any

import numpy as np
import pandas as pd

from tsformers.compose.auto.candidates import NAIVE
from tsformers.plotting.axes import new_figure, tidy
from tsformers.storage.learned_state import has_settings

SHOWN = 4  # members that a sentence names


def summary(model: Any) -> str:
    """Which members carry the answer, and how much better than the seasonal naive forecaster it was.

    Args:
        model: a fitted Auto.

    Returns:
        A sentence.
    """
    shares = sorted(model.weights_.items(), key=lambda item: -item[1])
    said = ", ".join(f"{name} {100 * weight:.0f} %" for name, weight in shares[:SHOWN])
    rest = len(shares) - SHOWN
    more = f" and {rest} more {100 * sum(weight for _, weight in shares[SHOWN:]):.0f} %" if rest > 0 else ""
    frame = model.leaderboard_.set_index("model")
    if "Auto" not in frame.index:
        return f"the forecast is of {said}{more}: no series is long enough to compare candidates"
    score = float(frame.loc["Auto", "score"])
    windows = f"{model.n_windows_} held-out window{'s' if model.n_windows_ != 1 else ''}"
    verdict = f"{100 * (1 - score):.0f} % lower than" if score < 0.995 else "that"
    return f"the forecast is of {said}{more}: on {windows} its error is {verdict} of {NAIVE}".replace(
        "lower than of", "lower than that of"
    )


def repeating(model: Any) -> str:
    """The line of Python that gives the same answer.

    Args:
        model: a fitted Auto.

    Returns:
        Text to paste, before ``.fit(data)``.
    """
    words = {"horizon": model.horizon, "models": model.models_, "time_limit": None, "seed": model.seed_}
    if model.season_length is not None:
        words["season_length"] = model.season_length
    return f"tsf.Auto({', '.join(f'{key}={value!r}' for key, value in words.items())})"


def importance(model: Any) -> pd.DataFrame:
    """Weights and scores of the candidates.

    Args:
        model: a fitted Auto.

    Returns:
        Columns model, weight, score, improvement (share by which the score lies below that of the seasonal naive
        forecaster), status; the answer first, then by weight.
    """
    frame = model.leaderboard_[["model", "weight", "score", "status"]].copy()
    frame.insert(3, "improvement", 1 - frame["score"])
    return frame.sort_values("weight", ascending=False, kind="stable").reset_index(drop=True)


def importance_chart(model: Any) -> Any:
    """Scores of the candidates as bars, the darker the greater their weight.

    Args:
        model: a fitted Auto.

    Returns:
        A ``matplotlib.figure.Figure``, not registered with pyplot.

    Raises:
        ImportError: matplotlib is missing.
    """
    frame = importance(model)
    frame = frame[np.isfinite(frame["score"])].sort_values("score", ascending=False)
    figure = new_figure(9, 1.0 + 0.3 * max(len(frame), 1))
    axes = figure.add_subplot(1, 1, 1)
    for place, (name, weight, score) in enumerate(zip(frame["model"], frame["weight"], frame["score"], strict=True)):
        axes.barh(place, score, color="#0072B2", alpha=0.25 + 0.75 * float(weight))
        label = f"{name} ({100 * weight:.0f} %)" if weight and name != "Auto" else name
        axes.text(0.01 * float(frame["score"].max()), place, label, va="center")
    axes.axvline(1.0, color="black", linewidth=0.8, linestyle=":")
    axes.set_yticks([])
    tidy(axes, f"error on held-out windows, {NAIVE} = 1")
    return figure


def is_repeatable_text(model: Any) -> bool:
    """Whether ``repeat_`` can be typed in a shell: all candidates are names.

    Args:
        model: a fitted Auto.

    Returns:
        True or False.
    """
    return not any(has_settings(each) for each in model.models_)
