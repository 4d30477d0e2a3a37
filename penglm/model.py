"""The statistician's door: a response, columns or a formula, and a family."""

from typing import Any, Self

from penglm import checks, foreign, frame
from penglm.families import as_family
from penglm.fitting import Fitting
from penglm.results.fit import FitResults
from penglm.statement import Statement, options


class PenalizedGLM(Fitting):
    """A generalised linear model with an elastic-net penalty.

    Parameters
    ----------
    endog : array (n,)
        Response. For the binomial family also booleans, two labels, proportions (with
        ``freq_weights`` as trials), or two columns (successes, failures).
    exog : array, SciPy sparse or data frame (n, p)
        Predictors, without a constant. Names are kept.
    family : str, Family, or statsmodels family, default "gaussian"
    link : str or Link, optional
        The family's default link if not given.
    offset : array (n,), optional
        Added to the linear predictor.
    exposure : array (n,), optional
        Positive; its logarithm is added to the offset. For the log link only.
    freq_weights : array (n,), optional
        How many observations each row stands for.
    var_weights : array (n,), optional
        Precision of each row. The solver uses the product of both.
    fit_intercept : bool, default True
        The intercept is never penalised.
    standardize : bool or "numeric", default True
        Penalise ``coef * sd``, sd weighted and divided by the weight total.
        ``"numeric"`` spares columns of 0 and 1 only, such as those of a factor, which
        are then penalised as they are. Coefficients are on the original scale always.
    penalty_factor : float, array (p,) or mapping, optional
        Multiplies the penalty of each column; 0 frees, ``inf`` excludes it. Never
        rescaled. A mapping, or a Series with labels, goes by column or by formula term;
        a column named itself does not follow its term.
    lower, upper : float, array (p,) or mapping, optional
        Limits of the coefficients.
    missing : {"raise", "drop"}, default "raise"
        What to do with rows that hold NaN in any argument.

    Notes
    -----
    The objective and its scale are stated once, in docs/objective.md.

    Examples
    --------
    >>> import numpy as np, penglm as pg
    >>> rng = np.random.default_rng(1)
    >>> X = rng.normal(size=(200, 5))
    >>> y = rng.poisson(np.exp(0.5 + 0.8 * X[:, 0]))
    >>> fit = pg.PenalizedGLM(y, X, family="poisson").fit(alpha=0.5)
    >>> [str(name) for name in fit.params.index[fit.params != 0]]
    ['Intercept', 'x1']
    """

    origin: foreign.Origin | None = None

    def __init__(
        self,
        endog: Any,
        exog: Any,
        family: Any = "gaussian",
        *,
        link: Any = None,
        offset: Any = None,
        exposure: Any = None,
        freq_weights: Any = None,
        var_weights: Any = None,
        fit_intercept: bool = True,
        standardize: bool | str = True,
        penalty_factor: Any = None,
        lower: Any = None,
        upper: Any = None,
        missing: str = "raise",
    ) -> None:
        known = as_family(family, link)
        given = (offset, exposure, freq_weights, var_weights)
        extra = dict(zip(frame.ARGUMENTS, given, strict=True))
        self.statement = Statement.build(
            frame.from_arrays(endog, exog, known, extra, missing),
            known,
            fit_intercept=fit_intercept,
            standardize=standardize,
            penalty_factor=penalty_factor,
            lower=lower,
            upper=upper,
        )

    @classmethod
    def from_formula(
        cls,
        formula: str,
        data: Any,
        family: Any = "gaussian",
        *,
        link: Any = None,
        offset: Any = None,
        exposure: Any = None,
        freq_weights: Any = None,
        var_weights: Any = None,
        standardize: bool | str = True,
        penalty_factor: Any = None,
        lower: Any = None,
        upper: Any = None,
        missing: str = "drop",
        coding: str = "treatment",
        env: int = 0,
        trusted: bool = True,
    ) -> Self:
        """Build the model from a formula and a table.

        Parameters
        ----------
        formula : str
            patsy's language, with ``offset(...)``, bare ``log`` and ``.``.
        data : data frame or mapping
            pandas, polars, pyarrow, a dict of columns, or a structured array;
            docs/formula.md says how their columns are read.
        offset, exposure, freq_weights, var_weights : column name or array, optional
        missing : {"drop", "raise"}, default "drop"
        coding : {"treatment", "full", "sum"}, default "treatment"
            ``"full"`` keeps every level of a factor, penalised.
        env : int, default 0
            How many callers up the formula's free names are looked for.
        trusted : bool, default True
            False refuses everything but the whitelist of docs/formula.md, as for any
            formula that a person did not type.

        Other parameters are those of the class; the formula itself says whether there
        is an intercept (``- 1`` leaves it out).

        Raises
        ------
        FormulaError
            If the formula cannot be read or does not fit the data.
        """
        known = as_family(family, link)
        given = (offset, exposure, freq_weights, var_weights)
        rows = frame.from_formula(
            formula, data, known, dict(zip(frame.ARGUMENTS, given, strict=True)),
            missing, coding=coding, trusted=trusted, env=env + 1,
        )  # fmt: skip
        model = cls.__new__(cls)
        model.statement = Statement.build(
            rows,
            known,
            fit_intercept=rows.encoder.has_intercept,
            standardize=standardize,
            penalty_factor=penalty_factor,
            lower=lower,
            upper=upper,
            coding=coding,
        )
        return model

    @classmethod
    def from_statsmodels(cls, model: Any, **others: Any) -> Self:
        """State the model that a statsmodels object holds.

        Parameters
        ----------
        model : statsmodels GLM, OLS, WLS, Logit, Probit or Poisson
            Its rows, names, family, link, offset, exposure and weights are taken over.
            A constant column becomes the intercept. Of a model made from a formula the
            columns that patsy made are taken.
        **others
            ``standardize``, ``penalty_factor``, ``lower``, ``upper``.

        Raises
        ------
        PenglmInputError
            If it is none of these models.

        Examples
        --------
        >>> import numpy as np, penglm as pg, statsmodels.api as sm
        >>> rng = np.random.default_rng(1)
        >>> X = sm.add_constant(rng.normal(size=(100, 3)))
        >>> theirs = sm.GLM(rng.poisson(2.0, 100), X, sm.families.Poisson())
        >>> fit = pg.PenalizedGLM.from_statsmodels(theirs).fit(0.0)
        >>> bool(np.allclose(fit.params, theirs.fit().params))
        True
        """
        ours = cls(**foreign.arguments(model), **others)
        ours.origin = foreign.Origin.of(model)
        # Raw columns are the convention there.
        ours.advises = False
        return ours

    def fit_regularized(
        self,
        method: str = "elastic_net",
        alpha: Any = 0.0,
        L1_wt: float = 1.0,
        start_params: Any = None,
        refit: bool = False,
        *,
        tol: float = 1e-5,
        max_iter: int = 100,
        **steering: Any,
    ) -> FitResults:
        """Fit in the convention of statsmodels' method of the same name.

        Parameters
        ----------
        method : {"elastic_net"}
        alpha : float or array (p + 1,)
            Penalty of every parameter, **the constant included**: in the order of the
            statsmodels model, else the intercept first; inf leaves one out. The loss is
            the negative log-likelihood at scale 1, divided by the number of rows;
            columns are not standardised.
        L1_wt : float, default 1.0
            What ``l1_ratio`` is elsewhere.
        start_params : ignored
            The answer does not depend on it.
        refit : bool, default False
            Fit the nonzero parameters again, without a penalty.
        tol, max_iter
            As in ``fit``.
        **steering
            ``maxiter``, ``cnvrg_tol`` and ``zero_tol`` are taken and ignored.

        Returns
        -------
        FitResults
            Its ``params`` have the intercept first.

        Raises
        ------
        PenglmInputError
            If ``L1_wt`` is 0 and the dispersion of a GLM is estimated, for which
            statsmodels solves no fixed problem; if the model was a Logit, Probit or
            Poisson, whose method has another convention.

        See Also
        --------
        fit : the same with penglm's own conventions.
        """
        checks.choice(method, ("elastic_net",), "method")
        for name in steering:
            checks.choice(name, foreign.STEERING, "an argument of fit_regularized")
        return foreign.fit_regularized(
            self.statement, alpha, L1_wt, refit, options(tol, max_iter), self.origin
        )


def glm(formula: str, data: Any, family: Any = "gaussian", **others: Any) -> Any:
    """Build a model from a formula, as ``smf.glm`` is to ``sm.GLM``.

    Parameters are those of ``PenalizedGLM.from_formula``.
    """
    others["env"] = others.get("env", 0) + 1
    return PenalizedGLM.from_formula(formula, data, family, **others)
