"""Converted strengths, fitted by the systems themselves and judged by KKT."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import penglm as pg
from penglm.exceptions import ConvergenceError, PenglmInputError
from penglm.peers import PEERS

# What penglm calls optimal, as a share of alpha; a factor in a strength is off by whole
# shares. glum, skglm and statsmodels come to 1e-9 and better, adelie to 1e-6.
OPTIMAL = 1e-5
N, P = 50, 4


def model_of(family, *, weighted=False, offset=False, factor=False, **others):
    rng = np.random.default_rng(11)
    X = rng.normal(size=(N, P)) * [1.0, 2.0, 0.5, 3.0]
    shift = rng.uniform(-0.5, 0.5, N)
    eta = 0.6 * X[:, 0] + shift
    y = {
        "gaussian": eta + 4.0 * rng.normal(size=N),
        "binomial": (rng.uniform(size=N) < 1.0 / (1.0 + np.exp(-eta))).astype(float),
        "poisson": rng.poisson(np.exp(eta)),
        "gamma": rng.gamma(2.0, np.exp(eta)),
    }[family]
    if weighted:
        others["var_weights"] = rng.uniform(0.5, 3.0, N)
    if offset:
        others["offset"] = shift
    if factor:
        others["penalty_factor"] = [1.0, 2.0, 0.5, 1.5]
    link = "log" if family == "gamma" else None
    return pg.PenalizedGLM(y, X, family, link=link, **others)


def stated():
    """Every peer and model: with weights, offset and factors where it has them."""
    unweighted = ("skglm", "celer")
    for peer in PEERS.values():
        for family, _ in peer.models:
            for mix in (1.0, 0.4, 0.0):
                only_ridge = peer.name == "sklearn" and family in ("poisson", "gamma")
                if (only_ridge and mix > 0.0) or (peer.name == "celer" and mix < 1.0):
                    continue
                one_part = mix in (0.0, 1.0)
                for standardize in (True, False):
                    yield (
                        peer.name, family, mix, standardize,
                        peer.name not in unweighted, peer.offset,
                        one_part or peer.name not in ("sklearn", "skglm"),
                    )  # fmt: skip


@pytest.mark.parametrize(
    ("peer", "family", "mix", "standardize", "weighted", "offset", "factor"),
    list(stated()),
)
def test_peer_is_optimal_at_the_converted_strength(
    peer, family, mix, standardize, weighted, offset, factor
):
    pytest.importorskip(PEERS[peer].module)
    no_intercept = peer == "celer" and family == "binomial"
    model = model_of(
        family, weighted=weighted, offset=offset, factor=factor,
        standardize=standardize, fit_intercept=not no_intercept,
    )  # fmt: skip
    told = model.compare_with(peer, 0.1 * model.alpha_max(), mix)
    assert told.fit.certificate.kkt_residual < OPTIMAL
    assert told.certificate.kkt_residual < OPTIMAL
    assert told.fit.n_nonzero > 0
    assert_allclose(told.coef, told.fit.coef, rtol=0.0, atol=1e-5)


@pytest.mark.parametrize("peer", ["adelie", "glum", "sklearn", "statsmodels"])
@pytest.mark.parametrize("standardize", [True, False, "numeric"])
def test_constant_column_without_an_intercept_is_penalised_by_its_size(
    peer, standardize
):
    pytest.importorskip(PEERS[peer].module)
    base = model_of("gaussian")
    X = np.column_stack([base.data.design.to_dense(), np.full(N, 3.0)])
    model = pg.PenalizedGLM(
        base.data.y + 2.0, X, standardize=standardize, fit_intercept=False
    )
    told = model.compare_with(peer, 0.1 * model.alpha_max())
    assert told.fit.coef[-1] != 0.0
    assert told.certificate.kkt_residual < OPTIMAL
    assert_allclose(told.coef, told.fit.coef, rtol=0.0, atol=1e-5)


@pytest.mark.filterwarnings("ignore::penglm.exceptions.ConstantColumnWarning")
@pytest.mark.parametrize("peer", ["adelie", "glum", "sklearn", "statsmodels"])
def test_constant_column_beside_an_intercept_is_the_intercepts(peer):
    pytest.importorskip(PEERS[peer].module)
    base = model_of("poisson")
    X = np.column_stack([base.data.design.to_dense(), np.full(N, 3.0)])
    model = pg.PenalizedGLM(base.data.y, X, "poisson")
    told = model.compare_with(peer, 0.05, 0.0 if peer == "sklearn" else 0.5)
    assert told.coef[-1] == 0.0
    assert told.certificate.kkt_residual < OPTIMAL


def kkt(model, alpha, mix, intercept, coef, **others):
    data = model.data
    return pg.certify(
        coef, intercept, data.y, data.design.to_dense(), alpha=alpha, l1_ratio=mix,
        family=model.family, offset=data.offset, var_weights=data.sample_weight,
        standardize=model.statement.standardize, **others,
    ).kkt_residual  # fmt: skip


@pytest.mark.filterwarnings("ignore:GLM ridge optimization may have failed")
@pytest.mark.parametrize("family", ["gaussian", "gamma"])
def test_statsmodels_ridge_works_at_the_scale_it_estimates(family):
    sm = pytest.importorskip("statsmodels.api")
    model = model_of(family, standardize=False)
    data = model.data
    kind = {
        "gaussian": sm.families.Gaussian,
        "gamma": lambda: sm.families.Gamma(sm.families.links.Log()),
    }[family]()
    theirs = sm.GLM(data.y, sm.add_constant(data.design.to_dense()), kind)
    alpha = np.r_[0.0, np.full(P, 0.3)]
    fit = theirs.fit_regularized(alpha=alpha, L1_wt=0.0)
    params = np.asarray(fit.params)
    scale = theirs.estimate_scale(theirs.predict(params))
    given = {"alpha": alpha, "L1_wt": 0.0}
    ours = pg.convert(given, from_="statsmodels", model=model, dispersion=scale)
    assert ours.arguments["l1_ratio"] == 0.0
    told = kkt(model, ours.arguments["alpha"], 0.0, params[0], params[1:])
    wrong = kkt(model, 0.3, 0.0, params[0], params[1:])
    # Its ridge is found by a general minimiser, to a few digits.
    assert told < 1e-2 * wrong


@pytest.mark.parametrize("mix", [1.0, 0.5, 0.0])
def test_statsmodels_ols(mix):
    sm = pytest.importorskip("statsmodels.api")
    model = model_of("gaussian", standardize=False)
    X = sm.add_constant(model.data.design.to_dense())
    given = pg.convert(0.3, mix, to="statsmodels.OLS", model=model).arguments
    steering = {} if mix == 0.0 else {"cnvrg_tol": 1e-12, "maxiter": 1000}
    params = np.asarray(
        sm.OLS(model.data.y, X).fit_regularized(**given, **steering).params
    )
    assert kkt(model, 0.3, mix, params[0], params[1:]) < OPTIMAL


def test_statsmodels_logit():
    sm = pytest.importorskip("statsmodels.api")
    model = model_of("binomial", standardize=False)
    X = sm.add_constant(model.data.design.to_dense())
    given = pg.convert(0.05, to="statsmodels.discrete", model=model).arguments
    fit = sm.Logit(model.data.y, X).fit_regularized(
        method="l1",
        acc=1e-14,
        maxiter=5000,
        disp=0,
        trim_mode="size",
        size_trim_tol=1e-8,
        **given,
    )
    params = np.asarray(fit.params)
    assert kkt(model, 0.05, 1.0, params[0], params[1:]) < OPTIMAL


@pytest.mark.parametrize("mix", [1.0, 0.0])
def test_liblinear_without_an_intercept(mix):
    linear_model = pytest.importorskip("sklearn.linear_model")
    model = model_of("binomial", weighted=True, standardize=False, fit_intercept=False)
    given = pg.convert(0.05, mix, to="sklearn.liblinear", model=model).arguments
    machine = linear_model.LogisticRegression(
        solver="liblinear", tol=1e-12, max_iter=100_000, fit_intercept=False,
        random_state=0, **given,
    )  # fmt: skip
    data = model.data
    fit = machine.fit(data.design.to_dense(), data.y, data.sample_weight)
    told = kkt(model, 0.05, mix, 0.0, fit.coef_.ravel(), fit_intercept=False)
    assert told < OPTIMAL


def test_tweedie_regressor():
    linear_model = pytest.importorskip("sklearn.linear_model")
    base = model_of("gamma", weighted=True)
    X, y, weight = (
        base.data.design.to_dense(), base.data.y, base.data.sample_weight
    )  # fmt: skip
    family = pg.families.Tweedie(power=1.5)
    model = pg.PenalizedGLM(y, X, family, var_weights=weight, standardize=False)
    given = pg.convert(0.3, 0.0, to="sklearn.TweedieRegressor", model=model).arguments
    fit = linear_model.TweedieRegressor(
        power=1.5, link="log", solver="newton-cholesky", tol=1e-12, **given
    ).fit(X, y, weight)
    assert kkt(model, 0.3, 0.0, fit.intercept_, fit.coef_) < OPTIMAL


def test_comparison_shows_both_under_one_convention():
    pytest.importorskip("sklearn")
    told = model_of("gaussian", weighted=True).compare_with("sklearn", 0.2)
    table = told.to_frame()
    assert list(table.index) == ["penglm", "sklearn"]
    assert list(table.columns) == ["objective", "kkt_residual", "n_nonzero", "seconds"]
    assert_allclose(*table["objective"], rtol=1e-10)
    for word in ("largest difference", "sklearn.Lasso: alpha=", "divide the columns"):
        assert word in repr(told)


@pytest.mark.parametrize(
    ("peer", "others", "says"),
    [
        ("sklearn", {"family": "poisson", "offset": True}, "takes no offset"),
        ("glum", {"family": "gaussian", "lower": 0.0}, "without limits"),
        ("adelie", {"family": "gamma"}, "not for gamma"),
        ("skglm", {"family": "gaussian", "weighted": True}, "no weights"),
        ("celer", {"family": "binomial"}, "no intercept"),
        ("statsmodels", {"family": "gaussian", "penalty_factor": [1, np.inf, 1, 1]},
         "cannot exclude"),
        ("glmnet", {"family": "gaussian"}, "peer"),
    ],
)  # fmt: skip
def test_what_a_peer_cannot_state_is_refused(peer, others, says):
    if peer in PEERS:
        pytest.importorskip(PEERS[peer].module)
    with pytest.raises(PenglmInputError, match=says):
        model_of(**others).compare_with(peer, 0.1)


@pytest.mark.parametrize("peer", PEERS)
def test_model_of_the_intercept_alone_is_not_handed_to_a_peer(peer):
    # Some end the process on a design without columns.
    pytest.importorskip(PEERS[peer].module)
    model = pg.PenalizedGLM(np.arange(5.0), np.empty((5, 0)))
    with pytest.raises(PenglmInputError, match="there are no columns"):
        model.compare_with(peer, 0.1)


def test_adelie_without_a_solution_is_said_to_have_none():
    pytest.importorskip("adelie")
    base = model_of("gaussian")
    model = pg.PenalizedGLM(np.full(N, 2.0), base.data.design.to_dense())
    with pytest.raises(ConvergenceError, match="adelie came to no solution"):
        model.compare_with("adelie", 0.1)


def test_absent_peer_comes_with_its_install_command(monkeypatch):
    monkeypatch.setattr("penglm.peers.base.find_spec", lambda name: None)
    with pytest.raises(PenglmInputError, match="pip install scikit-learn"):
        model_of("gaussian").compare_with("sklearn", 0.1)
