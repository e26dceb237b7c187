"""Kinds of files, found by content: typed, JSON, workbooks, packed; options that do not apply; files that are none."""

import bz2
import gzip
import io
import json
import lzma
import warnings
import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import feather

from tsformers.data.files.read import read_table
from tsformers.data.files.table_file import FileOptions
from tsformers.errors import DataError

DAYS = [f"2024-01-{day:02}" for day in range(1, 11)]
FRAME = pd.DataFrame({"unique_id": "a", "ds": DAYS, "y": np.arange(10) + 0.5})
CSV = FRAME.to_csv(index=False).encode()


def read(path, content, **options):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(path, FileOptions(**options))


def refused(path, content, tongue="shell", **options):
    with pytest.raises(DataError) as caught:
        read(path, content, **options)
    assert "\n" not in str(caught.value)
    return caught.value.message.text(tongue)


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("JSON lines", FRAME.to_json(orient="records", lines=True)),
        ("JSON records", FRAME.to_json(orient="records", indent=2)),
        ("JSON records", json.dumps({"rows": json.loads(FRAME.to_json(orient="records"))})),
        ("JSON by columns", json.dumps(FRAME.to_dict("list"))),
        ("JSON by columns", FRAME.to_json()),
        ("JSON by columns", FRAME.to_json(orient="split")),
        ("CSV", CSV),
    ],
)
def test_text_is_recognised_by_content_whatever_its_name(tmp_path, kind, content):
    table = read(tmp_path / "a.parquet", content)
    assert table.kind == kind
    assert table.frame.astype(object).values.tolist() == FRAME.astype(object).values.tolist()


def test_typed_files_keep_their_types_and_an_index_is_a_column_again(tmp_path):
    typed = FRAME.assign(ds=pd.to_datetime(FRAME["ds"]))
    typed.to_parquet(tmp_path / "p.csv")
    feather.write_feather(typed, tmp_path / "f.csv")
    table = pa.Table.from_pandas(typed, preserve_index=False)
    for name, new in (("file.txt", pa.ipc.new_file), ("stream.txt", pa.ipc.new_stream)):
        with pa.OSFile(str(tmp_path / name), "wb") as sink, new(sink, table.schema) as writer:
            writer.write_table(table)
    for name in ("p.csv", "f.csv", "file.txt", "stream.txt"):
        found = read_table(tmp_path / name)
        assert not found.text and found.frame["ds"].dtype.kind == "M" and len(found.frame) == 10, name
    typed.set_index("ds")[["y"]].to_parquet(tmp_path / "index.parquet")
    typed.set_index(["unique_id", "ds"]).to_parquet(tmp_path / "two.parquet")
    typed[["y"]].set_axis(pd.DatetimeIndex(typed["ds"], name=None)).to_parquet(tmp_path / "bare.parquet")
    typed[typed["y"] > 5].to_parquet(tmp_path / "some.parquet")
    assert [*read_table(tmp_path / "index.parquet").frame] == ["ds", "y"]
    assert [*read_table(tmp_path / "two.parquet").frame] == ["unique_id", "ds", "y"]
    assert [*read_table(tmp_path / "bare.parquet").frame] == ["ds", "y"]
    assert [*read_table(tmp_path / "some.parquet").frame] == ["unique_id", "ds", "y"]


def test_packed_files_are_unpacked_and_an_archive_of_several_files_is_refused(tmp_path):
    with pa.CompressedOutputStream(str(tmp_path / "zst"), "zstd") as sink:
        sink.write(CSV)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as target:
        target.writestr("a.csv.gz", gzip.compress(CSV))
        target.writestr("__MACOSX/._a.csv", "x")
    packed = [gzip.compress(CSV), bz2.compress(CSV), lzma.compress(CSV), (tmp_path / "zst").read_bytes()]
    for content in [*packed, archive.getvalue()]:
        assert read(tmp_path / "a", content).frame["y"].tolist() == FRAME["y"].tolist()
    with zipfile.ZipFile(archive, "a") as target:
        target.writestr("north.csv", CSV)
    assert "holds 2 files: a.csv.gz, north.csv" in refused(tmp_path / "a.zip", archive.getvalue())
    assert "damaged" in refused(tmp_path / "a.gz", gzip.compress(CSV)[:40])


