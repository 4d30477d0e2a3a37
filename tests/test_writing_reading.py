"""Files: written wholly or not at all, read with errors that say where."""

import errno
import gzip
import io
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from penglm.exceptions import DataFileError, FileWriteError
from penglm.reading import read
from penglm.writing import write, write_table

OLD, NEW = b"the old content", b"the new content " * 1000
# Decimal numbers may be off by their last bit, which pandas before 3 did not mind.
LAST_BIT = np.finfo(float).eps


def table():
    """Return numbers that need all their digits, gaps, text and whole numbers."""
    rng = np.random.default_rng(0)
    data = pd.DataFrame({"x": rng.normal(size=200) * 10.0 ** rng.integers(-9, 9, 200)})
    data.loc[3, "x"] = np.nan
    data["count"] = np.arange(200)
    data["label"] = np.resize(["a", "b, c", 'd "e"', "f\ng"], 200)
    return data


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Stand in an empty folder and return it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_write_replaces_the_whole_file(folder):
    path = folder / "out"
    for content in (NEW, b"", OLD):
        write(content, path)
        assert path.read_bytes() == content
    assert names(folder) == ["out"]


def full(*_, **__):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def failing_file(method):
    """Return a maker of temporary files of which one method fails, half done."""
    make = tempfile.NamedTemporaryFile

    def broken(*arguments, **options):
        file = make(*arguments, **options)
        whole = file.write

        def fail(*content):
            whole(b"".join(content)[:10])
            full()

        setattr(file, method, fail)
        return file

    return broken


FAULTS = {
    "create": ("tempfile.NamedTemporaryFile", full),
    "write": ("tempfile.NamedTemporaryFile", failing_file("write")),
    "flush": ("tempfile.NamedTemporaryFile", failing_file("flush")),
    "fsync": ("os.fsync", full),
    "replace": ("os.replace", full),
}
every_fault = pytest.mark.parametrize("fault", FAULTS)


@every_fault
def test_failed_write_leaves_the_old_file_and_no_other(folder, monkeypatch, fault):
    path = folder / "model.json"
    path.write_bytes(OLD)
    monkeypatch.setattr(*FAULTS[fault])
    text = (
        "could not write model.json: no space left on device; the previous file is "
        "unchanged."
    )
    with pytest.raises(FileWriteError, match=f"^{re.escape(text)}$"):
        write(NEW, path)
    assert path.read_bytes() == OLD
    assert names(folder) == ["model.json"]


@every_fault
def test_failed_first_write_leaves_nothing_and_claims_nothing(
    folder, monkeypatch, fault
):
    monkeypatch.setattr(*FAULTS[fault])
    text = "could not write model.json: no space left on device."
    with pytest.raises(FileWriteError, match=f"^{re.escape(text)}$"):
        write(NEW, folder / "model.json")
    assert names(folder) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
@pytest.mark.parametrize("call", ["os.fsync", "os.replace"])
def test_interrupted_write_passes_on_the_interrupt(folder, monkeypatch, call, error):
    def interrupt(*_):
        raise error

    path = folder / "out"
    path.write_bytes(OLD)
    monkeypatch.setattr(call, interrupt)
    with pytest.raises(error):
        write(NEW, path)
    assert path.read_bytes() == OLD
    assert names(folder) == ["out"]


@pytest.mark.parametrize(
    ("place", "reason"), [("no/out", "no such file or directory"), (".", "directory")]
)
def test_place_that_cannot_be_written_is_named_with_its_reason(folder, place, reason):
    with pytest.raises(FileWriteError, match=reason):
        write(NEW, folder / place)


@pytest.mark.skipif(os.name != "posix", reason="modes and links are posix's")
@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_new_file_has_the_mode_that_any_file_would_have(folder, mask):
    before = os.umask(mask)
    try:
        write(NEW, folder / "out")
    finally:
        os.umask(before)
    assert (folder / "out").stat().st_mode & 0o777 == 0o666 & ~mask


