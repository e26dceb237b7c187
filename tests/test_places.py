"""Names of rows in messages."""

import numpy as np
import pandas as pd

from tsformers.places import Places


def test_rows_are_named_by_label_or_line():
    assert Places().at(3) == "row 3"
    assert Places(labels=["a", "b"]).at(1) == "row 'b'"
    assert Places(labels=pd.Index([10, 20])).at(np.int64(1)) == "row 20"
    assert Places("sales.csv", line_of=lambda row: row + 2).at(1) == "line 3"
