"""How one block of rows stores X: four storages and one implicit transformation."""

from penglm.design.base import Columns, Design, as_design
from penglm.design.categorical import Categorical
from penglm.design.dense import Dense
from penglm.design.sparse import Sparse
from penglm.design.split import Split
from penglm.design.standardized import Standardized

__all__ = [
    "Categorical",
    "Columns",
    "Dense",
    "Design",
    "Sparse",
    "Split",
    "Standardized",
    "as_design",
]
