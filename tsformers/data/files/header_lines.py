"""Lines beside the rows: a header of several lines, totals above or below the rows."""

import re
from collections.abc import Sequence

from tsformers.data.files.table_file import MISSING, SURE_TIME_NAMES

DIGIT = re.compile(r"\d")
TOTALS = frozenset((
    "total", "totals", "subtotal", "sum", "sums", "average", "avg", "mean", "median", "summe", "gesamt",
    "gesamtsumme", "insgesamt", "zwischensumme", "durchschnitt", "mittel", "mittelwert", "totale", "totaux", "somme",
    "moyenne", "suma", "media", "promedio", "soma", "média", "somma", "totaal", "som", "gemiddelde", "summa",
    "totalt", "medel", "gennemsnit", "gjennomsnitt", "yhteensä", "keskiarvo", "razem", "łącznie", "średnia",
    "celkem", "toplam", "ortalama", "итого", "всего", "сумма", "среднее", "合計", "総計", "平均", "合计", "总计",
))  # fmt: skip


def joined_names(names: Sequence[str], below: Sequence[Sequence[str]]) -> tuple[list[str], bool]:
    """The names of columns of a header of several lines.

    Args:
        names: of its first line; a cell that is merged with the one before it is empty.
        below: the cells of its other lines.

    Returns:
        The names, and whether lines were joined to them: that is where names repeat or are empty. A last line of one
        cell, as pandas writes it, is the name of the first column.

    Example:
        >>> joined_names(["Price", "Close", "Close"], [["Ticker", "A", "B"], ["Date", "", ""]])
        (['Date', 'Close A', 'Close B'], True)
        >>> joined_names(["date", "rain"], [["", "mm"]])
        (['date', 'rain'], False)
    """
    names, lines = [*names], [*below]
    filled = [name for name in names if name]
    merged = any(not name and any(line[j] for line in lines) for j, name in enumerate(names) if j > 1)
    several = len(set(filled)) < len(filled) or merged
    index = lines[-1][0] if lines and not any(lines[-1][1:]) and (several or len(lines) > 1) else ""
    if index:
        lines, names[0] = lines[:-1], index
    if not several:
        return names, False
    for j in range(1, len(names)):
        parts = [names[j], *(line[j] for line in lines)]
        if j > 1 and not names[j] and any(parts):
            names[j] = names[j - 1]  # still without the lines below it
    joined = [" ".join(dict.fromkeys(part for part in parts if part)) for parts in zip(names, *lines, strict=True)]
    return [names[0] or joined[0], *joined[1:]], True


def is_total(cells: Sequence[str], kinds: Sequence[str], names: Sequence[str]) -> bool:
    """Whether a line holds totals: a word for them stands where all rows have a time, or beside an empty time.

    Args:
        cells: of the line.
        kinds: of the columns, from ``column_kind``.
        names: of the columns.

    Returns:
        True for "Total;1998" among days, False for "north;yesterday;3": that is a row of a series.

    Example:
        >>> is_total(["Total", "1998"], ["time", "number"], ["day", "sales"])
        True
        >>> is_total(["yesterday", "2"], ["time", "number"], ["day", "sales"])
        False
    """
    times = [
        j
        for j, kind in enumerate(kinds)
        if kind == "time" or (kind == "number" and names[j].lower() in SURE_TIME_NAMES)
    ]
    found = [cells[j].strip() for j in times if j < len(cells)]
    words = [cell for cell in found if cell and cell not in MISSING]
    if found and not words:
        words = [text for cell in cells if _means_total(text := cell.strip())]
    return bool(words) and all(map(_means_total, words))


def _means_total(cell: str) -> bool:
    words = re.findall(r"\w+", cell.casefold())
    return 0 < len(words) < 4 and not DIGIT.search(cell) and any(word in TOTALS for word in words)
