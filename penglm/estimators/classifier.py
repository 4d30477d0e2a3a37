"""Classifiers for scikit-learn."""

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from penglm._typing import Matrix, Vector
from penglm.estimators.base import (
    CrossValidated,
    GLMEstimator,
    checked,
    weights,
)
from penglm.families import as_family
from penglm.results.data import means


class Classifier(ClassifierMixin, GLMEstimator):
    """The part of a classifier that does not depend on how its strength is chosen."""

    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, offset: Any = None
    ) -> "Classifier":
        """Fit the model.

        Parameters
        ----------
        X : array or sparse matrix (n, p)
        y : array (n,)
            Labels of two classes.
        sample_weight : array (n,), optional
        offset : array (n,), optional
            Added to the linear predictor; ``predict`` then needs one too.

        Returns
        -------
        self
        """
        X, y = checked(self, X, y)
        check_classification_targets(y)
        kind = type_of_target(y, input_name="y")
        self.classes_, event = np.unique(y, return_inverse=True)
        if self.classes_.size > 2:
            raise ValueError(
                "Only binary classification is supported. The type of the target is "
                f"{kind}."
            )
        weight = weights(sample_weight, X)
        seen = event if weight is None else event[weight > 0.0]
        if np.unique(seen).size < 2:
            only = self.classes_[seen[:1]].tolist()
            raise ValueError(
                f"the rows hold one class only, {only}; a classifier needs two classes "
                "to tell apart."
            )
        family = as_family("binomial", self.link)
        self.fitted(X, event.astype(np.float64), family, weight, offset)
        return self

    def decision_function(self, X: Any, offset: Any = None) -> Vector:
        """Return how far (n,) the linear predictor is from that of even odds.

        Positive for the second class; with the logit, the linear predictor itself.
        """
        eta, link = self.linear_predictor(X, offset), self.family_.link
        even = link(np.array([0.5]))
        # Some links fall: their means are small where eta is large.
        return np.sign(link.inverse_deriv(even)) * (eta - even)

    def predict_proba(self, X: Any, offset: Any = None) -> Matrix:
        """Return the probabilities (n, 2) of both classes."""
        eta = self.linear_predictor(X, offset)
        mu = means(self.family_, eta)
        return np.column_stack([1.0 - mu, mu])

    def predict_log_proba(self, X: Any, offset: Any = None) -> Matrix:
        """Return the logarithms (n, 2) of both probabilities."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X, offset))

    def predict(self, X: Any, offset: Any = None) -> Any:
        """Return the likelier label (n,) of each row."""
        event = self.predict_proba(X, offset)[:, 1] > 0.5
        return self.classes_[event.astype(int)]

    def score(
        self, X: Any, y: Any, sample_weight: Any = None, offset: Any = None
    ) -> float:
        """Return the accuracy, the share of rows whose label is predicted."""
        labels = self.predict(X, offset)
        return float(accuracy_score(y, labels, sample_weight=sample_weight))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags


class PenalizedLogisticClassifier(Classifier):
    """Penalised logistic regression for two classes, at one strength.

    Parameters
    ----------
    link : str or Link, default "logit"
    alpha : float, default 0.01
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
    classes_ : ndarray (2,)
    """

    def __init__(
        self,
        link: Any = None,
        *,
        alpha: float = 0.01,
        l1_ratio: float = 1.0,
        fit_intercept: bool = True,
        standardize: bool | str = True,
        penalty_factor: Any = None,
        lower: Any = None,
        upper: Any = None,
        tol: float = 1e-5,
        max_iter: int = 100,
    ) -> None:
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


class PenalizedLogisticClassifierCV(CrossValidated, Classifier):
    """Penalised logistic regression whose strength cross-validation chooses.

    Parameters
    ----------
    link : str or Link, default "logit"
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
    metric : {"deviance", "class", "auc"}
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
    classes_ : ndarray (2,)
    alphas_, mean_score_ : Vector (m,)
        The path and its scores.
    l1_ratio_ : float
    path_ : CVResults
    """

    def __init__(
        self,
        link: Any = None,
        *,
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
