"""Tables from files and standard input, with errors that name file and line."""

import csv
import gzip
import io
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from penglm.exceptions import DataFileError

if TYPE_CHECKING:
    import pandas as pd

KINDS = (".csv", ".csv.gz", ".parquet", ".feather")


def read(source: str) -> "pd.DataFrame":
    """Return a table.

    Parameters
    ----------
    source : str
        Path of a csv, csv.gz, parquet or feather file; ``-`` is csv on standard input.

    Raises
    ------
    DataFileError
        If it cannot be opened or is malformed.
    """
    if source == "-":
        return from_text(sys.stdin.read(), "standard input")
    path = Path(source)
    try:
        if path.name.endswith((".parquet", ".feather")):
            return from_columns(path)
        if not path.name.endswith(KINDS):
            raise DataFileError(
                f"{path.name} has no known ending; use one of {', '.join(KINDS)}."
            )
        raw = path.read_bytes()
        raw = gzip.decompress(raw) if path.name.endswith(".gz") else raw
        return from_text(raw.decode("utf-8-sig"), path.name)
    except UnicodeDecodeError as error:
        raise DataFileError(
            f"{path.name} is not UTF-8 text (byte {error.start}); convert it first."
        ) from None
    except (gzip.BadGzipFile, EOFError) as error:
        raise DataFileError(f"{path.name} is damaged: {error}.") from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DataFileError(f"could not read {path.name}: {reason}.") from None


def from_text(text: str, name: str) -> "pd.DataFrame":
    """Return the table that a csv text holds."""
    import pandas as pd

    try:
        table = pd.read_csv(io.StringIO(text))
    except pd.errors.EmptyDataError:
        raise DataFileError(f"{name} is empty; a header and rows are needed.") from None
    except pd.errors.ParserError as error:
        found = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))
        if found is None:
            raise DataFileError(f"{name} is malformed: {error}") from None
        expected, line, saw = found.groups()
        raise DataFileError(
            f"{name}:{line}: {saw} fields, expected {expected}."
        ) from None
    if len(table) and table.iloc[:, -1].isna().any():
        # pandas completes short lines silently; a missing last cell may be one.
        refuse_short_lines(text, name, len(table.columns))
    return table


def refuse_short_lines(text: str, name: str, expected: int) -> None:
    """Raise if a line has fewer fields than the header."""
    reader = csv.reader(io.StringIO(text))
    for fields in reader:
        if fields and len(fields) < expected:
            raise DataFileError(
                f"{name}:{reader.line_num}: {len(fields)} fields, expected {expected}."
            )


def from_columns(path: Path) -> "pd.DataFrame":
    """Return the table that a parquet or feather file holds."""
    import pandas as pd

    try:
        if path.name.endswith(".parquet"):
            return pd.read_parquet(path)
        return pd.read_feather(path)
    except ImportError:
        raise DataFileError(
            f"{path.name} needs pyarrow to be read: pip install 'penglm[io]'."
        ) from None
    except ValueError as error:
        raise DataFileError(f"{path.name} is damaged: {error}") from None
