"""Labels of polars and pyarrow keep their order, without a word about narwhals."""

import polars as pl
import pyarrow as pa
import pytest

from penglm.formula.table import converted

CELLS = ["low", "high", "low"]
COLUMNS = {
    "polars enum": lambda: pl.Series(CELLS, dtype=pl.Enum(["low", "high"])),
    "pyarrow dictionary": lambda: pa.chunked_array([
        pa.array(CELLS).dictionary_encode()
    ]),
}  # fmt: skip


# Warnings are errors here: narwhals warned of the name that asks for the levels.
@pytest.mark.parametrize("kind", COLUMNS)
def test_levels_and_cells_are_kept(kind):
    found = converted(COLUMNS[kind]())
    assert found.tolist() == CELLS
    assert found.categories.tolist() == ["low", "high"]


def test_cells_of_a_polars_categorical_are_plain_labels():
    # Its levels stand in the order in which any column of the session first held them.
    assert converted(pl.Series(CELLS, dtype=pl.Categorical)).tolist() == CELLS