def test_an_answer_of_prometheus_is_one_series_a_metric(tmp_path):
    result = [
        {"metric": {"__name__": "up", "job": "web", "instance": str(n)}, "values": [[60, "1.5"], [120, "NaN"]]}
        for n in (1, 2)
    ]
    answer = {"status": "success", "data": {"resultType": "matrix", "result": result}}
    for content in (json.dumps(answer), json.dumps(answer, indent=1)):
        frame = read(tmp_path / "a.json", content).frame
        assert frame["unique_id"].unique().tolist() == ['up{instance="1", job="web"}', 'up{instance="2", job="web"}']
        assert frame["ds"].tolist() == [60, 120, 60, 120] and frame["ds"].dtype == "int64"
        assert frame["y"].isna().tolist() == [False, True] * 2
    assert "bad query" in refused(tmp_path / "a.json", '{"status": "error", "error": "bad query"}\n \n')


def test_markers_among_numbers_of_json_are_missing_and_texts_stay_texts(tmp_path):
    records = [{"id": "1", "y": 1.5}, {"id": "2", "y": "NaN"}, {"id": "NA", "y": None}]
    for content in (json.dumps(records), "".join(json.dumps(record) + "\n" for record in records)):
        frame = read(tmp_path / "a.json", content).frame
        assert frame["id"].tolist() == ["1", "2", "NA"]
        assert frame["y"].dtype == float and frame["y"].isna().tolist() == [False, True, True]


def test_json_lines_are_counted_as_an_editor_counts_them(tmp_path):
    table = read(tmp_path / "a", '{"y": 1}\n\n{"y": 2}\n')
    assert [table.places.at(row) for row in (0, 1)] == ["line 1", "line 3"]
    assert "line 3 is no JSON" in refused(tmp_path / "a", '{"y": 1}\n\n{"y": }\n')


@pytest.mark.parametrize(
    ("content", "options", "part"),
    [
        (FRAME.assign().to_parquet(), {"decimal": ","}, "--decimal"),
        (FRAME.to_parquet(), {"encoding": "latin-1"}, "--encoding"),
        (CSV, {"sheet": "south"}, "--sheet"),
        ("[]", {"sep": ";"}, "--sep"),
        ('{"y": [1]}', {"skip_rows": 1}, "--skip-rows"),
        (CSV, {"decimal": "x"}, "--decimal ,"),
        (CSV, {"sep": "ab"}, "--sep"),
        (CSV, {"encoding": "klingon"}, "there is no encoding 'klingon'"),
    ],
)
def test_options_that_cannot_apply_are_refused_by_name(tmp_path, content, options, part):
    assert part in refused(tmp_path / "a", content, **options)


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (bytes(range(256)) * 20, "is no table"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\1\0", "is no table"),
        (b"<!DOCTYPE html><html></html>", "is a web page"),
        (b"PAR1 and no more", "cannot be read as Parquet"),
        (b"# only\n# comments\n", "has no rows"),
        (b'{"a": 1', "is no JSON"),
        (b'{"a": [1, 2], "b": [1]}', "columns of different lengths: 'a' 2, 'b' 1"),
        (b"[1, 2]", "JSON of an unknown form"),
        (b"ds,y\n2024-01-01,5\0\n", "holds a NUL byte at line 2"),
    ],
)
def test_what_is_no_table_is_refused_in_one_line(tmp_path, content, part):
    assert part in refused(tmp_path / "a.csv", content)


def test_folders_addresses_and_missing_files_are_named(tmp_path):
    for source, part in (
        (tmp_path, "is a folder"),
        ("https://x.org/a.csv", "download it"),
        (tmp_path / "b", "no such"),
    ):
        with pytest.raises(DataError, match=part):
            read_table(source)


