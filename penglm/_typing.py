"""Names for the array types that run through every floor."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Vector: TypeAlias = NDArray[np.float64]
"""One value per row or per coefficient."""
Matrix: TypeAlias = NDArray[np.float64]
"""Two-dimensional; which axis is which stands where it is used."""
Array: TypeAlias = NDArray[Any]
"""Any dtype: user input before it was checked, or float32 storage."""
Index: TypeAlias = NDArray[np.int64]
"""Positions of columns or rows; all index arithmetic is 64-bit."""
Mask: TypeAlias = NDArray[np.bool_]
"""Which rows or columns."""
