"""Regressors for scikit-learn."""

from contextlib import suppress
from typing import Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_consistent_length

from penglm import arrays
from penglm._typing import Vector
from penglm.estimators.base import (
    CrossValidated,
    GLMEstimator,
    checked,
    weights,
)
from penglm.exceptions import NoFiniteSolutionError, PenglmInputError
from penglm.families import as_family
from penglm.model import PenalizedGLM
from penglm.results.data import means


class Regressor(RegressorMixin, GLMEstimator):
    """The part of a regressor that does not depend on how its strength is chosen."""

    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, offset: Any = None
    ) -> "Regressor":
        """Fit the model.

        Parameters
        ----------
        X : array or sparse matrix (n, p)
        y : array (n,)
        sample_weight : array (n,), optional
        offset : array (n,), optional
            Added to the linear predictor; ``predict`` then needs one too.

        Returns
        -------
        self
        """
        X, y = checked(self, X, y, y_numeric=True)
        y = y.astype(np.float64, copy=False)
        family = as_family(self.family, self.link)
        self.fitted(X, y, family, weights(sample_weight, X), offset)
        return self

    def predict(self, X: Any, offset: Any = None) -> Vector:
        """Return means (n,) of new rows."""
        eta = self.linear_predictor(X, offset)
        return means(self.family_, eta)

    def score(
        self, X: Any, y: Any, sample_weight: Any = None, offset: Any = None
    ) -> float:
        """Return D2, the share of the deviance of the mean response explained.

        With an offset the mean response is the model of the intercept beside it.
        """
        mu = self.predict(X, offset)
        y = arrays.vector(y, "y")
        check_consistent_length(y, mu)
        weight = weights(sample_weight, mu[:, None])
        weight = np.ones_like(mu) if weight is None else weight
        family = self.family_
        try:
            alone = PenalizedGLM(
                y, np.empty((y.size, 0)), family, offset=offset, var_weights=weight
            )
            whole = alone.fit(0.0).deviance
        except NoFiniteSolutionError:
            # All at an end of their range: the mean goes there, and nothing is left.
            whole = 0.0
        left = float(weight @ family.unit_deviance(y, mu))
        return 1.0 - left / whole if whole > 0.0 else float(left == 0)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        # An estimator is shown with any family; fit refuses those that are not known.
        with suppress(PenglmInputError):
            tags.target_tags.positive_only = as_family(self.family).y_range.low == 0.0
        return tags


class PenalizedGLMRegressor(Regressor):
    """Penalised generalised linear model at one strength.

    Parameters
    ----------
    family : str, Family or statsmodels family, default "gaussian"
    link : str or Link, optional
        The family's default link if None.
    alpha : float, default 1.0
        Strength of the penalty; 0 for none.
    l1_ratio : float, default 1.0
        1 for the lasso, 0 for ridge, between them the elastic net.
    fit_intercept : bool, default True
    standardize : bool or "numeric", default True
        Whether the penalty acts on coefficients of columns with unit sd; with
        ``"numeric"`` on those of columns with other numbers than 0 and 1. They are
        returned in the units of the columns always.
    penalty_factor, lower, upper : array (p,), dict by column name, or float, optional
        A factor of each coefficient's penalty, and limits of the coefficients.
    tol : float, default 1e-5
        Largest violation of an optimality condition, in units of ``alpha``.
    max_iter : int, default 100
        Most IRLS steps at a strength.

    Attributes
    ----------
    coef_ : Vector (p,)
    intercept_ : float
    alpha_ : float
    n_iter_ : int
        IRLS steps.
    results_ : FitResults
        The fit as a statistician sees it, with its certificate.

    Examples
    --------
    >>> import numpy as np
    >>> from penglm.estimators import PenalizedGLMRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 5))
    >>> y = rng.poisson(np.exp(0.5 * X[:, 0]))
    >>> model = PenalizedGLMRegressor("poisson", alpha=0.1).fit(X, y)
    >>> np.flatnonzero(model.coef_).tolist()
    [0]
    """

    def __init__(
        self,
        family: Any = "gaussian",
        *,
        link: Any = None,
        alpha: float = 1.0,
        l1_ratio: float = 1.0,
        fit_intercept: bool = True,
        standardize: bool | str = True,
        penalty_factor: Any = None,
        lower: Any = None,
        upper: Any = None,
        tol: float = 1e-5,
        max_iter: int = 100,
    ) -> None:
        self.family = family
        self.link = link
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.standardize = standardize
        self.penalty_factor = penalty_factor
        self.lower = lower
        self.upper = upper
        self.tol = tol
        self.max_iter = max_iter


