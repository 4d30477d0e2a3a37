"""Splitting rows into folds: at random, by class, by group, or as the user says."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from penglm import arrays
from penglm._typing import Index, Mask, Vector
from penglm.exceptions import PenglmInputError


def of_rows(
    folds: Any,
    groups: Any,
    *,
    used: Mask,
    rows: Index,
    n_given: int,
    classes: Vector | None,
    seed: int,
    levels: tuple[Any, Any] | None = None,
) -> Index:
    """Return the fold (n,) of each row of a model; -1 for rows of weight 0.

    Parameters
    ----------
    folds, groups
        As ``fit_cv`` takes them: one value per row of the model or of the caller's
        data.
    used : Mask (n,)
        Rows of positive weight.
    rows : Index (n,)
        Positions of the model's rows in the caller's data.
    n_given : int
        Rows of the caller's data.
    classes : Vector (n,) or None
        Spread evenly over the folds if they are 0 and 1.
    seed : int
    levels : tuple, optional
        What the caller calls the classes 0 and 1.
    """
    import pandas as pd

    kept = np.flatnonzero(used)
    if isinstance(folds, str):
        raise PenglmInputError(
            f"folds = {folds!r}; use a number of folds, labels, or a splitter.",
            argument="folds",
        )

    def one_per_row(values: Any, argument: str) -> Any:
        array = arrays.array_of(values)
        if array.shape not in (used.shape, (n_given,)):
            some = f", {used.size} of them used" if used.size < n_given else ""
            raise PenglmInputError(
                f"{argument} has shape {array.shape} but there are {n_given} rows"
                f"{some}.",
                argument=argument,
            )
        # What a row that is not in the model belongs to does not matter.
        array = array[kept if array.shape == used.shape else rows[kept]]
        if np.any(pd.isna(array)):
            raise PenglmInputError(
                f"{argument} misses a value; every row needs one.", argument=argument
            )
        return array

    if is_list_of_splits(folds):
        folds = one_per_row(from_splits(folds, used.size), "folds")
    elif not isinstance(folds, int | np.integer) and not hasattr(folds, "split"):
        folds = one_per_row(folds, "folds")
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise PenglmInputError(
            f"seed = {seed!r}; seed must be a whole number, at least 0.",
            argument="seed",
        )
    if groups is not None:
        groups = one_per_row(groups, "groups")
    if classes is not None:
        classes = classes[kept] if np.isin(classes[kept], (0, 1)).all() else None
    fold = np.full(used.size, -1, dtype=np.int64)
    if classes is not None and groups is None and isinstance(folds, int | np.integer):
        refuse_small_classes(classes, int(folds), levels)
    fold[kept] = assign(folds, kept.size, seed=seed, classes=classes, groups=groups)
    return fold


def is_list_of_splits(folds: Any) -> bool:
    """Tell whether these are (train, test) pairs, as a splitter yields them."""
    return (
        isinstance(folds, list | tuple)
        and bool(folds)
        and all(
            isinstance(pair, tuple) and len(pair) == 2 and np.ndim(pair[1]) == 1
            for pair in folds
        )
    )


def assign(
    folds: Any,
    n_obs: int,
    *,
    seed: int,
    classes: Vector | None = None,
    groups: Any = None,
) -> Index:
    """Return the fold (n,) of each row, counted from 0.

    Parameters
    ----------
    folds : int, array (n,), or splitter
        A number of folds; labels; or an object with ``split`` as scikit-learn's have.
    n_obs : int
    seed : int
        Of the shuffle, where there is one.
    classes : Vector (n,), optional
        Spread each class evenly over the folds.
    groups : array (n,), optional
        Rows of one group stay together.

    Raises
    ------
    PenglmInputError
        If there are too few rows, groups or members of a class.
    """
    if hasattr(folds, "split"):
        fold = from_splits(folds.split(np.zeros((n_obs, 1)), classes, groups), n_obs)
        return whole_groups(fold, groups)
    if not isinstance(folds, int | np.integer):
        return whole_groups(from_labels(np.asarray(folds), n_obs), groups)
    k = int(folds)
    members = n_obs if groups is None else np.unique(np.asarray(groups)).size
    what = "rows" if groups is None else "groups"
    if members < 2:
        found = f"is one {'sample' if groups is None else 'group'} only"
        raise PenglmInputError(
            f"there {found if members else f'are no {what}'}; cross-validation needs "
            "at least 2.",
            argument="folds" if groups is None else "groups",
        )
    if not 2 <= k <= members:
        raise PenglmInputError(
            f"folds = {k} but there are {members} {what}; use a number from 2 to "
            f"{members}.",
            argument="folds",
        )
    rng = np.random.default_rng(seed)
    if groups is not None:
        return from_groups(np.asarray(groups), n_obs, k, rng)
    fold = np.empty(n_obs, dtype=np.int64)
    if classes is None:
        fold[rng.permutation(n_obs)] = np.arange(n_obs) % k
        return fold
    dealt = 0
    for value in np.unique(classes):
        rows = np.flatnonzero(classes == value)
        if rows.size < 2:
            raise small_class(f"{value:g}", rows.size, k)
        # Dealing goes on where the last class stopped, so that folds stay even.
        fold[rng.permutation(rows)] = (dealt + np.arange(rows.size)) % k
        dealt += rows.size
    return fold


def refuse_small_classes(
    classes: Vector, n_folds: int, levels: tuple[Any, Any] | None
) -> None:
    """Raise if a class has fewer rows than there are folds."""
    for value, size in zip(*np.unique(classes, return_counts=True), strict=True):
        if size < n_folds <= classes.size:
            name = f"{value:g}" if levels is None else levels[int(value)]
            raise small_class(name, int(size), n_folds)


def small_class(name: Any, size: int, n_folds: int) -> PenglmInputError:
    """Return the error for a class that some fold would have no row of."""
    rows, way_out = f"{size} rows", f"use folds={size} or fewer"
    if size == 1:
        rows, way_out = "1 row", "collect more rows"
    return PenglmInputError(
        f"class '{name}' has {rows} but folds={n_folds} needs at least {n_folds}; "
        f"{way_out}, or pass folds of your own.",
        argument="folds",
    )


def from_labels(labels: Any, n_obs: int) -> Index:
    """Number the user's fold labels in the order of their values."""
    if labels.shape != (n_obs,):
        raise PenglmInputError(
            f"folds has shape {labels.shape} but there are {n_obs} rows.",
            argument="folds",
        )
    values, fold = np.unique(labels, return_inverse=True)
    if values.size < 2:
        raise PenglmInputError(
            "folds puts every row in one fold; at least 2 are needed.",
            argument="folds",
        )
    return fold.astype(np.int64)


