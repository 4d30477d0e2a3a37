"""Files written in one step: wholly, or not at all."""

import contextlib
import io
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from penglm.exceptions import FileWriteError

if TYPE_CHECKING:
    import pandas as pd


def write(content: bytes, path: Path) -> None:
    """Write a file in one step: beside its place first, then renamed.

    Raises
    ------
    FileWriteError
        If that failed; an older file is unchanged and nothing else is left behind.
    """
    temporary: Path | None = None
    # Through a link, to the file it names.
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():
        write_through(content, path)
        return
    try:
        with tempfile.NamedTemporaryFile(
            "wb", dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:  # fmt: skip
            temporary = Path(file.name)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(mode_of(path))
        os.replace(temporary, path)
    except BaseException as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink()
        if not isinstance(error, OSError):
            raise
        reason = (error.strerror or str(error)).lower()
        kept = "; the previous file is unchanged" if path.exists() else ""
        raise FileWriteError(f"could not write {path.name}: {reason}{kept}.") from None


def write_through(content: bytes, path: Path) -> None:
    """Write to a pipe or a device, which must not be replaced by a file."""
    try:
        with open(path, "wb") as file:
            file.write(content)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise FileWriteError(f"could not write {path.name}: {reason}.") from None


def mode_of(path: Path) -> int:
    """Return the mode of a file, of a new one as the process would create it."""
    if path.exists():
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def write_table(table: "pd.DataFrame", path: str) -> None:
    """Write a table as csv or parquet.

    Raises
    ------
    FileWriteError
        If it cannot be written.
    """
    if path.endswith(".parquet"):
        buffer = io.BytesIO()
        try:
            table.to_parquet(buffer, index=False)
        except ImportError:
            raise FileWriteError(
                f"{path} needs pyarrow to be written: pip install 'penglm[io]'."
            ) from None
        content = buffer.getvalue()
    elif path.endswith(".csv"):
        content = table.to_csv(index=False).encode()
    else:
        raise FileWriteError(f"{path} must end in .csv or .parquet.")
    write(content, Path(path))
