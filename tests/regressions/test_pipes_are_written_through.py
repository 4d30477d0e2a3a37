"""Saving to a pipe or a device replaced it by a file."""

import os
import threading
from pathlib import Path

import pytest

from penglm.writing import write


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are posix's")
def test_named_pipe_stays_a_pipe(tmp_path):
    pipe, found = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: found.append(Path(pipe).read_bytes()))
    reader.start()
    write(b"content", pipe)
    reader.join(10)
    assert found == [b"content"]
    assert pipe.is_fifo()
