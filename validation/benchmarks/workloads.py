"""What is solved, and what penglm promises of it.

Required ratios are those to the best rival at matched accuracy, one core. Paths go
from the strength that empties the model down to ``smallest`` of it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from validation.benchmarks import real, simulated
from validation.benchmarks.case import Case, Table, assemble
from validation.benchmarks.rivals.protocol import COLD, CV, FIT, PATH
from validation.benchmarks.simulated import EQUAL, INSURANCE, SCATTERED, Recipe

SEED = 20261125
QUICK_ALPHAS = 20


@dataclass(frozen=True)
class Workload:
    """One line of the table.

    Attributes
    ----------
    key, title : str
    family, task : str
    source : Recipe, or a function of the folder of shared data
    quick : (n, p), optional
        Size of a smoke run.
    smallest : float
        Last strength over the first; 0 for no penalty.
    ratio : float, optional
        What is required of penglm: times faster than the best rival.
    seconds : float, optional
        What is required of penglm: CPU seconds.
    """

    key: str
    title: str
    family: str
    task: str
    source: Recipe | Callable[[Path], Table]
    quick: tuple[int, int] = (0, 0)
    l1_ratio: float = 1.0
    n_alphas: int = 100
    smallest: float = 1e-2
    ratio: float | None = None
    seconds: float | None = None

    def build(
        self, *, is_quick: bool, seed: int, rho: float | None, shared: Path
    ) -> Case:
        """Build the problem.

        Raises
        ------
        AbsentError
            If its data are not on this machine.
        """
        if isinstance(self.source, Recipe):
            recipe = self.source
            if is_quick:
                n, p = self.quick
                true = min(recipe.n_true, max(p // 20, 3))
                recipe = replace(recipe, n_obs=n, n_features=p, n_true=true)
            if rho is not None:
                recipe = replace(recipe, rho=rho)
            table = simulated.make(recipe, SEED + seed)
        else:
            table = self.source(shared)
        n_alphas = min(self.n_alphas, QUICK_ALPHAS) if is_quick else self.n_alphas
        return assemble(
            self.key, self.family, self.task, table, l1_ratio=self.l1_ratio,
            n_alphas=n_alphas, smallest=self.smallest, seed=SEED + seed,
        )  # fmt: skip


WIDE, TALL = (100, 1000), (5000, 50)
TINY = {"quick": (500, 20), "n_alphas": 1, "smallest": 0.05, "seconds": 1e-3}


def wide(key: str, title: str, family: str, n: int, p: int, ratio: float, **others):
    """Return a path with fewer rows than columns."""
    about = {name: others.pop(name) for name in ("kind", "rho") if name in others}
    signal = {"gaussian": 1.0, "binomial": 1.5, "poisson": 0.7}[family]
    recipe = Recipe(family, n, p, signal=signal, **about)
    task = others.pop("task", PATH)
    return Workload(key, title, family, task, recipe, WIDE, ratio=ratio, **others)


def tall(key: str, family: str, ratio: float, task: str = PATH):
    """Return a path with many more rows than columns."""
    title = f"tall {family.capitalize()}" + (", 10-fold CV" if task == CV else "")
    signal = 0.7 if family == "poisson" else 1.0
    recipe = Recipe(family, 100_000, 200, signal=signal, n_true=40)
    return Workload(key, title, family, task, recipe, TALL, smallest=1e-4, ratio=ratio)


def scattered(key: str, family: str, ratio: float):
    """Return a path on sparse columns."""
    recipe = Recipe(family, 20_000, 100_000, SCATTERED, n_true=2000, signal=1.0)
    title = f"sparse {family.capitalize()}, 0.1 %"
    return Workload(key, title, family, PATH, recipe, (1000, 3000), ratio=ratio)


def tiny(family: str):
    """Return one small fit in a warm process, door and checks included."""
    recipe = Recipe(family, 500, 20, n_true=5)
    title = f"tiny {family.capitalize()}, one fit"
    return Workload(f"tiny_{family}", title, family, FIT, recipe, **TINY)


def insurance(key: str, title: str, n_alphas: int, smallest: float, ratio: float):
    """Return claim counts with factors and exposure."""
    width = simulated.NUMERIC + sum(simulated.LEVELS)
    recipe = Recipe("poisson", 500_000, width, INSURANCE, signal=0.7, level=-2.0)
    task = FIT if n_alphas == 1 else PATH
    return Workload(
        key, title, "poisson", task, recipe, (20_000, width), n_alphas=n_alphas,
        smallest=smallest, ratio=ratio,
    )  # fmt: skip


WORKLOADS = (
    wide("wide_gaussian_ar", "wide Gaussian, AR(0.9)", "gaussian", 1000, 20_000, 6.0,
         rho=0.9),
    wide("wide_gaussian_equal", "wide Gaussian, equicorrelated 0.5", "gaussian", 1000,
         20_000, 12.0, kind=EQUAL),
    wide("wide_binomial", "wide Binomial", "binomial", 500, 20_000, 4.0),
    wide("wide_poisson", "wide Poisson", "poisson", 500, 10_000, 6.0),
    tall("tall_gaussian", "gaussian", 1.5),
    tall("tall_binomial", "binomial", 5.0),
    tall("tall_poisson", "poisson", 5.0),
    scattered("sparse_gaussian", "gaussian", 2.5),
    scattered("sparse_binomial", "binomial", 3.0),
    wide("wide_elastic_net", "wide elastic net, l1_ratio 0.5", "gaussian", 500, 50_000,
         6.0, l1_ratio=0.5),
    Workload(
        "unpenalised_binomial", "unpenalised Binomial", "binomial", FIT,
        Recipe("binomial", 500_000, 100, n_true=40), (20_000, 30), n_alphas=1,
        smallest=0.0, ratio=1.5,
    ),
    insurance("insurance_fit", "insurance, one alpha", 1, 1e-2, 2.0),
    insurance("insurance_path", "insurance, 20 alphas", 20, 1e-3, 4.0),
    tiny("gaussian"),
    tiny("binomial"),
    tiny("poisson"),
    tall("cv_tall_gaussian", "gaussian", 15.0, CV),
    wide("cv_wide_binomial", "wide Binomial, 10-fold CV", "binomial", 500, 20_000, 4.0,
         task=CV),
    Workload(
        "cold_start", "cold start, first fit", "binomial", COLD,
        Recipe("binomial", 500, 20, n_true=5), (500, 20), n_alphas=1, smallest=0.05,
        seconds=0.8,
    ),
    Workload("golub", "golub", "binomial", PATH, real.golub),
    Workload("spam", "spam", "binomial", PATH, real.spam, smallest=1e-4),
    Workload("we8there_gaussian", "we8there ratings", "gaussian", PATH, real.we8there,
             smallest=1e-2),
    Workload("we8there_binomial", "we8there above 3", "binomial", PATH,
             real.we8there_good, smallest=1e-2),
)  # fmt: skip
