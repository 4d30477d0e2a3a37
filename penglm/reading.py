"""Tables from files and standard input, with errors that name file and line."""

import csv
import gzip
import io
import re
import sys
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
        return from_bytes(standard_input(), "standard input")
    path = Path(source)
    if not path.name.endswith(KINDS):
        raise DataFileError(
            f"{path.name} has no known ending; use one of {', '.join(KINDS)}."
        )
    try:
        raw = path.read_bytes()
        if path.name.endswith((".parquet", ".feather")):
            return from_columns(raw, path)
        raw = gzip.decompress(raw) if path.name.endswith(".gz") else raw
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataFileError(f"{path.name} is damaged: {error}.") from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DataFileError(f"could not read {path.name}: {reason}.") from None
    return from_bytes(raw, path.name)


def standard_input() -> bytes:
    """Return the bytes of standard input, or of the text that stands in for it."""
    stream = getattr(sys.stdin, "buffer", None)
    return sys.stdin.read().encode() if stream is None else stream.read()


def from_bytes(raw: bytes, name: str) -> "pd.DataFrame":
    """Return the table that the bytes of a csv hold."""
    try:
        return from_text(raw.decode("utf-8-sig"), name)
    except UnicodeDecodeError as error:
        raise DataFileError(
            f"{name} is not UTF-8 text (byte {error.start}); convert it first."
        ) from None


def from_text(text: str, name: str) -> "pd.DataFrame":
    """Return the table that a csv text holds."""
    import pandas as pd

    try:
        refuse_odd_header(text, name)
        table = pd.read_csv(io.StringIO(text), **exact())
        if len(table) and table.iloc[:, -1].isna().any():
            # pandas completes short lines silently; a missing last cell may be one.
            refuse_short_lines(text, name, len(table.columns))
    except pd.errors.EmptyDataError:
        raise DataFileError(f"{name} is empty; a header and rows are needed.") from None
    except (pd.errors.ParserError, csv.Error, OverflowError) as error:
        found = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))
        if found is None:
            raise DataFileError(f"{name} is malformed: {error}") from None
        expected, line, saw = found.groups()
        raise DataFileError(
            f"{name}:{line}: {saw} fields, expected {expected}."
        ) from None
    return table


def refuse_odd_header(text: str, name: str) -> None:
    """Raise if names repeat, or the first row has more fields than there are names.

    pandas would rename the one and take the other for an index, without a word.
    """
    reader = csv.reader(io.StringIO(text))
    filled = (fields for fields in reader if fields)
    header, first = next(filled, []), next(filled, [])
    twice = [column for column in header if header.count(column) > 1]
    if twice:
        raise DataFileError(
            f"{name} has {header.count(twice[0])} columns named '{twice[0]}'; rename "
            "them."
        )
    if len(first) > len(header) > 0:
        raise DataFileError(
            f"{name}:{reader.line_num}: {len(first)} fields, expected {len(header)}."
        )


def refuse_short_lines(text: str, name: str, expected: int) -> None:
    """Raise if a line has fewer fields than the header."""
    reader = csv.reader(io.StringIO(text))
    for fields in reader:
        if fields and len(fields) < expected:
            raise DataFileError(
                f"{name}:{reader.line_num}: {len(fields)} fields, expected {expected}."
            )


def from_columns(raw: bytes, path: Path) -> "pd.DataFrame":
    """Return the table that the bytes of a parquet or feather file hold."""
    import pandas as pd

    reader = pd.read_parquet if path.name.endswith(".parquet") else pd.read_feather
    try:
        return reader(io.BytesIO(raw))
    except ImportError:
        raise DataFileError(
            f"{path.name} needs pyarrow to be read: pip install 'penglm[io]'."
        ) from None
    except Exception as error:
        # Of a damaged file pyarrow and pandas raise nearly every kind of error.
        raise DataFileError(f"{path.name} is damaged: {error}") from None


def exact() -> dict[str, Any]:
    """Return what ``pandas.read_csv`` has to be told to read numbers to the last bit.

    Before 3.1 its default parser lost that bit of some; since then it is deprecated to
    say so.
    """
    import pandas as pd

    version = tuple(int(part) for part in pd.__version__.split(".")[:2])
    return {} if version >= (3, 1) else {"float_precision": "round_trip"}
