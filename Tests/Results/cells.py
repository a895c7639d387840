"""The cells of the tables of methods."""
from typing import NamedTuple

MODELS = ["tiny-opt", "tiny-llama"]
LOCAL = ["wanda", "sparsegpt", "alps"]
METHODS = ["magnitude", "activation", "lobd", "kobd", *LOCAL, "surgeon"]
_ELEMENTS = ["magnitude", "lobd", "kobd", *LOCAL, "surgeon"]
_STRUCTURED = ["magnitude", "lobd", "kobd", "surgeon"]
_UNITS = ["magnitude", "activation", "lobd", "kobd", "surgeon"]
CELLS = (
    [("element", target, _ELEMENTS) for target in (0.5, 0.6, 0.7, 0.8)]
    + [(pattern, None, _ELEMENTS) for pattern in ("2:4", "4:8", "1:4")]
    + [("rows-columns", target, _STRUCTURED) for target in (0.2, 0.3, 0.4, 0.5)]
    + [("neurons,heads", target, _UNITS) for target in (0.2, 0.3, 0.5)]
)


class Cell(NamedTuple):
    """One pruning; `target` is None for a pattern N:M, which says it itself."""

    model: str
    seed: int
    structure: str
    target: float | None
    method: str
    shots: int


def removed(structure, target):
    """The share of weights that goes."""
    if target is not None:
        return target
    kept, of = (int(part) for part in structure.split(":"))
    return 1 - kept / of
