"""Families and links by name, by class, as objects, and from statsmodels."""

import re
from functools import partial

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.testing import assert_array_equal

from penglm import PenalizedGLM
from penglm.exceptions import NoFiniteSolutionError, PenglmInputError
from penglm.families import (
    FAMILIES,
    LINKS,
    STATSMODELS_LINKS,
    Binomial,
    Gaussian,
    Identity,
    Interval,
    Inverse,
    InverseSquared,
    Link,
    Log,
    Logit,
    NBinomial,
    NegativeBinomial,
    Poisson,
    Power,
    Probit,
    Sqrt,
    as_family,
    as_link,
)

links = sm.families.links


@pytest.mark.parametrize("name", LINKS)
def test_link_goes_by_its_name_its_class_and_itself(name):
    kind = LINKS[name]
    assert type(as_link(name)) is kind
    assert type(as_link(kind)) is kind
    link = kind()
    assert as_link(link) is link


@pytest.mark.parametrize("name", FAMILIES)
def test_family_goes_by_its_name_its_class_and_itself(name):
    kind = FAMILIES[name]
    for given in (name, name.upper(), name.capitalize(), kind):
        family = as_family(given)
        assert type(family) is kind
        assert isinstance(family.link, kind.default_link)
    family = kind()
    assert as_family(family) is family


@pytest.mark.parametrize("name", STATSMODELS_LINKS)
def test_link_of_statsmodels_is_the_one_of_that_name(name):
    assert as_link(getattr(links, name)()) == LINKS[STATSMODELS_LINKS[name]]()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (links.NegativeBinomial(alpha=0.4), NBinomial(2.5)),
        (links.Power(power=1.0), Identity()),
        (links.Power(power=0.0), Log()),
        (links.Power(power=-1.0), Inverse()),
        (links.Power(power=3.0), Power(3.0)),
        (links.Power(power=0.5), Sqrt()),
        (links.InverseSquared(), InverseSquared()),
    ],
)
def test_power_of_statsmodels_is_the_link_of_that_exponent(given, expected):
    assert as_link(given) == expected


@pytest.mark.parametrize("name", [n for n in FAMILIES if not n.startswith("quasi")])
def test_family_of_statsmodels_brings_its_own_link(name):
    kind = getattr(sm.families, name.title().replace("_", ""))
    own = {"negative_binomial": {"alpha": 4.0}, "tweedie": {"var_power": 1.3}}
    mine = {"negative_binomial": {"theta": 0.25}, "tweedie": {"power": 1.3}}
    kind = partial(kind, **own.get(name, {}))
    assert repr(as_family(kind())) == repr(FAMILIES[name](**mine.get(name, {})))
    link = {"binomial": links.Probit}.get(name, links.Log)()
    if isinstance(as_link(link), FAMILIES[name].default_link):
        link = links.Sqrt()
    assert as_family(kind(link)).link == as_link(link)


@pytest.mark.parametrize(
    ("family", "link"),
    [
        ("poisson", "sqrt"),
        ("poisson", Sqrt),
        (Poisson, Sqrt()),
        (Poisson, links.Sqrt()),
        (Poisson(Sqrt()), "sqrt"),
        (sm.families.Poisson(links.Sqrt()), Sqrt()),
    ],
)
def test_link_may_be_given_beside_a_family_that_does_not_contradict(family, link):
    assert repr(as_family(family, link)) == "Poisson(link=Sqrt())"


@pytest.mark.parametrize("family", [Poisson(), sm.families.Poisson()])
def test_second_link_that_contradicts_is_refused(family):
    text = (
        "link = 'sqrt' contradicts the family's own link 'log'; pass the link inside "
        "the family object only."
    )
    with pytest.raises(PenglmInputError, match=f"^{re.escape(text)}$") as caught:
        as_family(family, "sqrt")
    assert caught.value.argument == "link"


UNKNOWN_LINKS = ["logistic", "", 3, None, object, links.Log]


