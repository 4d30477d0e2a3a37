"""Results as JSON lines, one a workload, so that a run can be broken off and resumed.

A record is good for a run with the same workload, scale, seed, correlation, rivals and
source of penglm; the page takes the last record of each workload at its scale.
"""

import hashlib
import json
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def source_digest() -> str:
    """Return a digest of penglm's source."""
    found = hashlib.sha256()
    for path in sorted((ROOT / "penglm").rglob("*.py")):
        found.update(path.read_bytes())
    return found.hexdigest()[:12]


def machine() -> dict[str, str]:
    """Return what the figures depend on, without names of machines or people."""
    model = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        flags = ""
    wide = next((name for name in ("avx512f", "avx2") if name in flags), "")
    names = ("numpy", "scipy", "numba")
    return {
        "cpu": " ".join(part for part in (model, wide) if part),
        "cores": str(os.cpu_count()),
        "system": platform.system(),
        "python": sys.version.split()[0],
        "versions": ", ".join(f"{name} {version(name)}" for name in names),
    }


class Records:
    """The file of results.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        lines = path.read_text().splitlines() if path.is_file() else []
        self.all = [json.loads(line) for line in lines if line.strip()]

    def find(self, key: dict) -> dict | None:
        """Return the last record with this key."""
        same = [record for record in self.all if record["key"] == key]
        return same[-1] if same else None

    def add(self, record: dict) -> None:
        """Append a record and write it at once."""
        self.all.append(record)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a") as file:
            file.write(json.dumps(record) + "\n")

    def latest(self, scale: str) -> dict[str, dict]:
        """Return the last record of each workload at a scale."""
        return {
            record["key"]["workload"]: record
            for record in self.all
            if record["key"]["scale"] == scale
        }
