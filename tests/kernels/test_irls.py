"""The loop in one call beside the definitions of what it adds up and where it ends."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from penglm.kernels import irls, terms

SEEDS = st.integers(0, 2**32 - 1)
TARGET = 1e-9
KINDS = {"gaussian": terms.GAUSSIAN, "logit": terms.LOGIT, "log": terms.LOG}

few = settings(max_examples=20, deadline=None)


def expected_terms(kind, y, e):
    """Return mean, variance and half the deviance of rows, but for a constant."""
    if kind == terms.LOGIT:
        mu = 1 / (1 + np.exp(-e))
        return mu, mu * (1 - mu), np.logaddexp(0, e) - y * e
    if kind == terms.LOG:
        return np.exp(e), np.exp(e), np.exp(e) - y * e
    return e, np.ones_like(e), 0.5 * (y - e) ** 2


def problem(seed, kind, n=60, p=9):
    rng = np.random.default_rng(seed)
    Z = rng.normal(size=(p, n)) + 0.5 * rng.normal(size=n)
    eta = 0.8 * Z[0] - 0.5 * Z[1]
    y = {
        terms.GAUSSIAN: eta + rng.normal(size=n),
        terms.LOGIT: (rng.uniform(size=n) < 1 / (1 + np.exp(-eta))) * 1.0,
        terms.LOG: rng.poisson(np.exp(0.5 * eta)) * 1.0,
    }[kind]
    w = rng.uniform(0.5, 2.0, n)
    return Z, y, w / w.sum(), 0.1 * rng.normal(size=n)


def call(
    kind, Z, y, w, offset, *, alphas, l2=0.0, lower=-np.inf, upper=np.inf, most=50,
    has_intercept=True, start=None, room=None, memory=None,
):  # fmt: skip
    """Solve from nothing, or a memory; return all the kernel wrote, by name."""
    p, n = Z.shape
    m, room = len(alphas), room or p
    out = {
        "A": np.zeros(room, dtype=np.int64), "m": np.zeros(room, dtype=np.int64),
        "c": np.empty(room), "H": np.empty((room, room)), "L": np.empty((room, room)),
        "h": np.empty(n), "b": np.zeros(p), "counts": np.array([0, -1, 0]),
        "known": np.zeros(2), "coefs": np.empty((m, p)), "scores": np.empty((m, p)),
        "sums": np.empty((m, 4)), "steps": np.zeros(m, dtype=np.int64),
        "history": np.empty((m, most + 1)),
    }  # fmt: skip
    out |= memory or {}
    l1 = np.repeat(np.asarray(alphas, dtype=float)[:, None], p, axis=1)
    out["n_solved"] = irls.solve(
        kind, Z, y, w, offset, has_intercept, l1, np.full((m, p), l2),
        np.full(p, lower), np.full(p, upper), l1.copy(), np.asarray(alphas) * 1.0,
        TARGET, most, np.zeros(p) if start is None else start, 0.0,
        *list(out.values()),
    )  # fmt: skip
    return out


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@few
@given(seed=SEEDS, l2=st.sampled_from([0.0, 0.05]), has_intercept=st.booleans())
def test_every_strength_ends_at_its_subgradient_conditions(
    kind, seed, l2, has_intercept
):
    data = Z, y, w, offset = problem(seed, kind)
    alphas = [0.2, 0.1, 0.02]
    out = call(kind, *data, alphas=alphas, l2=l2, has_intercept=has_intercept)
    assert out["n_solved"] == 3
    for q, alpha in enumerate(alphas):
        b, (intercept, loss, beside, _) = out["coefs"][q], out["sums"][q]
        mu, _, half = expected_terms(kind, y, offset + intercept + b @ Z)
        score = Z @ (w * (y - mu))
        assert_allclose(out["scores"][q], score, atol=1e-12)
        push = score - l2 * b
        at_zero = b == 0.0
        assert np.all(np.abs(push[at_zero]) <= alpha * (1 + TARGET))
        assert_allclose(push[~at_zero], alpha * np.sign(b[~at_zero]), rtol=1e-8)
        if has_intercept:
            assert abs(w @ (y - mu)) <= alpha * 1e-8
            assert_allclose(beside, w @ (y - mu), atol=1e-12)
        else:
            assert intercept == 0.0
        saturated = 0.0
        if kind == terms.LOG:
            some = np.maximum(y, 1.0)
            saturated = w @ (y - y * np.log(some))
        assert_allclose(loss, w @ half - saturated, rtol=1e-9, atol=1e-12)
        history = out["history"][q, : out["steps"][q] + 1]
        assert np.all(np.diff(history) <= 1e-14)
        last = loss + alpha * np.abs(b).sum() + 0.5 * l2 * b @ b
        assert_allclose(history[-1], last, rtol=1e-12)


@few
@given(seed=SEEDS)
def test_limits_hold_what_pushes_against_them(seed):
    data = Z, y, w, offset = problem(seed, terms.LOGIT)
    out = call(terms.LOGIT, *data, alphas=[0.01], lower=-0.1, upper=0.2)
    assert out["n_solved"] == 1
    b = out["coefs"][0]
    assert np.all((b >= -0.1) & (b <= 0.2))
    mu, _, _ = expected_terms(terms.LOGIT, y, offset + out["sums"][0, 0] + b @ Z)
    push = Z @ (w * (y - mu))
    slack = 0.01 * (1 + 1e-8)
    assert np.all(push[b < 0.2] <= slack)
    assert np.all(push[b > -0.1] >= -slack)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_what_it_remembers_is_the_profiled_gram_matrix_of_where_it_says(kind):
    data = Z, y, w, offset = problem(3, kind)
    out = call(kind, *data, alphas=[0.2, 0.1, 0.05])
    k, n_members, _ = out["counts"]
    mine = Z[out["A"][:k]]
    _, variance, _ = expected_terms(kind, y, offset + out["known"][1] + out["b"] @ Z)
    h = w * variance
    assert_allclose(out["h"], h, rtol=1e-12)
    assert_allclose(out["known"][0], h.sum())
    assert_allclose(out["c"][:k], mine @ h, atol=1e-14)
    gram = (mine * h) @ mine.T - np.outer(mine @ h, mine @ h) / h.sum()
    assert_allclose(out["H"][:k, :k], gram, atol=1e-13)
    members = out["m"][:n_members]
    assert set(out["A"][members]) == set(np.flatnonzero(out["coefs"][-1]))
    L = np.tril(out["L"][:n_members, :n_members])
    assert_allclose(L @ L.T, gram[np.ix_(members, members)], atol=1e-12)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_it_goes_on_from_what_it_remembers(kind):
    data = problem(5, kind)
    whole = call(kind, *data, alphas=[0.1, 0.05])
    first = call(kind, *data, alphas=[0.1])
    memory = {name: first[name] for name in (*"AmcHLhb", "counts", "known")}
    n_known = int(first["counts"][0])
    mine = first["A"][:n_known].copy()
    again = call(
        kind, *data, alphas=[0.05], start=first["coefs"][0].copy(), memory=memory
    )  # fmt: skip
    assert again["n_solved"] == 1
    assert_allclose(again["coefs"][0], whole["coefs"][1], atol=1e-7)
    if kind == terms.GAUSSIAN:
        assert_array_equal(again["A"][:n_known], mine)
    # Of something else it would be led astray, which shows that it is used.
    wrong = {
        **memory,
        "H": -np.eye(len(memory["H"])),
        "counts": np.array([n_known, -1, 0]),
    }
    astray = call(
        kind, *data, alphas=[0.02], start=first["coefs"][0].copy(), memory=wrong
    )  # fmt: skip
    assert astray["n_solved"] == 0


def test_it_leaves_what_is_out_of_the_ordinary():
    Z, y, w, offset = problem(7, terms.LOG)
    twice = np.vstack([Z, Z[:1]])
    start = np.zeros(10)
    start[[0, 9]] = 0.3
    assert (
        call(terms.LOG, twice, y, w, offset, alphas=[0.01], start=start)["n_solved"]
        == 0
    ), "dependent columns in the support"
    assert call(terms.LOG, Z, y, w, offset, alphas=[0.1, 1e-4], most=2)["n_solved"] < 2
    assert call(terms.LOG, Z, y, w, offset, alphas=[0.01], room=1)["n_solved"] == 0
    far = np.where(np.arange(y.size) == 0, 800.0, offset)
    assert call(terms.LOG, Z, y, w, far, alphas=[0.1])["n_solved"] == 0, (
        "no finite loss"
    )


@few
@given(seed=SEEDS, n_old=st.integers(0, 5))
def test_gram_matrix_grows_to_what_it_is_from_scratch(seed, n_old):
    rng = np.random.default_rng(seed)
    Z, h = rng.normal(size=(8, 30)), rng.uniform(0.1, 1.0, 30)
    A = rng.permutation(8)[:6]
    made = []
    for first in (0, n_old):
        H, c = np.zeros((6, 6)), np.zeros(6)
        if first:
            irls.extend(Z, A, 0, first, h, h.sum(), np.empty(30), np.empty(8), c, H)
        irls.extend(Z, A, first, 6, h, h.sum(), np.empty(30), np.empty(8), c, H)
        made.append(H)
    assert_array_equal(*made)
    centred = Z[A] - (Z[A] @ h / h.sum())[:, None]
    assert_allclose(made[0], (centred * h) @ centred.T, atol=1e-13)


@few
@given(seed=SEEDS, k=st.integers(0, 8))
def test_slopes_are_products(seed, k):
    rng = np.random.default_rng(seed)
    Z, g, v = rng.normal(size=(8, 17)), rng.normal(size=17), np.zeros(8)
    members = rng.permutation(8)[:k]
    irls.slopes(Z, g, members, v)
    expected = np.zeros(8)
    expected[members] = (Z @ g)[members]
    assert_allclose(v, expected, rtol=1e-13, atol=1e-13)


def test_new_derivatives_pay_where_steps_are_slow_and_the_matrix_is_small():
    slow, quick = (0.9, 1.0, 1e-4), (1e-3, 1.0, 1e-4)
    assert irls.pays(*slow, 500, 20)
    assert not irls.pays(*quick, 500, 20)
    assert irls.pays(0.2, 1.0, 1e-4, 500, 20)
    assert not irls.pays(0.2, 1.0, 1e-4, 500, 2000)
    assert irls.pays(2.0, 1.0, 1e-4, 500, 20), "a violation that grows"
    assert not irls.pays(1.0, np.inf, 1e-4, 500, 20), "nothing is known yet"
    assert not irls.pays(1e-5, 1.0, 1e-4, 500, 20), "nothing is left to do"


@few
@given(seed=SEEDS)
def test_bend_of_a_step_is_a_ratio_of_squares(seed):
    rng = np.random.default_rng(seed)
    along, h, h_known = rng.normal(size=12), *rng.uniform(0.1, 1.0, (2, 12))
    square = (along + 0.3) ** 2
    found = irls.bent(along, 0.3, h, h_known, 7.0)
    assert_allclose(found, (h @ square) / (h_known @ square))
    assert irls.bent(0.0 * along, 0.0, h, h_known, 7.0) == 7.0
