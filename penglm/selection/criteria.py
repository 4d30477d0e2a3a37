"""Information criteria, with the number of nonzero coefficients as degrees of freedom.

For the lasso that number is an unbiased estimate of the degrees of freedom (Zou, Hastie
and Tibshirani, 2007, Ann. Statist. 35(5)); with an l2 part it is an upper bound.
"""

import math

from scipy.special import gammaln

CRITERIA = ("aic", "bic", "ebic")


def log_choose(n: int, k: int) -> float:
    """Return the logarithm of n over k."""
    return float(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1))


def criterion(
    name: str, llf: float, n_params: int, n_nonzero: int, n_features: int, n_obs: float
) -> float:
    """Return a criterion; smaller is better.

    Parameters
    ----------
    name : {"aic", "bic", "ebic"}
    llf : float
        Log-likelihood.
    n_params : int
        Nonzero coefficients plus the intercept.
    n_nonzero, n_features : int
        How many columns were chosen, of how many.
    n_obs : float

    References
    ----------
    Chen and Chen (2008), Biometrika 95(3), eq. 1, with gamma = 1, for ``ebic``.
    """
    if name == "aic":
        return -2.0 * llf + 2.0 * n_params
    value = -2.0 * llf + math.log(n_obs) * n_params
    if name == "ebic":
        value += 2.0 * log_choose(n_features, n_nonzero)
    return value
