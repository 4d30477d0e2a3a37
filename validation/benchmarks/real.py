"""Real tables of the benchmark, from a folder of data sets beside the repository."""

from pathlib import Path

import numpy as np
from scipy import sparse

from validation.benchmarks.case import Table, scaled, standardized
from validation.problem import AbsentError


def golub(folder: Path) -> Table:
    """Return leukaemia types by gene expression (Golub et al. 1999)."""
    frame = read(folder, "golub.csv.gz")
    X = frame.drop(columns="class").to_numpy(float)
    return Table(standardized(X), (frame["class"] == "AML").to_numpy(float))


def spam(folder: Path) -> Table:
    """Return messages by word frequencies (UCI Spambase)."""
    frame = read(folder, "spam.csv")
    X = frame.drop(columns="type").to_numpy(float)
    return Table(standardized(X), frame["type"].to_numpy(float))


def we8there(folder: Path) -> Table:
    """Return ratings by phrase counts (Mauá and Cozman 2009)."""
    cells = read(folder, "we8there_x_triplets.csv.gz")
    ratings = read(folder, "we8there_ratings.csv")["Overall"].to_numpy(float)
    shape = (ratings.size, int(cells["col"].max()) + 1)
    where = (cells["row"], cells["col"])
    X = sparse.csc_matrix((cells["value"].to_numpy(float), where), shape=shape)
    return Table(scaled(X), ratings)


def we8there_good(folder: Path) -> Table:
    """Return whether the rating is above 3, by phrase counts."""
    table = we8there(folder)
    return Table(table.X, (table.y > 3).astype(np.float64))


def read(folder: Path, name: str):
    """Return a table of the folder ``data``.

    Raises
    ------
    AbsentError
        If it is not there.
    """
    import pandas as pd

    path = folder / "data" / name
    if not path.is_file():
        raise AbsentError(f"{name} is not in the folder of shared data")
    return pd.read_csv(path)
