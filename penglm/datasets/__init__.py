"""Real data shipped with the package, for the demo and the examples."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

FOLDER = Path(__file__).parent


def bikeshare() -> "pd.DataFrame":
    """Return hourly counts of rented bicycles in Washington, D.C.

    Returns
    -------
    DataFrame (8645, 15)
        ``bikers`` is the count; ``hr``, ``mnth``, ``weekday``, ``workingday``,
        ``holiday`` and ``season`` say when, ``temp``, ``atemp``, ``hum``,
        ``windspeed`` and ``weathersit`` what the weather was. ``casual`` and
        ``registered`` add up to ``bikers``.

    References
    ----------
    Fanaee-T and Gama (2013), Event labeling combining ensemble detectors and
    background knowledge, Progress in Artificial Intelligence. UCI Machine Learning
    Repository, Bike Sharing, CC BY 4.0; the selection of hours and columns is that of
    the ISLP 0.6.0 package (BSD-3-Clause).

    Examples
    --------
    >>> from penglm import datasets
    >>> datasets.bikeshare().shape
    (8645, 15)
    """
    import pandas as pd

    return pd.read_csv(FOLDER / "bikeshare.csv.gz")