def workbook(path, sheets):
    pytest.importorskip("python_calamine")
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"

    def cell(value, place):
        if isinstance(value, int | float):
            return f'<c r="{place}"><v>{value}</v></c>'
        return f'<c r="{place}" t="inlineStr"><is><t>{value}</t></is></c>' if value else ""

    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{package}/content-types"><Default Extension="xml" ContentType="application/xml"/>'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            "</Types>",
        )
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{package}/relationships"><Relationship Id="r" Type="{office}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>',
        )
        named = "".join(f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"/>' for n, name in enumerate(sheets, 1))
        archive.writestr(
            "xl/workbook.xml", f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>{named}</sheets></workbook>'
        )
        links = "".join(
            f'<Relationship Id="r{n}" Type="{office}/worksheet" Target="worksheets/sheet{n}.xml"/>'
            for n in range(1, len(sheets) + 1)
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{package}/relationships">{links}</Relationships>'
        )
        for n, rows in enumerate(sheets.values(), 1):
            body = "".join(
                f'<row r="{r}">' + "".join(cell(value, f"{chr(65 + c)}{r}") for c, value in enumerate(row)) + "</row>"
                for r, row in enumerate(rows, 1)
            )
            archive.writestr(
                f"xl/worksheets/sheet{n}.xml", f'<worksheet xmlns="{main}"><sheetData>{body}</sheetData></worksheet>'
            )


def test_a_workbook_is_a_table_below_its_titles_whatever_its_name(tmp_path):
    rows = [["Sales"], [], ["id", "day", "y", "note"], *[["007", day, 10 + k, "x"] for k, day in enumerate(DAYS)]]
    rows[5][2], rows[6][2] = "n/a", "1 234,5"
    workbook(tmp_path / "a.csv", {"one": rows, "empty": []})
    table = read_table(tmp_path / "a.csv")
    assert table.kind == "Excel" and "1 title row skipped" in table.facts
    assert table.frame["id"].tolist() == ["007"] * 10
    assert table.frame["y"].isna().sum() == 1 and table.frame["y"][3] == 1234.5
    assert table.places.at(0) == "line 4"


def test_a_workbook_with_two_tables_asks_which(tmp_path):
    rows = [["day", "y"], *[[day, 1] for day in DAYS]]
    workbook(tmp_path / "a.xlsx", {"north": rows, "south": [["day", "y"], ["2024-01-01", 5]]})
    message = refused(tmp_path / "b", (tmp_path / "a.xlsx").read_bytes())
    assert "--sheet north or --sheet south" in message
    table = read_table(tmp_path / "a.xlsx", FileOptions(sheet="south"))
    assert table.frame["y"].tolist() == [5] and "sheet 'south'" in table.facts
    assert "no sheet 'east'" in refused(tmp_path / "b", (tmp_path / "a.xlsx").read_bytes(), sheet="east")


@pytest.mark.parametrize("orient", ["columns", "split", "table"])
def test_labels_of_rows_that_are_times_are_a_column_of_json(tmp_path, orient):
    frame = pd.DataFrame(
        {"sales": np.arange(10)}, index=pd.DatetimeIndex(DAYS, name="day" if orient == "table" else None)
    )
    form = "epoch" if orient == "columns" else "iso"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas 3 warns of epochs
        text = frame.to_json(orient=orient, date_format=form)
    found = read(tmp_path / "a.json", text).frame
    assert found.columns.tolist() == ["day" if orient == "table" else "ds", "sales"]
    assert found["sales"].tolist() == list(range(10))
    whole = found.iloc[:, 0].dtype.kind == "i"
    assert pd.to_datetime(found.iloc[:, 0], unit="ms" if whole else None).tolist() == [*pd.DatetimeIndex(DAYS)]


def test_labels_of_rows_that_count_are_no_column_of_json(tmp_path):
    assert read(tmp_path / "a.json", FRAME.iloc[::-1].to_json()).frame.columns.tolist() == [*FRAME.columns]


def test_json_that_only_looks_like_prometheus_is_of_an_unknown_form(tmp_path):
    answer = {"status": "ok", "data": {"records": [{"ds": DAYS[0], "y": 1}]}}
    assert "is JSON of an unknown form" in refused(tmp_path / "a.json", json.dumps(answer))


def test_a_pointer_of_git_lfs_is_called_so(tmp_path):
    text = "version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 12\n"
    assert "is a pointer of Git LFS and no table" in refused(tmp_path / "a.csv", text)


def test_a_second_row_of_the_header_and_totals_of_a_workbook(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    pytest.importorskip("python_calamine")
    book = openpyxl.Workbook()
    rows = [["Day", "North", None, "South"], [None, "units", "price", "units"]]
    rows += [[day, n, n + 0.5, n] for n, day in enumerate(pd.DatetimeIndex(DAYS).to_pydatetime())]
    for row in [*rows, ["Total", 45, None, 45]]:
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    found = read_table(tmp_path / "a.xlsx", FileOptions())
    assert found.frame.columns.tolist() == ["Day", "North units", "North price", "South units"]
    assert found.frame["Day"].tolist() == [*pd.DatetimeIndex(DAYS)] and found.places.line_of(0) == 3
    assert found.facts[-2:] == ("2 header rows joined", "totals below the rows left out (row 13)")
