"""What regressor and classifier share, at one strength or cross-validated."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import (
    _check_sample_weight,
    check_is_fitted,
    validate_data,
)

from penglm import arrays
from penglm._typing import Index, Vector
from penglm.exceptions import PenglmInputError
from penglm.families import Family
from penglm.model import PenalizedGLM
from penglm.results.fit import FitResults
from penglm.selection.folds import assign

# What a solver may be given; single precision stays so.
NUMBERS = (np.float64, np.float32)
STORED = ("csc", "csr")


def checked(estimator: BaseEstimator, X: Any, *responses: Any, **how: Any) -> Any:
    """Return rows, and responses if given, as scikit-learn checks them."""
    # Only to refuse by name what has no rows yet.
    arrays.opened(X, "X")
    # scikit-learn would read what a mask hides.
    X, *y = map(arrays.unmasked, (X, *responses))
    return validate_data(estimator, X, *y, accept_sparse=STORED, dtype=NUMBERS, **how)


class GLMEstimator(BaseEstimator):
    """What regressor and classifier share: from arrays to a model and back.

    Subclasses say which ``family_`` is fitted and how its strength comes about.
    """

    def fitted(
        self, X: Any, y: Vector, family: Family, sample_weight: Any, offset: Any
    ) -> "GLMEstimator":
        """Fit to checked arrays and set what scikit-learn's users read.

        Parameters
        ----------
        X : ndarray or sparse matrix (n, p)
        y : Vector (n,)
        family : Family
        sample_weight, offset : array (n,) or None
        """
        names = getattr(self, "feature_names_in_", None)
        if names is not None and sparse.issparse(X):
            X = sparse_frame(X, names)
        elif names is not None:
            X = pd.DataFrame(X, columns=names, copy=False)
        model = PenalizedGLM(
            y, X, family, offset=offsets(offset, y.size), var_weights=sample_weight,
            fit_intercept=self.fit_intercept, standardize=self.standardize,
            penalty_factor=self.penalty_factor, lower=self.lower, upper=self.upper,
        )  # fmt: skip
        # A search fits hundreds of these, and pipelines scale columns themselves.
        model.advises = False
        self.results_ = self.solved(model)
        self.family_ = self.results_.spec.family
        self.coef_, self.intercept_ = self.results_.coef, self.results_.intercept
        self.alpha_ = self.results_.alpha
        # The null model is a step of its own.
        self.n_iter_ = max(self.results_.solution.n_iter, 1)
        self.has_offset_ = offset is not None
        return self

    def solved(self, model: PenalizedGLM) -> FitResults:
        """Return the fit at the strength that was asked for."""
        return model.fit(
            self.alpha, self.l1_ratio, tol=self.tol, max_iter=self.max_iter
        )

    def linear_predictor(self, X: Any, offset: Any = None) -> Vector:
        """Return linear predictors (n,) of new rows.

        Raises
        ------
        PenglmInputError
            If the model was fitted with an offset and there is none, or the other way
            round.
        """
        check_is_fitted(self)
        X = checked(self, X, reset=False)
        if self.has_offset_ is (offset is None):
            was, now = ("with", "without") if offset is None else ("without", "with")
            raise PenglmInputError(
                f"the model was fitted {was} an offset and is asked to predict {now} "
                "one; pass offset= to both, or to neither.",
                argument="offset",
            )
        eta = np.asarray(X @ self.coef_).ravel() + self.intercept_
        shift = offsets(offset, eta.size)
        return eta if shift is None else eta + shift

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


class CrossValidated:
    """Mixin that chooses strength and mix by cross-validation.

    Attributes
    ----------
    path_ : CVResults
        The whole path with its scores.
    alphas_, mean_score_ : Vector (m,)
    l1_ratio_ : float
    """

    def solved(self: Any, model: PenalizedGLM) -> FitResults:
        """Return the fit at the strength that cross-validation chose."""
        seed, folds = seed_of(self.random_state), 5 if self.cv is None else self.cv
        # What a splitter yields is an iterable to scikit-learn and a list to fit_cv.
        folds = list(folds) if isinstance(folds, Iterator) else folds
        if isinstance(folds, int | np.integer) and model.family.has_classes:
            folds = Dealt(int(folds), seed)
        self.path_ = model.fit_cv(
            folds, l1_ratio=self.l1_ratio, metric=self.metric, select=self.select,
            alphas=self.alphas, n_alphas=self.n_alphas,
            alpha_min_ratio=self.alpha_min_ratio, tol=self.tol,
            max_iter=self.max_iter, n_jobs=1 if self.n_jobs is None else self.n_jobs,
            seed=seed, progress=False,
        )  # fmt: skip
        self.alphas_, self.mean_score_ = self.path_.alphas, self.path_.mean_score
        self.l1_ratio_ = self.path_.l1_ratio
        return self.path_.best


@dataclass(frozen=True)
class Dealt:
    """The folds of ``fit_cv``, for classes with fewer rows than folds, too.

    scikit-learn's estimators have to fit these; each class is still in all the rows
    that a fold is predicted from.

    Attributes
    ----------
    n_folds, seed : int
    """

    n_folds: int
    seed: int

    def split(
        self, X: Any, y: Vector | None = None, groups: Any = None
    ) -> Iterator[tuple[Index, Index]]:
        """Yield the rows to fit to and the rows left out, fold by fold."""
        fold = assign(self.n_folds, len(X), seed=self.seed, classes=y, groups=groups)
        for k in range(self.n_folds):
            yield np.flatnonzero(fold != k), np.flatnonzero(fold == k)


def seed_of(random_state: Any) -> int:
    """Return the seed of the shuffle that makes folds; None is 0, chance never."""
    if random_state is None:
        return 0
    if isinstance(random_state, int | np.integer):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31 - 1))


def weights(sample_weight: Any, X: Any) -> Vector | None:
    """Return checked weights (n,), None where there are none."""
    if sample_weight is None:
        return None
    checked: Vector = _check_sample_weight(
        arrays.unmasked(sample_weight), X, dtype=np.float64, ensure_non_negative=True
    )
    return checked


def sparse_frame(X: Any, names: Any) -> pd.DataFrame:
    """Return a SciPy sparse matrix (n, p) as a data frame of sparse columns."""
    # DataFrame.sparse.from_spmatrix of pandas 3.0 fills floats with NaN, not 0.
    kind: Any = pd.arrays.SparseArray
    X = X.tocsc()
    return pd.DataFrame(
        {name: kind.from_spmatrix(X[:, [j]]) for j, name in enumerate(names)}
    )


def offsets(offset: Any, n_rows: int) -> Vector | None:
    """Return checked offsets (n,), None where there are none.

    Rows go by position, as all of scikit-learn's do: it hands a part of a Series on
    with the labels it had, and columns without any.
    """
    if offset is None:
        return None
    values = arrays.vector(offset, "offset", n_rows, of="X")
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        raise PenglmInputError(
            f"offset contains NaN or infinity in {bad.size} rows (first: row "
            f"{bad[0]}); leave these rows out.",
            argument="offset",
            index=int(bad[0]),
        )
    return values
