"""Files in, parts, clusters and regimes out: what the commands ``decompose``, ``cluster`` and ``segment`` do."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from tsformers import storage
from tsformers.catalog import find_model
from tsformers.data.files.table_files import read_table
from tsformers.errors import JobError
from tsformers.jobs.build import build

SHALLOW = {"kmeans": ("KMeans", "n_clusters"), "gmm": ("GaussianMixture", "n_components")}  # on features

LONGEST_READ = 100  # rows that REDSDS learns from at once, where the series are as long and nothing else is asked for


def decompose_file(
    file: str,
    *,
    settings: Mapping[str, Any],
    roles: Mapping[str, Any],
    plot: Path | None = None,
    ids: Sequence[str] = (),
    format: str | None = None,
) -> pd.DataFrame:
    r"""Trend, seasonal parts and remainder of a table from a file.

    Args:
        file: path, or "-" for standard input.
        settings: of ``TrendSeasonalDecomposition``; None values are left out.
        roles: keywords of ``Panel.from_frame``; None values are left out.
        plot: picture to draw; None = none.
        ids: series in the picture; none = the first three.
        format: of ``file``; None = by suffix or first bytes.

    Returns:
        What ``TrendSeasonalDecomposition.decompose`` gives.

    Raises:
        DataError: the table cannot be used.
        ValueError: a setting is out of range.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> roles = {"id_col": "unique_id", "time_col": "ds", "target_col": "y"}
        >>> with TemporaryDirectory() as folder:
        ...     _ = (path := Path(folder) / "a.csv").write_text("unique_id,ds,y\na,1,5\na,2,7\na,3,5\na,4,7\n")
        ...     parts = decompose_file(str(path), settings={"period": 2}, roles=roles)
        >>> parts["seasonal"].tolist()
        [-1.0, 1.0, -1.0, 1.0]
    """
    frame, given = _read(file, roles, format)
    chosen = {key: value for key, value in settings.items() if value is not None}
    step = find_model("TrendSeasonalDecomposition")(**chosen)  # type: ignore[call-arg, unused-ignore]
    parts = step.decompose(frame, **given)
    if plot is not None:
        step.plot(frame, _named(frame, given, ids), **given).savefig(plot)
    return parts


def cluster_file(
    file: str,
    *,
    n_clusters: Sequence[int],
    method: str,
    settings: Mapping[str, Any],
    roles: Mapping[str, Any],
    shares: bool = False,
    save: Path | None = None,
    seed: int = 0,
    format: str | None = None,
) -> pd.DataFrame:
    """The cluster of each series of a table from a file.

    Args:
        file: path, or "-" for standard input.
        n_clusters: how many; several are tried, none = those that MixSeq tries by itself.
        method: "transformer" or "ar", MixSeq with that backbone; "kmeans" or "gmm", on features.
        settings: further settings of the clusterer.
        roles: keywords of ``Panel.from_frame``; None values are left out.
        shares: probabilities of all clusters beside the label, of MixSeq.
        save: folder to keep the clusterer in; None = it is not kept.
        seed: same seed, same clusters.
        format: of ``file``; None = by suffix or first bytes.

    Returns:
        A frame of id and cluster.

    Raises:
        JobError: an unknown method or setting, or one that does not go with the method.
        DataError: the table cannot be used.
    """
    known = ("transformer", "ar", *SHALLOW)
    if method not in known:
        raise JobError(f"--method {method!r} is unknown; choose one of {', '.join(known)}")
    if method in SHALLOW:
        if len(n_clusters) != 1 or shares:
            raise JobError(f"--method {method} needs one number of --clusters and gives no --shares; MixSeq does")
        name, count = SHALLOW[method]
        inner = {"class": name, count: n_clusters[0], "random_state": seed}
        model = build("ByFeatures", {**settings, "clusterer": inner}, place="--set")
    else:
        asked = n_clusters[0] if len(n_clusters) == 1 else [*n_clusters] or None
        model = build("MixSeq", {"n_clusters": asked, "backbone": method, "seed": seed, **settings}, place="--set")
    frame, given = _read(file, roles, format)
    model.fit(frame, **given)
    if save is not None:
        model.save(save)
    answer = model.labels_
    return answer.merge(model.predict_proba(), on=answer.columns[0]) if shares else answer


def segment_file(
    file: str,
    *,
    model: str | None,
    settings: Mapping[str, Any],
    roles: Mapping[str, Any],
    method: str,
    plot: Path | None = None,
    ids: Sequence[str] = (),
    format: str | None = None,
) -> tuple[pd.DataFrame, Any]:
    """The regime of each row of a table from a file, by a model that is fitted to it or was saved before.

    Args:
        file: path, or "-" for standard input.
        model: folder of a saved REDSDS; None = one is fitted.
        settings: of REDSDS, if one is fitted.
        roles: keywords of ``Panel.from_frame``; None values are left out.
        method: "posterior" or "viterbi".
        plot: picture to draw; None = none.
        ids: series in the picture; none = the first three.
        format: of ``file``; None = by suffix or first bytes.

    Returns:
        A frame of id, time, regime, probability and expected_remaining; and the model.

    Raises:
        JobError: a setting for a saved model, a model that finds no regimes, or an unknown setting.
        DataError: the table cannot be used.
    """
    if model is not None:
        fitted = storage.load(model)
        if not hasattr(fitted, "segment"):
            raise JobError(f"{model} is a {type(fitted).__name__}, which finds no regimes; save a REDSDS")
        if settings:
            raise JobError(f"{model} is fitted already and takes no {', '.join(settings)}; leave --model out to fit")
        frame, given = _read(file, {**roles, "freq": None}, format)
        if given != _columns_of(fitted, given):
            raise JobError(f"{model} was fitted on columns of other names: {fitted.panel_.schema.columns[:3]}")
    else:
        fitted = build("REDSDS", {"horizon": 1, **settings}, place="--set")
        frame, given = _read(file, roles, format)
        if fitted.context_length is None and roles["id_col"] in frame:
            shortest = int(frame[roles["id_col"]].value_counts().min()) if len(frame) else 0
            fitted.context_length = min(LONGEST_READ, shortest - 1) if shortest > 2 else None
        fitted.fit(frame, **given)
    answer = fitted.segment(frame, method=method)
    if plot is not None:
        fitted.plot_segments(frame, _named(frame, given, ids), method=method).savefig(plot)
    return answer, fitted


def _read(file: str, roles: Mapping[str, Any], format: str | None) -> tuple[pd.DataFrame, dict[str, Any]]:
    given = {key: value for key, value in roles.items() if value is not None}
    return read_table(file, format, id_col=given["id_col"], time_col=given["time_col"]), given


def _columns_of(fitted: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    return {key: getattr(fitted.panel_.schema, key, value) for key, value in given.items()}


def _named(frame: pd.DataFrame, given: Mapping[str, Any], ids: Sequence[str]) -> list[Any] | None:
    """The ids that texts of a command line stand for."""
    if not ids:
        return None
    there = {str(name): name for name in frame[given["id_col"]].unique()}
    for name in ids:
        if name not in there:
            raise JobError(f"--ids {name}: there is no such series; there are {', '.join([*there][:5])}, ...")
    return [there[name] for name in ids]
