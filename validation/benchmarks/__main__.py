"""Benchmark penglm against its rivals and write the page.

    python -m validation.benchmarks            everything, about 40 minutes, one core
    python -m validation.benchmarks --quick    a smoke run of everything, small

Rivals are installed from the package index into environments of their own, once. An
interrupted run goes on where it was: results are kept after each workload.
"""

import argparse
import importlib.util
import os
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "benchmarks"
PAGE = ROOT / "docs" / "validation" / "benchmarks.md"


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m validation.benchmarks",
        description=__doc__.splitlines()[0],
    )
    add = parser.add_argument
    add("--only", metavar="NAME[,NAME]", help="workloads by key")
    add("--rivals", metavar="NAME[,NAME]", help="rivals by name")
    add("--quick", action="store_true", help="small sizes; the page stays in build/")
    add("--seed", type=int, default=0, help="added to the seed of every workload")
    add("--rho", type=float, help="correlation, instead of each workload's own")
    add("--limit", type=float, default=30.0, help="seconds allowed for one fit")
    add("--budget", type=float, default=45.0, help="seconds for a rival's ladder")
    add("--core", type=int, help="core to run on; the last one if not given")
    add("--environments", type=Path, metavar="DIR", help="where rivals are installed")
    add("--shared", type=Path, default=ROOT.parent / "shared", metavar="DIR",
        help="folder of real data")  # fmt: skip
    add("--results", type=Path, metavar="FILE", help="results, as JSON lines")
    add("--page", type=Path, metavar="FILE", help="the page to write")
    add("--page-only", action="store_true", help="only make the page from results")
    add("--again", action="store_true", help="measure what is in the results, too")
    add("--list", action="store_true", help="name workloads and rivals")
    return parser.parse_args(given)


def single_core(core: int | None) -> None:
    """Keep this process, and all it starts, to one core and one thread."""
    from validation.benchmarks.environments import THREADS

    os.environ.pop("OPENBLAS_CORETYPE", None)
    for name in THREADS:
        os.environ[f"{name}_NUM_THREADS"] = "1"
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[-1] if core is None else core})


def picked(names: str | None, known: list[str], what: str) -> list[str]:
    """Return the names asked for, all if none were."""
    if names is None:
        return known
    asked = [name.strip() for name in names.split(",")]
    unknown = [name for name in asked if name not in known]
    if unknown:
        sys.exit(f"unknown {what}: {', '.join(unknown)}. Known: {', '.join(known)}.")
    return asked


def measure(asked: argparse.Namespace, results) -> None:
    """Run the workloads that are not in the results yet."""
    from validation.benchmarks import environments, records
    from validation.benchmarks.workloads import WORKLOADS

    folder = asked.environments or environments.default_folder()
    known = environments.Environments(folder.resolve())
    everyone = environments.everyone()
    names = picked(asked.rivals, [rival.name for rival in everyone[1:]], "rivals")
    rivals = [everyone[0], *(rival for rival in everyone if rival.name in names)]
    keys = picked(asked.only, [workload.key for workload in WORKLOADS], "workloads")
    digest, started = records.source_digest(), time.monotonic()
    for workload in WORKLOADS:
        if workload.key not in keys:
            continue
        key = {
            "workload": workload.key, "scale": "quick" if asked.quick else "full",
            "seed": asked.seed, "rho": asked.rho, "rivals": sorted(names),
            "penglm": digest,
        }  # fmt: skip
        minutes = (time.monotonic() - started) / 60
        print(f"[{minutes:5.1f} min] {workload.key}: {workload.title}", flush=True)
        if results.find(key) and not asked.again:
            print("  in the results", flush=True)
            continue
        record = one(workload, asked, known, rivals)
        results.add({"key": key, "machine": records.machine(), **record})


def one(workload, asked: argparse.Namespace, known, rivals) -> dict:
    """Measure one workload; return its record, or why there is none."""
    from validation.benchmarks.contest import Contest
    from validation.problem import AbsentError

    try:
        case = workload.build(
            is_quick=asked.quick, seed=asked.seed, rho=asked.rho, shared=asked.shared
        )
    except AbsentError as reason:
        print(f"  absent: {reason}", flush=True)
        return {"absent": str(reason)}
    with tempfile.TemporaryDirectory(prefix="penglm-benchmark-") as name:
        case.write(Path(name))
        contest = Contest(
            case, Path(name), known, limit=asked.limit, budget=asked.budget,
            say=lambda line: print(line, flush=True),
        )  # fmt: skip
        try:
            return contest.run(rivals)
        except Exception as error:
            # One workload must not cost the others.
            traceback.print_exc()
            return {"absent": f"the measurement failed: {error}"}


def main(given: list[str] | None = None) -> int:
    """Measure, write the page and the picture, return the exit code."""
    asked = arguments(given)
    single_core(asked.core)
    # Workers and temporary files are let go of on the way out.
    signal.signal(signal.SIGTERM, lambda *unused: sys.exit("stopped"))
    if importlib.util.find_spec("matplotlib") is None:
        sys.exit("the picture needs matplotlib: python -m pip install '.[plot]'")
    from validation.benchmarks import environments, page, picture
    from validation.benchmarks.records import Records
    from validation.benchmarks.workloads import WORKLOADS

    if asked.list:
        print("workloads:", *(workload.key for workload in WORKLOADS), sep="\n  ")
        names = [rival.name for rival in environments.everyone()[1:]]
        print("rivals:", *names, sep="\n  ")
        return 0
    scale = "quick" if asked.quick else "full"
    results = Records(asked.results or BUILD / "results.jsonl")
    if not asked.page_only:
        measure(asked, results)
    latest = results.latest(scale)
    if not latest:
        sys.exit(f"no {scale} results in {results.path.name}")
    path = asked.page or (BUILD / "quick.md" if asked.quick else PAGE)
    path.parent.mkdir(parents=True, exist_ok=True)
    drawing = path.with_suffix(".png")
    picture.draw(latest, drawing)
    path.write_text(page.page(latest, drawing.name, scale))
    print(f"wrote {path.name} and {drawing.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
