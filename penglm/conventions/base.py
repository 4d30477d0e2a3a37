"""What a convention is: how a system counts the strength of a penalty.

Every system is measured against one form, the *core form* of docs/objective.md on
columns as they are: the weighted mean of the half-deviance, plus ``l1_j |coef_j|`` and
``l2_j / 2 coef_j^2``. A ``Convention`` reads the system's own arguments into such a
``Penalty`` and says one in its arguments. So a translation between two systems is one
reading and one saying, and a system is one record.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from penglm import checks
from penglm._typing import Vector
from penglm.conventions.values import (
    ROUNDING,
    Conversion,
    Facts,
    Penalty,
    has_part,
    in_units,
    multipliers,
    positive,
    share,
    snapped,
    tidy,
    times,
)
from penglm.exceptions import PenglmInputError


@dataclass(frozen=True)
class Convention:
    """How one system counts; its fields are the row of a table.

    Attributes
    ----------
    name : str
    strength, mix : str or None
        Its names of the strength and of the share of the L1 part; None where it has
        no mix.
    mix_default : float or None
        What the mix is when not given; None where it has to be.
    loss : {"mean", "rows", "sum", "double"}
        Its loss: the weighted mean of half-deviances, their sum over the number of
        rows, their sum, or the mean deviance.
    inverse : bool
        The strength multiplies the loss instead (``C``).
    parts : {"both", "either", "lasso", "ridge"}
        What its penalty can hold; either is one of two, no mix.
    factors : str or None
        Its name of multipliers by column.
    rescales : bool
        It rescales multipliers to sum to the number of columns.
    standardizes : {"never", "optional", "always"}
    flag : str or None
        Name of the argument that standardises.
    flag_default : bool
        What it is when not given.
    flag_needs_intercept : bool
        It refuses to standardise where there is no intercept.
    sample_sd : bool
        Standard deviations are divided by one less than the number of rows.
    ridge_by_response : bool
        For least squares the ridge part is divided by the sd of the response.
    families, links : tuple of str
        The only ones; empty for all.
    weighted : bool
        It takes weights of rows.
    penalises_intercept, fits_intercept : bool
    drops_constant : bool
        A constant column has no coefficient, also where there is no intercept.
    scales_outside : bool
        Its columns may be divided beforehand.
    verified : bool
    note : str
    refusal : str
        Why nothing is translated; empty otherwise.
    """

    name: str
    strength: str = "alpha"
    mix: str | None = "l1_ratio"
    mix_default: float | None = 1.0
    loss: str = "mean"
    inverse: bool = False
    parts: str = "both"
    factors: str | None = None
    rescales: bool = False
    standardizes: str = "never"
    flag: str | None = None
    flag_default: bool = False
    flag_needs_intercept: bool = False
    sample_sd: bool = False
    ridge_by_response: bool = False
    families: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    weighted: bool = True
    penalises_intercept: bool = False
    fits_intercept: bool = True
    drops_constant: bool = False
    scales_outside: bool = True
    verified: bool = True
    note: str = ""
    refusal: str = ""

    # What the loss and the columns are to it.

    def loss_unit(self, facts: Facts) -> float:
        """Return its loss over that of the core form."""
        if self.loss == "mean":
            return 1.0
        if self.loss == "double":
            return 2.0
        if not self.weighted:
            # Rows count once, also where equal weights make them count twice.
            return float(facts.need("n_rows", self.name)) if self.loss == "sum" else 1.0
        total = float(facts.need("weight_total", self.name))
        return total if self.loss == "sum" else total / facts.need("n_rows", self.name)

    def ridge_unit(self, facts: Facts) -> float:
        """Return its ridge strength over that of the core form, loss apart."""
        least_squares = facts.family == "gaussian" and facts.link in (None, "identity")
        if not self.ridge_by_response:
            return 1.0
        if facts.family is None:
            facts.need("family", self.name)
        if not least_squares:
            return 1.0
        sd = float(facts.need("response_sd", self.name))
        return sd * self.sd_ratio(facts)

    def sd_ratio(self, facts: Facts) -> float:
        """Return its standard deviations over penglm's."""
        if not self.sample_sd:
            return 1.0
        n_rows = int(facts.need("n_rows", self.name))
        if n_rows < 2:
            raise PenglmInputError("n_rows must be at least 2.", argument="n_rows")
        return float(np.sqrt(n_rows / (n_rows - 1)))

    def own_scale(self, facts: Facts, mask: Any) -> Vector:
        """Return what it divides columns by (p,) if it standardises those of a mask."""
        sd = np.asarray(facts.need("column_sd", self.name), dtype=float)
        size = sd * self.sd_ratio(facts)
        if not facts.fit_intercept and np.any(mask & (sd == 0.0)):
            # Its size stands in for the sd that it does not have.
            size = np.where(sd, size, np.abs(facts.need("column_mean", self.name)))
        # Else a constant column is not in the model, whatever it is divided by.
        return np.where(mask & (size > 0.0), size, 1.0)

    def can_scale(self, facts: Facts) -> bool:
        """Return whether it may be asked to standardise."""
        return facts.fit_intercept or not self.flag_needs_intercept

    def check(self, facts: Facts) -> None:
        """Raise where its model is not the one of the facts."""
        if self.refusal:
            raise PenglmInputError(f"{self.name}: {self.refusal}", argument="to")
        if self.families and facts.family and facts.family not in self.families:
            raise PenglmInputError(
                f"{self.name} fits {', '.join(self.families)}, not {facts.family}.",
                argument="family",
            )
        if self.links and facts.link and facts.link not in self.links:
            raise PenglmInputError(
                f"{self.name} has the link {' or '.join(self.links)}, not "
                f"{facts.link}.",
                argument="link",
            )
        if facts.is_weighted and not self.weighted:
            raise PenglmInputError(
                f"{self.name} takes no weights of rows, and those of the model differ; "
                "no strength makes up for that.",
                argument="model",
            )
        if self.penalises_intercept and facts.fit_intercept:
            raise PenglmInputError(
                f"{self.name} penalises the intercept, which penglm never does: no "
                "strength makes the two problems one. Use another solver, or "
                "fit_intercept=False on both sides.",
                argument="fit_intercept",
            )
        if self.drops_constant and not facts.fit_intercept and facts.constant.size:
            raise PenglmInputError(
                f"{self.name} leaves out column {facts.constant[0]}, a constant; "
                "without an intercept penglm does not. Use fit_intercept=True.",
                argument="fit_intercept",
            )
        if not self.fits_intercept and facts.fit_intercept:
            raise PenglmInputError(
                f"{self.name} fits no intercept; pass fit_intercept=False if there "
                "shall be none.",
                argument="fit_intercept",
            )

    # From its arguments to the core form.

    def read(self, given: Mapping[str, Any], facts: Facts) -> Penalty:
        """Return the penalty that its arguments mean.

        Raises
        ------
        PenglmInputError
            If an argument is unknown or missing, or no core form means the same.
        """
        self.check(facts)
        known = {self.strength, self.mix, self.factors, self.flag} - {None}
        for name in given:
            if name not in known:
                raise PenglmInputError(
                    f"{self.name} has no '{name}' here; it takes "
                    f"{', '.join(sorted(str(each) for each in known))}.",
                    argument=str(name),
                )
        if self.strength not in given:
            raise PenglmInputError(
                f"{self.name} needs its strength, '{self.strength}'.",
                argument=self.strength,
            )
        strength = positive(given[self.strength], self.strength, inverse=self.inverse)
        strength = 1.0 / strength if self.inverse else strength
        mix = self.read_mix(given)
        factor = multipliers(given.get(str(self.factors)), facts.width)
        spread, scale = self.rescaled(factor), np.ones(facts.width)
        on = checks.scaling(given.get(str(self.flag), self.flag_default))
        if on and not self.can_scale(facts):
            told = f"without an intercept; pass {self.flag}=False."
            raise PenglmInputError(f"{self.name} does not standardise {told}")
        if self.standardizes == "always" or on:
            mask = facts.need("is_numeric", self.name) if on == "numeric" else True
            scale = self.own_scale(facts, mask)
        loss = self.loss_unit(facts)
        ridge = loss * self.ridge_unit(facts) if mix < 1.0 else 1.0
        return Penalty(
            times(strength * mix / loss, spread * scale),
            times(strength * (1.0 - mix) / ridge, spread * scale**2),
            factor,
            scale,
        )

    def read_mix(self, given: Mapping[str, Any]) -> float:
        """Return the share of the L1 part that its arguments mean."""
        if self.parts in ("lasso", "ridge"):
            return float(self.parts == "lasso")
        found = given.get(str(self.mix), self.mix_default)
        if found is None:
            raise PenglmInputError(
                f"{self.name} needs its mix, '{self.mix}', beside its strength.",
                argument=self.mix,
            )
        mix = share(found, str(self.mix))
        self.check_mix(mix)
        return mix

    def check_mix(self, mix: float) -> None:
        """Raise where its penalty cannot hold a mix."""
        fits, what = {
            "lasso": (mix == 1.0, "has no ridge part; l1_ratio must be 1"),
            "ridge": (mix == 0.0, "is ridge only; l1_ratio must be 0"),
            "either": (mix in (0.0, 1.0), "has no mix; l1_ratio must be 0 or 1"),
        }.get(self.parts, (True, ""))
        if not fits:
            raise PenglmInputError(f"{self.name} {what}.", argument="l1_ratio")

    def rescaled(self, factor: Vector) -> Vector:
        """Return the multipliers that it works with; excluded columns count as 1."""
        if not self.rescales:
            return factor
        total = float(np.where(np.isinf(factor), 1.0, factor).sum())
        if total == 0.0:
            raise PenglmInputError(
                f"{self.name} cannot rescale factors that are all 0.",
                argument=self.factors,
            )
        return factor * (factor.size / total)

    # From the core form to its arguments.

    def say(self, penalty: Penalty, facts: Facts) -> Conversion:
        """Return its arguments that mean a penalty.

        The system standardises where the author of the penalty did; else columns go in
        as they are, else divided by ``column_scale`` beforehand.

        Raises
        ------
        PenglmInputError
            If no arguments mean the same.
        """
        self.check(facts)
        loss = self.loss_unit(facts)
        ridge = loss * self.ridge_unit(facts) if has_part(penalty.l2) else 1.0
        l1, l2 = in_units(penalty.l1, loss), in_units(penalty.l2, ridge)
        reason = ""
        for scale, flag, outside in self.scales(penalty, facts):
            if np.any(scale == 0.0):
                continue
            try:
                told = self.express(l1 / scale, l2 / scale**2, penalty.factor, facts)
            except PenglmInputError as error:
                reason = reason or str(error)
                continue
            if self.flag is not None and self.standardizes == "optional":
                told[self.flag] = flag
            return Conversion(
                self.name, told, scale if outside else None, self.verified, self.note
            )
        raise PenglmInputError(reason, argument="to")

    def scales(
        self, penalty: Penalty, facts: Facts
    ) -> Iterator[tuple[Vector, bool, bool]]:
        """Yield what to divide columns by, whether by its flag, whether beforehand."""
        is_scaled = bool(np.any(penalty.scale != 1.0)) and self.can_scale(facts)
        if self.standardizes == "always" or (
            self.standardizes == "optional" and is_scaled
        ):
            yield self.own_scale(facts, True), True, False
        if self.standardizes != "always":
            yield np.ones(facts.width), False, False
            if not self.scales_outside:
                return
            yield penalty.scale, False, True
            if self.factors is None and np.all(np.isfinite(penalty.factor)):
                # A single part is the same on columns divided by its factors.
                power = 0.5 if has_part(penalty.l2) else 1.0
                yield penalty.scale * penalty.factor**power, False, True

    def express(
        self, l1: Vector, l2: Vector, factor: Vector, facts: Facts
    ) -> dict[str, Any]:
        """Return arguments for a penalty in its units, on its columns."""
        strengths, mix = self.one_mix(l1, l2)
        if self.factors is None:
            shared = self.one_strength(strengths)
            told: dict[str, Any] = {self.strength: shared}
        else:
            shared, spread = self.split(strengths, factor)
            told = {self.strength: shared}
            if not np.all(spread == 1.0):
                told[self.factors] = spread
        if self.inverse:
            told[self.strength] = tidy(1.0 / shared) if shared > 0.0 else np.inf
        if self.mix is not None:
            told[self.mix] = mix
        return told

    def one_mix(self, l1: Vector, l2: Vector) -> tuple[Vector, float]:
        """Return the strength of each column (p,) and the share of L1 that all have."""
        total = l1 + l2
        counted = np.isfinite(total) & (total > 0.0)
        shares = l1[counted] / total[counted]
        mix = tidy(shares[0]) if shares.size else 1.0
        if shares.size and np.ptp(shares) > ROUNDING:
            raise PenglmInputError(
                f"{self.name} has one mix for all columns, and this penalty has one "
                "for each, because columns are scaled for it. Divide the columns by "
                "their standard deviations yourself, with standardize=False."
            )
        if shares.size:
            self.check_mix(mix)
        return total, mix

    def one_strength(self, strengths: Vector) -> float:
        """Return the strength that all columns have."""
        excluded = np.flatnonzero(np.isinf(strengths))
        if excluded.size:
            raise PenglmInputError(
                f"{self.name} cannot exclude column {excluded[0]}; leave it out of "
                "the data."
            )
        if np.ptp(strengths) > ROUNDING * strengths.max():
            raise PenglmInputError(
                f"{self.name} has no penalty factors, and this penalty differs between "
                f"columns (column 0: {strengths[0]:g}, others up to "
                f"{strengths.max():g}). Divide each column by its factor yourself, "
                "which is the same for a lasso."
            )
        return tidy(strengths.mean())

    def split(self, strengths: Vector, factor: Vector) -> tuple[float, Vector]:
        """Return one strength and multipliers (p,), by the author's split if it can."""
        finite = np.isfinite(strengths)
        if not np.any(strengths[finite] > 0.0):
            return 0.0, np.where(finite, 1.0, np.inf)
        if self.rescales:
            # Finite multipliers with mean 1, so that its rescaling changes nothing.
            shared = float(strengths[finite].mean())
            return shared, snapped(strengths / shared)
        counted = finite & (factor > 0.0) & np.isfinite(factor)
        ratio = strengths[counted] / factor[counted]
        if ratio.size and np.ptp(ratio) <= ROUNDING * ratio.max():
            return tidy(ratio[0]), factor
        shared = float(strengths[finite].max())
        return shared, snapped(strengths / shared)
