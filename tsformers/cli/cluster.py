"""The command `cluster`: series grouped by how they move."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tsformers.cli.options import Frequency, InputFile, ShortSeries, TableInput, TableOutput
from tsformers.cli.parsing import assignments, frequency, whole_numbers
from tsformers.cli.reading import read_panel
from tsformers.cli.terminal import check_paths, inform, report_written
from tsformers.errors import JobError
from tsformers.progress import waiting

if TYPE_CHECKING:
    import pandas as pd  # half a second, which --help need not pay

ON_FEATURES = {"kmeans": ("KMeans", "n_clusters"), "gmm": ("GaussianMixture", "n_components")}  # class, its count


@dataclass(frozen=True, kw_only=True)
class ClusterOptions:
    """How series are clustered, and where the clusterer is kept.

    Example:
        >>> ClusterOptions(clusters=["2"]).method
        'ar'
    """

    clusters: Annotated[list[str], typer.Option(help="How many; several, by commas, are tried; default: 1 to 8.")] = (
        field(default_factory=list)
    )
    method: Annotated[str, typer.Option(help="transformer or ar (MixSeq), kmeans or gmm (on features).")] = "ar"
    shares: Annotated[bool, typer.Option("--shares", help="Probabilities of all clusters too (MixSeq).")] = False
    set_: Annotated[list[str], typer.Option("--set", help="Setting of the clusterer, key=value.")] = field(
        default_factory=list
    )
    seed: Annotated[int, typer.Option(help="Same seed, same clusters.")] = 0
    save: Annotated[Path | None, typer.Option(help="Folder to keep the fitted clusterer in.")] = None
    freq: Frequency = None
    short: ShortSeries = "error"


def cluster(file: InputFile, options: ClusterOptions, target: TableOutput, table: TableInput) -> None:
    """Sort series into clusters by how they move: one row a series."""
    from tsformers.data.files.write import write_table

    check_paths(target, [file], save=options.save)
    answer = cluster_file(file, options, table)
    write_table(answer, target.output, target.format)
    report_written(target.output, options.save)
    sizes = answer["cluster"].value_counts().sort_index().items()
    inform(f"clusters: {', '.join(f'{n} series in {k}' for k, n in sizes)}")


def cluster_file(file: str, options: ClusterOptions, table: TableInput) -> "pd.DataFrame":
    r"""The cluster of each series of a table from a file.

    Args:
        file: path, or "-" for standard input.
        options: method "transformer" or "ar" is MixSeq with that backbone, "kmeans" or "gmm" works on features; of
            several numbers of clusters the best is chosen, and without any MixSeq tries its own range.
        table: how ``file`` is read.

    Returns:
        A frame of id and cluster, with ``shares`` of the probabilities of all clusters too.

    Raises:
        JobError: an unknown method or setting, or one that does not go with the method.
        DataError: the table cannot be used.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> rows = [f"{name},{t},{t % 2 if name == 'a' else t}" for name in "ab" for t in range(40)]
        >>> with TemporaryDirectory() as folder:
        ...     _ = (path := Path(folder) / "a.csv").write_text("\n".join(["unique_id,ds,y", *rows]))
        ...     found = cluster_file(str(path), ClusterOptions(method="kmeans", clusters=["2"]), TableInput())
        >>> found["cluster"].nunique()
        2
    """
    model = _clusterer(options)
    panel = read_panel(file, table, freq=frequency(options.freq), short=options.short)
    with waiting("clustering"):
        model.fit(panel)
    if options.save is not None:
        model.save(options.save)
    answer = model.labels_
    return answer.merge(model.predict_proba(), on=answer.columns[0]) if options.shares else answer


def _clusterer(options: ClusterOptions) -> Any:
    """The clusterer that the options name, not fitted."""
    from tsformers.jobs.build import build

    method, counts = options.method, whole_numbers("--clusters", options.clusters)
    settings, methods = assignments(options.set_), ("transformer", "ar", *ON_FEATURES)
    if method not in methods:
        raise JobError(f"--method {method!r} is unknown; choose one of {', '.join(methods)}")
    if method in ON_FEATURES:
        if len(counts) != 1 or options.shares:
            raise JobError(f"--method {method} needs one number of --clusters and gives no --shares; MixSeq does")
        name, count = ON_FEATURES[method]
        inner = {"class": name, count: counts[0], "random_state": options.seed}
        return build("ByFeatures", {**settings, "clusterer": inner}, place="--set")
    n_clusters = counts[0] if len(counts) == 1 else counts or None
    own = {"n_clusters": n_clusters, "backbone": method, "seed": options.seed}
    return build("MixSeq", {**own, **settings}, place="--set")