def whole_groups(fold: Index, groups: Any) -> Index:
    """Raise if the user's folds split a group of theirs."""
    if groups is None:
        return fold
    _, member = np.unique(np.asarray(groups), return_inverse=True)
    largest = np.full(member.max() + 1, -1)
    np.maximum.at(largest, member, fold)
    split = np.flatnonzero(fold != largest[member])
    if split.size:
        row = int(split[0])
        raise PenglmInputError(
            f"folds splits the group of row {row} ({np.asarray(groups)[row]!r}); leave "
            "groups out, or keep each group in one fold.",
            argument="folds",
        )
    return fold


def from_splits(splits: Iterable[tuple[Any, Any]], n_obs: int) -> Index:
    """Read a splitter whose test parts are disjoint and cover all rows."""
    fold = np.full(n_obs, -1, dtype=np.int64)
    for k, (_, test) in enumerate(splits):
        if (fold[test] >= 0).any():
            raise PenglmInputError(
                "the splitter tests some rows more than once; use one that tests each "
                "row exactly once, as KFold does.",
                argument="folds",
            )
        fold[test] = k
    if (fold < 0).any():
        raise PenglmInputError(
            f"the splitter never tests row {int(np.flatnonzero(fold < 0)[0])}; use one "
            "that tests each row exactly once, as KFold does.",
            argument="folds",
        )
    return fold


def from_groups(groups: Any, n_obs: int, k: int, rng: np.random.Generator) -> Index:
    """Deal whole groups, largest first, to the fold that has the fewest rows."""
    if groups.shape != (n_obs,):
        raise PenglmInputError(
            f"groups has length {len(groups)} but there are {n_obs} rows.",
            argument="groups",
        )
    _, member, size = np.unique(groups, return_inverse=True, return_counts=True)
    order = rng.permutation(size.size)
    order = order[np.argsort(-size[order], kind="stable")]
    load = np.zeros(k)
    home = np.empty(size.size, dtype=np.int64)
    for group in order:
        home[group] = load.argmin()
        load[home[group]] += size[group]
    fold: Index = home[member]
    return fold
