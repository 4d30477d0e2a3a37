"""The shell: arguments in, text or one JSON document out, never a traceback."""

import argparse
import os
import sys
import warnings
from collections.abc import Sequence
from typing import Any

DESCRIPTION = "Penalised generalised linear models, certified."
CODES = """exit codes:
  0  done                          4  the formula or the model file is wrong
  2  the arguments are wrong       5  not converged; the result was still written
  3  the data is wrong           130  interrupted
  6  a file could not be written
"""
OK, USAGE, DATA, MODEL, NOT_CONVERGED, NOT_WRITTEN, INTERRUPTED = 0, 2, 3, 4, 5, 6, 130
UNEXPECTED = 70
# Arguments of the library that a shell user typed as an option.
OPTIONS = frozenset(
    {"alpha", "alphas", "l1_ratio", "folds", "family", "link", "select", "metric",
     "coding", "n_alphas", "alpha_min_ratio", "which", "progress", "n_jobs", "seed",
     "name"}
)  # fmt: skip

# Asking their classes would load SciPy, and help has to come at once.
FAMILIES = (
    "gaussian", "binomial", "poisson", "gamma", "inverse_gaussian",
    "negative_binomial", "tweedie", "quasipoisson", "quasibinomial",
)  # fmt: skip
LINKS = (
    "identity", "log", "logc", "logit", "probit", "cloglog", "loglog", "cauchy",
    "inverse", "inverse_squared", "sqrt", "power", "nbinomial",
)  # fmt: skip


def parser() -> argparse.ArgumentParser:
    """Return the parser of every command."""
    top = argparse.ArgumentParser(
        prog="penglm",
        description=DESCRIPTION,
        epilog=CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="store_true", help="print the version")
    commands = top.add_subparsers(dest="command", metavar="COMMAND")
    add_fit(commands)
    predict = commands.add_parser("predict", help="predict from a saved model")
    predict.add_argument("model", metavar="MODEL")
    predict.add_argument("data", metavar="DATA")
    predict.add_argument("-o", "--output", metavar="FILE", help=".csv or .parquet")
    predict.add_argument("--which", choices=("mean", "linear", "class"), default="mean")
    predict.add_argument(
        "--unknown",
        choices=("error", "zero", "nan"),
        default="error",
        help="what becomes of levels that were not there when fitting",
    )
    predict.add_argument("--json", action="store_true", help="one JSON document")
    verify = commands.add_parser("verify", help="check a saved model's certificate")
    verify.add_argument("model", metavar="MODEL")
    verify.add_argument("data", metavar="DATA", nargs="?")
    verify.add_argument("--json", action="store_true", help="one JSON document")
    explain = commands.add_parser(
        "explain", help="say why coefficients of a saved model are zero or not"
    )
    explain.add_argument("model", metavar="MODEL")
    explain.add_argument("term", metavar="TERM", nargs="?", help="a column or term")
    explain.add_argument(
        "--data",
        metavar="DATA",
        help="the rows of the fit; finds where coefficients enter and leave",
    )
    explain.add_argument("--json", action="store_true", help="one JSON document")
    demo = commands.add_parser("demo", help="fit and choose a model on shipped data")
    demo.add_argument(
        "--report",
        metavar="FILE",
        default="penglm-demo.html",
        help="where the page goes",
    )
    demo.add_argument("--json", action="store_true", help="one JSON document")
    doctor = commands.add_parser("doctor", help="look at this installation")
    doctor.add_argument("--json", action="store_true", help="one JSON document")
    return top


def add_fit(commands: Any) -> None:
    """Add the arguments of ``penglm fit``."""
    fit = commands.add_parser(
        "fit",
        help="fit a model to a table",
        description="Without --alpha or --path the strength is chosen by "
        "10-fold cross-validation.",
    )
    fit.add_argument("data", metavar="DATA", help="csv(.gz), parquet, feather, or -")
    fit.add_argument("formula", metavar="FORMULA", help="such as 'y ~ x + C(g)'")
    fit.add_argument("--family", default="gaussian", help=", ".join(FAMILIES))
    fit.add_argument("--link", help=", ".join(LINKS))
    fit.add_argument("--weights", metavar="COL", help="observations behind each row")
    fit.add_argument("--exposure", metavar="COL")
    how = fit.add_mutually_exclusive_group()
    how.add_argument("--alpha", type=float, metavar="X", help="one strength")
    how.add_argument("--path", action="store_true", help="a whole path")
    how.add_argument("--cv", type=int, metavar="K", help="choose by K folds")
    fit.add_argument("--select", choices=("1se", "min"), default="1se")
    fit.add_argument("--l1-ratio", type=float, nargs="+", default=[1.0], metavar="R")
    scaling = fit.add_mutually_exclusive_group()
    scaling.add_argument("--standardize", choices=("numeric",), default=True)
    scaling.add_argument("--no-standardize", action="store_false", dest="standardize")
    fit.add_argument(
        "--coding", choices=("treatment", "full", "sum"), default="treatment"
    )
    fit.add_argument("--seed", type=int, default=0, metavar="N")
    fit.add_argument("--jobs", type=int, default=1, metavar="N")
    fit.add_argument("--save", metavar="FILE", help="write the model as JSON")
    fit.add_argument("--report", metavar="FILE", help="write a page of HTML")
    fit.add_argument("--json", action="store_true", help="one JSON document")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return the exit code."""
    top = parser()
    chosen = top.parse_args(arguments)
    if chosen.version:
        from penglm import __version__

        print(f"penglm {__version__}")
        return OK
    if chosen.command is None:
        top.print_help(sys.stderr)
        return USAGE
    return guarded(chosen)


def guarded(chosen: argparse.Namespace) -> int:
    """Run a command; turn what goes wrong into one line and an exit code."""
    from penglm.exceptions import PenglmError

    try:
        from penglm import commands

        with warnings.catch_warnings():
            warnings.simplefilter("default")
            warnings.showwarning = say_warning
            code: int = getattr(commands, chosen.command)(chosen)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        say("interrupted.")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader went away; what it wanted it has.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except PenglmError as error:
        say(f"error: {error}")
        return code_of(error)
    except OSError as error:
        say(f"error: could not write the output: {error.strerror or error}.")
        return NOT_WRITTEN
    except MemoryError as error:
        say(f"error: not enough memory: {error}")
        return DATA
    except Exception as error:
        if os.environ.get("PENGLM_TRACEBACK"):
            raise
        say(
            f"unexpected error: {type(error).__name__}: {error}. This is a fault of "
            "penglm; PENGLM_TRACEBACK=1 shows where."
        )
        return UNEXPECTED


def code_of(error: Exception) -> int:
    """Return the exit code of an error, by its class and argument."""
    from penglm import exceptions as kinds

    argument = getattr(error, "argument", None)
    if isinstance(error, kinds.FileWriteError):
        return NOT_WRITTEN
    if isinstance(error, kinds.ModelFileError) or argument == "formula":
        return MODEL
    return USAGE if argument in OPTIONS else DATA


def say(line: str) -> None:
    """Write a line to standard error."""
    print(f"penglm: {line}", file=sys.stderr)


def say_warning(
    message: Warning | str, category: type[Warning], *_: Any, **__: Any
) -> None:
    """Show a warning as one line, without the line of code that raised it."""
    say(f"warning: {message}")


if __name__ == "__main__":
    sys.exit(main())