class PenalizedGLMRegressorCV(CrossValidated, Regressor):
    """Penalised generalised linear model whose strength cross-validation chooses.

    Parameters
    ----------
    family : str, Family or statsmodels family, default "gaussian"
    link : str or Link, optional
        The family's default link if None.
    l1_ratio : float or sequence of float, default 1.0
        1 for the lasso, 0 for ridge, between them the elastic net; the best of
        several is kept.
    alphas : array (m,), optional
        Strengths to try; a path of ``n_alphas`` down to ``alpha_min_ratio`` of the
        largest if None.
    n_alphas : int, default 100
    alpha_min_ratio : float, optional
    cv : int, array (n,), splitter or iterable of splits, default 5
        Number of folds, 5 if None, the fold of each row, or an object with ``split``
        or what it yields.
    metric : {"deviance", "mse", "mae"}
        What is compared on the rows left out.
    select : {"1se", "min"}
        The strongest penalty within one standard error of the best, or the best.
    fit_intercept : bool, default True
    standardize : bool or "numeric", default True
        Whether the penalty acts on coefficients of columns with unit sd; with
        ``"numeric"`` on those of columns with other numbers than 0 and 1. They are
        returned in the units of the columns always.
    penalty_factor, lower, upper : array (p,), dict by column name, or float, optional
        A factor of each coefficient's penalty, and limits of the coefficients.
    tol : float, default 1e-5
        Largest violation of an optimality condition, in units of ``alpha``.
    max_iter : int, default 100
        Most IRLS steps at a strength.
    n_jobs : int, optional
        Folds at a time; -1 for one per core.
    random_state : int, default 0
        Seed of the shuffle that makes the folds.

    Attributes
    ----------
    coef_ : Vector (p,)
    intercept_ : float
    alpha_ : float
    n_iter_ : int
        IRLS steps.
    results_ : FitResults
        The fit as a statistician sees it, with its certificate.
    alphas_, mean_score_ : Vector (m,)
        The path and its scores.
    l1_ratio_ : float
    path_ : CVResults
    """

    def __init__(
        self,
        family: Any = "gaussian",
        *,
        link: Any = None,
        l1_ratio: Any = 1.0,
        alphas: Any = None,
        n_alphas: int = 100,
        alpha_min_ratio: float | None = None,
        cv: Any = 5,
        metric: str = "deviance",
        select: str = "1se",
        fit_intercept: bool = True,
        standardize: bool | str = True,
        penalty_factor: Any = None,
        lower: Any = None,
        upper: Any = None,
        tol: float = 1e-5,
        max_iter: int = 100,
        n_jobs: int | None = None,
        random_state: Any = 0,
    ) -> None:
        self.family = family
        self.link = link
        self.l1_ratio = l1_ratio
        self.alphas = alphas
        self.n_alphas = n_alphas
        self.alpha_min_ratio = alpha_min_ratio
        self.cv = cv
        self.metric = metric
        self.select = select
        self.fit_intercept = fit_intercept
        self.standardize = standardize
        self.penalty_factor = penalty_factor
        self.lower = lower
        self.upper = upper
        self.tol = tol
        self.max_iter = max_iter
        self.n_jobs = n_jobs
        self.random_state = random_state