@pytest.mark.parametrize("link", UNKNOWN_LINKS, ids=str)
def test_unknown_link_is_refused_with_the_known_ones(link):
    text = f"link = {link!r} is not known; use one of identity, log, logc,"
    with pytest.raises(PenglmInputError, match=f"^{re.escape(text)}") as caught:
        as_link(link)
    assert caught.value.argument == "link"


UNKNOWN_FAMILIES = {
    "weibull": "'weibull'",
    type("Weibull", (), {"__module__": "statsmodels.genmod.families"})(): "Weibull",
    sm.families.Poisson: repr(sm.families.Poisson),
    3: "3",
    Log(): "Log()",
}


@pytest.mark.parametrize("family", UNKNOWN_FAMILIES, ids=str)
def test_unknown_family_is_refused_with_the_known_ones(family):
    text = (
        f"family = {UNKNOWN_FAMILIES[family]} is not known; use one of "
        f"{', '.join(FAMILIES)}, or an object of theirs."
    )
    with pytest.raises(PenglmInputError, match=f"^{re.escape(text)}$") as caught:
        as_family(family)
    assert caught.value.argument == "family"


@pytest.mark.parametrize(
    ("kind", "link"),
    [
        (Gaussian, Logit()),
        (Gaussian, Probit()),
        (Poisson, Logit()),
        (Poisson, Probit()),
    ],
)
def test_link_that_misses_means_of_the_family_is_refused(kind, link):
    text = f"link '{link.name}' gives means in (0, 1), but the {kind.name} family needs"
    with pytest.raises(PenglmInputError, match=f"^{re.escape(text)}") as caught:
        kind(link)
    assert caught.value.argument == "link"


def test_binomial_family_takes_every_link():
    for kind in LINKS.values():
        assert Binomial(kind()).link == kind()


class Half(Link):
    """A link of somebody else's, ``eta = mu / 2``."""

    name = "half"

    def __call__(self, mu):
        return 0.5 * mu

    def inverse(self, eta):
        return 2.0 * eta

    def inverse_deriv(self, eta):
        return 2.0 + 0.0 * eta


def test_link_of_the_callers_own_is_taken_but_not_called_convex():
    family = as_family("gaussian", Half())
    assert family.link == Half()
    assert not family.is_canonical
    assert not family.is_convex


def test_convexity_is_claimed_by_the_name_of_a_link_that_exists():
    for kind in FAMILIES.values():
        assert kind.convex_links <= set(LINKS)
        assert kind.default_link.name in kind.convex_links


def test_interval_contains_its_closed_ends_only():
    half = Interval(0.0, 1.0, low_closed=True)
    assert_array_equal(
        half.contains(np.array([-1e-9, 0.0, 0.5, 1.0])), [False, True, True, False]
    )
    assert str(half) == "[0, 1)"


def test_negative_binomial_of_statsmodels_without_spread_is_refused():
    with pytest.raises(PenglmInputError, match="use the Poisson family"):
        as_family(sm.families.NegativeBinomial(alpha=0.0))
    with pytest.raises(PenglmInputError, match="use the log link"):
        as_link(links.NegativeBinomial(alpha=0.0))


def test_probability_link_of_counts_that_are_more_than_one_on_average_is_refused():
    X, y = np.arange(6.0)[:, None], np.array([0.0, 3.0, 1.0, 0.0, 4.0, 1.0])
    text = "link 'cloglog' gives means below 1, but the mean of y is 1.5: the intercept"
    for solve in (lambda m: m.fit(0.1), lambda m: m.fit_path()):
        with pytest.raises(NoFiniteSolutionError, match=f"^{re.escape(text)}"):
            solve(PenalizedGLM(y, X, "negative_binomial", link="cloglog"))
    fit = PenalizedGLM(y / 2.0, X, "negative_binomial", link="cloglog").fit(0.01)
    assert fit.converged
    assert fit.fittedvalues.max() < 1.0


@pytest.mark.parametrize(
    ("given", "expected"), [(NBinomial(2.5), True), (NBinomial(2.4), False)]
)
def test_link_of_the_same_theta_only_is_canonical_and_convex(given, expected):
    family = NegativeBinomial(given, theta=2.5)
    assert family.is_canonical is expected
    assert family.is_convex is expected
