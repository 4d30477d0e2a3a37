"""What a class derived from a family has left as it was.

Closed forms and kernels are one class's own. A family derived from it may have another
loss, which they must not stand for.
"""

from functools import cache

SHAPE = "variance", "unit_deviance"
TERMS = "working_terms"


@cache
def keeps_terms(kind: type) -> bool:
    """Tell whether a family has every term of the one that names its canonical link."""
    owner = next(each for each in kind.__mro__ if "canonical_link" in vars(each))
    return all(keeps(kind, owner, name) for name in (*SHAPE, TERMS))


@cache
def has_terms(kind: type, owner: type) -> bool:
    """Tell whether the closed form of a family's terms holds for one derived from it.

    One that has terms of its own and asks for the other's gets them.
    """
    if not keeps(kind, owner, TERMS):
        return True
    return all(keeps(kind, owner, name) for name in SHAPE)


def keeps(kind: type, owner: type, name: str) -> bool:
    """Tell whether a method of a class is still that of another."""
    return getattr(kind, name) is getattr(owner, name)