@pytest.mark.skipif(os.name != "posix", reason="modes and links are posix's")
def test_old_file_keeps_its_mode(folder):
    path = folder / "out"
    path.write_bytes(OLD)
    path.chmod(0o640)
    write(NEW, path)
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.skipif(os.name != "posix", reason="modes and links are posix's")
def test_write_follows_a_link(folder):
    (folder / "real").write_bytes(OLD)
    (folder / "link").symlink_to("real")
    write(NEW, folder / "link")
    assert (folder / "link").is_symlink()
    assert (folder / "real").read_bytes() == NEW


@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
def test_table_comes_back_as_it_was_written(folder, name):
    write_table(table(), name)
    pd.testing.assert_frame_equal(read(name), table(), rtol=LAST_BIT)


@pytest.mark.parametrize("name", ["in.csv", "in.csv.gz", "in.feather"])
def test_tables_of_pandas_are_read_as_they_were_written(folder, name):
    if name.endswith("feather"):
        table().to_feather(name)
    else:
        table().to_csv(name, index=False)
    pd.testing.assert_frame_equal(read(name), table(), rtol=LAST_BIT)


@pytest.mark.parametrize("name", ["out.txt", "out", "out.csv.gz"])
def test_table_of_unknown_ending_is_not_written(folder, name):
    text = f"{name} must end in .csv or .parquet."
    with pytest.raises(FileWriteError, match=f"^{re.escape(text)}$"):
        write_table(table(), name)
    assert names(folder) == []


def test_parquet_without_pyarrow_says_what_to_install(folder, monkeypatch):
    def absent(*_, **__):
        raise ImportError

    monkeypatch.setattr(pd.DataFrame, "to_parquet", absent)
    monkeypatch.setattr(pd, "read_parquet", absent)
    (folder / "in.parquet").write_bytes(b"PAR1")
    for call in (lambda: write_table(table(), "o.parquet"), lambda: read("in.parquet")):
        with pytest.raises((FileWriteError, DataFileError), match=r"penglm\[io\]"):
            call()


MALFORMED = {
    "more fields in one line": ("a,b\n1,2\n3,4,5\n", ":3: 3 fields, expected 2."),
    "more fields in every line": ("a,b\n1,2,3\n4,5,6\n", ":2: 3 fields, expected 2."),
    "more fields, then fewer": ("a,b\n1,2,3\n4,5\n", ":2: 3 fields, expected 2."),
    "a comma at every end": ("a,b\n1,2,\n4,5,\n", ":2: 3 fields, expected 2."),
    "fewer fields": ("a,b\n1,2\n3\n", ":3: 1 fields, expected 2."),
    "fewer fields after a blank line": ("a,b\n1,2\n\n3\n", ":4: 1 fields, expected 2."),
    "fewer fields after a long cell": (
        'a,b\n"1\n2",2\n3\n',
        ":4: 1 fields, expected 2.",
    ),
    "open quote": ('a,b\n1,"2\n3,4\n', " is malformed: "),
    "empty": ("", " is empty; a header and rows are needed."),
    "blank": ("\n\n", " is empty; a header and rows are needed."),
    "two columns of one name": ("a,b,a\n1,2,3\n", "'a'"),
}


@pytest.mark.parametrize("case", MALFORMED)
@pytest.mark.parametrize("name", ["in.csv", "in.csv.gz", "-"])
def test_malformed_text_is_named_by_file_and_line(folder, monkeypatch, case, name):
    text, complaint = MALFORMED[case]
    content, shown = text.encode(), name
    if name == "-":
        shown = "standard input"
        monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    else:
        content = gzip.compress(content) if name.endswith(".gz") else content
        (folder / name).write_bytes(content)
    with pytest.raises(DataFileError) as caught:
        read(name)
    assert shown in str(caught.value)
    assert complaint in str(caught.value)


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("name", ["in.csv", "-"])
def test_marks_and_line_ends_of_other_systems_are_no_part_of_the_table(
    folder, monkeypatch, name, mark, ending
):
    text = mark + ending.join(["a,b", "1,x", "2,y", ""])
    (folder / "in.csv").write_bytes(text.encode())
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    expected = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    pd.testing.assert_frame_equal(read(name), expected)


