"""The recipe of a data set: source, columns, benchmark split, licence."""

from dataclasses import dataclass, field
from typing import Any, Literal

from tsformers.datasets.download import Source, is_local


@dataclass(frozen=True, kw_only=True)
class Columns:
    """The role of each column of a table.

    Example:
        >>> Columns(time="date", target="volume").series
        []
    """

    id: str | list[str] | None = None  # several are joined by "/"
    time: str | dict[str, str] | None = None  # a column; or {year = .., quarter = ..}; None: rows are counted from 0
    time_format: str | None = None  # of text; None: ISO 8601
    target: str = "y"  # long layout
    series: list[str] = field(default_factory=list)  # wide layouts: the columns that are series; none: all others
    known: list[str] = field(default_factory=list)  # covariates whose future is known
    past: list[str] = field(default_factory=list)  # covariates known up to the cutoff
    extra: list[str] = field(default_factory=list)  # labels and texts, loaded on request
    missing: list[float] = field(default_factory=list)  # codes that stand for a missing value
    duplicates: Literal["keep", "first"] = "keep"  # rows with one id and one time


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """How the literature splits and scores the data set; at most one of the four kinds of split.

    Example:
        >>> Benchmark(horizons=[24], split_last=24).split_rows is None
        True
    """

    horizons: list[int] = field(default_factory=list)
    context_length: int | None = None
    split_column: str | None = None  # a column of the table
    split_rows: dict[str, int] | None = None  # rows of each part, in order; further rows are "unused"
    split_shares: dict[str, float] | None = None  # train first, test last, validation between
    split_last: int | None = None  # the last rows of each series are the test


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One data set: its source and licence, how its table becomes a long frame, how it is scored.

    Example:
        >>> from tsformers.datasets.load import recipe
        >>> recipe("macrodata").roles
        {'freq': 'QS'}
    """

    name: str
    title: str
    licence: str
    citation: str
    layout: Literal["long", "wide", "rows", "months"]
    frequency: str | int  # a pandas alias, a step of integer time, or "mixed"
    source: Source
    season: int | None = None  # steps, if it is not that of the frequency
    note: str = ""
    columns: Columns = field(default_factory=Columns)
    benchmark: Benchmark = field(default_factory=Benchmark)

    @property
    def roles(self) -> dict[str, Any]:
        """The keywords of ``fit`` and ``backtest`` that this data set needs.

        Example:
            >>> from tsformers.datasets.load import recipe
            >>> recipe("vic_elec_halfhourly").roles
            {'freq': '30min', 'known': ['holiday']}
        """
        roles: dict[str, Any] = {} if self.frequency == "mixed" else {"freq": self.frequency}
        return roles | ({"known": self.columns.known} if self.columns.known else {})

    @property
    def offered(self) -> list[str]:
        """The columns that ``load_dataset(..., extra=)`` may add.

        Example:
            >>> from tsformers.datasets.load import recipe
            >>> recipe("hospital").offered
            ['split', 'product_group']
        """
        cuts = self.benchmark
        split = [cuts.split_column, cuts.split_rows, cuts.split_shares, cuts.split_last] != [None] * 4
        return ["split"] * split + self.columns.extra

    def facts(self) -> dict[str, str]:
        """The recipe as texts for a reader.

        Returns:
            Text by name; empty entries are left out.

        Example:
            >>> from tsformers.datasets.load import recipe
            >>> recipe("nile").facts()["horizons"]
            '5'
        """
        cuts = self.benchmark
        texts = {
            "columns": ", ".join(["unique_id", "ds", "y", *self.columns.known, *self.columns.past]),
            "known covariates": ", ".join(self.columns.known),
            "extra columns": ", ".join(self.offered),
            "frequency": self.frequency,
            "season": self.season or "",
            "horizons": ", ".join(map(str, cuts.horizons)),
            "context length": cuts.context_length or "",
            "split": self.split_in_words(),
            "licence": self.licence,
            "citation": self.citation,
            "origin": self.source.origin,
            "file": f"{self.source.package}: {self.source.file}" if self.source.package else self.source.file,
            "sha256": self.source.sha256 or "",
            "address": self.source.download.url if self.source.download else "",
            "here": "yes" if is_local(self.source) else "no",
            "note": self.note,
        }
        return {"name": self.name, "title": self.title} | {
            key: str(value) for key, value in texts.items() if value != ""
        }

    def split_in_words(self) -> str:
        """How the benchmark splits each series; empty where it does not.

        Returns:
            Text.

        Example:
            >>> from tsformers.datasets.load import recipe
            >>> recipe("ETTh1").split_in_words()
            'rows in order: train 8640, validation 2880, test 2880'
        """
        cuts = self.benchmark
        if cuts.split_column:
            return f"column {cuts.split_column} of the file"
        if cuts.split_rows:
            return "rows in order: " + ", ".join(f"{part} {rows}" for part, rows in cuts.split_rows.items())
        if cuts.split_shares:
            return "shares in order: " + ", ".join(f"{part} {share:g}" for part, share in cuts.split_shares.items())
        return f"the last {cuts.split_last} rows of each series are the test" if cuts.split_last else ""
