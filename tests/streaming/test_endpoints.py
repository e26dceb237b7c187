"""Names of sources and sinks: what they refer to, and formats that do not go together."""

import pandas as pd
import pytest

import tsformers as tsf
from tsformers.errors import JobError
from tsformers.streaming.endpoints import as_number, decision_format, id_parser, sink_of, source_of
from tsformers.streaming.line_source import LineSource
from tsformers.streaming.parquet_source import ParquetSource
from tsformers.streaming.sinks import LineSink, ParquetSink


def test_the_suffix_of_a_file_names_its_source_and_sink(place, tmp_path):
    detector = tsf.load(place / "d")
    for name, kind in (("rows.csv", LineSource), ("rows.jsonl", LineSource), ("rows.parquet", ParquetSource)):
        source = source_of(str(place / name), detector, None, follow=False, idle=None)
        assert isinstance(source, kind)
        source.close()
    for format, kind in (("csv", LineSink), ("jsonl", LineSink), ("parquet", ParquetSink)):
        sink = sink_of(str(tmp_path / "out"), detector, format, None, cut=True)
        assert isinstance(sink, kind)
        sink.close()
    with pytest.raises(JobError, match="names no stream"):
        source_of("redis://localhost", detector, None, follow=False, idle=None)


@pytest.mark.parametrize(
    ("sink", "source", "asked", "of_rows", "expected"),
    [
        ("-", "rows.csv", None, None, "csv"),
        ("-", "rows.parquet", None, None, "jsonl"),
        ("-", "-", None, "csv", "csv"),
        ("-", "-", "jsonl", "csv", "jsonl"),
        ("out.csv", "rows.jsonl", None, None, "csv"),
        ("out.csv", "rows.jsonl", "jsonl", None, "csv"),
        ("out.log", "rows.jsonl", "csv", None, "csv"),
    ],
)
def test_the_format_of_decisions_follows_file_option_and_rows(sink, source, asked, of_rows, expected):
    assert decision_format(sink, source, asked, of_rows, resumable=True) == expected


def test_parquet_decisions_are_neither_resumed_nor_piped():
    assert decision_format("out.parquet", "-", None, None, resumable=False) == "parquet"
    for sink, resumable in (("out.parquet", True), ("-", False)):
        with pytest.raises(JobError, match="cannot be resumed, or piped"):
            decision_format(sink, "-", "parquet", None, resumable=resumable)


def test_text_becomes_ids_and_numbers_where_it_can():
    assert [id_parser(pd.Index(["a"]))("7"), id_parser(pd.Index([1.5]))("7")] == ["7", 7.0]
    assert [as_number(text) for text in ("1e3", "1_000", "", "-inf")] == [1000.0, "1_000", "", float("-inf")]