@pytest.mark.parametrize("name", ["in.csv", "-"])
@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_text_that_is_not_utf8_is_refused(folder, monkeypatch, name, encoding):
    content = "a,b\n1,é\n".encode(encoding)
    (folder / "in.csv").write_bytes(content)
    stream = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", stream)
    with pytest.raises(DataFileError, match="is not UTF-8 text"):
        read(name)


def test_missing_last_cell_is_no_short_line(folder):
    (folder / "in.csv").write_text("a,b\n1,\n2,3\n")
    assert read("in.csv")["b"].isna().tolist() == [True, False]


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "parquet", "feather"])
def test_file_that_is_absent_is_named_with_its_reason(folder, kind):
    text = f"could not read none.{kind}: no such file or directory."
    with pytest.raises(DataFileError, match=f"^{re.escape(text)}$"):
        read(f"none.{kind}")


def test_unknown_ending_is_refused_with_the_known_ones(folder):
    (folder / "in.xlsx").write_bytes(b"PK")
    with pytest.raises(DataFileError, match=r"in\.xlsx has no known ending; use one"):
        read("in.xlsx")


def stored(kind):
    """Return the bytes of a table in a format."""
    buffer = io.BytesIO()
    if kind == "csv.gz":
        return gzip.compress(table().to_csv(index=False).encode())
    getattr(table(), f"to_{kind}")(buffer)
    return buffer.getvalue()


KINDS = ("csv.gz", "parquet", "feather")


@pytest.mark.parametrize("kind", KINDS)
def test_truncated_file_is_damaged_at_every_length(folder, kind):
    whole = stored(kind)
    path = folder / f"in.{kind}"
    for length in np.linspace(0, len(whole) - 1, 60).astype(int):
        path.write_bytes(whole[:length])
        with pytest.raises(DataFileError, match=re.escape(path.name)):
            read(path.name)


@pytest.mark.parametrize("kind", KINDS)
def test_flipped_bytes_are_an_error_of_ours_or_harmless(folder, kind):
    whole, rng = stored(kind), np.random.default_rng(1)
    path = folder / f"in.{kind}"
    for _ in range(300):
        content = bytearray(whole)
        for place in rng.integers(0, len(whole), 3):
            content[place] ^= int(rng.integers(1, 256))
        path.write_bytes(content)
        try:
            found = read(path.name)
        except DataFileError:
            continue
        # A checksum guards the text; the other formats have none by default.
        if kind == "csv.gz":
            pd.testing.assert_frame_equal(found, table(), rtol=LAST_BIT)


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from penglm.exceptions import FileWriteError
from penglm.writing import write

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
limit, path = int(sys.argv[1]), Path(sys.argv[2])
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
try:
    write(b"the new content " * 10_000, path)
except FileWriteError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits of size are posix's")
@pytest.mark.parametrize("limit", [0, 1, 4096, 65_537, 159_999])
def test_write_that_stops_short_leaves_the_old_file(folder, limit):
    (folder / "out").write_bytes(OLD)
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(limit), str(folder / "out")],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    text = "could not write out: file too large; the previous file is unchanged."
    assert done.stdout.strip() == text
    assert (folder / "out").read_bytes() == OLD
    assert names(folder) == ["out"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
def test_device_that_is_full_is_named():
    text = "could not write full: no space left on device."
    with pytest.raises(FileWriteError, match=f"^{re.escape(text)}$"):
        write(NEW, Path("/dev/full"))
