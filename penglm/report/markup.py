"""Elements of HTML and SVG with everything escaped, and names made fit to print."""

import re
from html import escape

# Longer names are shown by their beginning and end.
MOST_LETTERS = 120
# Neither HTML nor a reader has a use for these.
CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]")


def text(value: object) -> str:
    """Return any text as markup that shows it."""
    return escape(printable(str(value)), quote=True)


def printable(value: str) -> str:
    """Return text that can be encoded, with marks for what cannot be shown."""
    encodable = value.encode("utf-8", "replace").decode("utf-8")
    return CONTROLS.sub("\ufffd", encodable)


def shortened(name: str, most: int = MOST_LETTERS) -> str:
    """Return a name of at most ``most`` letters, without its middle if it has more."""
    if len(name) <= most:
        return name
    head = (most - 1) // 2
    return f"{name[:head]}…{name[len(name) - (most - 1 - head) :]}"


def name(value: object) -> str:
    """Return a name, short enough, whose direction leaves its surroundings alone."""
    return tag("bdi", text(shortened(str(value))))


def tag(element: str, *inside: str, **attributes: object) -> str:
    """Return an element around markup.

    Parameters
    ----------
    element : str
    *inside : str
        Markup, not text.
    **attributes : object
        Escaped. ``class_`` is ``class``, ``aria_label`` ``aria-label``; one that is
        None or False is left out, one that is True has no value.
    """
    said = "".join(attribute(key, value) for key, value in attributes.items())
    return f"<{element}{said}>{''.join(inside)}</{element}>"


def attribute(key: str, value: object) -> str:
    """Return one attribute with a blank before it."""
    if value is None or value is False:
        return ""
    called = key.rstrip("_").replace("_", "-")
    return f" {called}" if value is True else f' {called}="{text(value)}"'
