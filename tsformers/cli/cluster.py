"""The command `cluster`: series grouped by how they move."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from tsformers.cli.reading import read_panel
from tsformers.errors import JobError
from tsformers.jobs.build import build

SHALLOW = {"kmeans": ("KMeans", "n_clusters"), "gmm": ("GaussianMixture", "n_components")}  # on features


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
    frame, given = read_panel(file, roles, format)
    model.fit(frame, **given)
    if save is not None:
        model.save(save)
    answer = model.labels_
    return answer.merge(model.predict_proba(), on=answer.columns[0]) if shares else answer
