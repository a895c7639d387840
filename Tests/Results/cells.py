"""The cells of the tables of methods, and the file that keeps what is known of them."""
import json
import os
from typing import NamedTuple

MODELS = ["tiny-opt", "tiny-llama"]
LOCAL = ["wanda", "sparsegpt", "alps"]
METHODS = ["magnitude", "activation", "kobd", *LOCAL, "surgeon"]
_ELEMENTS = ["magnitude", "kobd", *LOCAL, "surgeon"]
_STRUCTURED = ["magnitude", "kobd", "surgeon"]
_UNITS = ["magnitude", "activation", "kobd", "surgeon"]
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

    @property
    def key(self):
        return "|".join(map(str, self))


def removed(structure, target):
    """The share of weights that goes."""
    if target is not None:
        return target
    kept, of = (int(part) for part in structure.split(":"))
    return 1 - kept / of


def known_figures(cache):
    """What the file `cache` has: figures by cell."""
    known = {}
    if os.path.exists(cache):
        for line in open(cache):
            entry = json.loads(line)
            known[Cell(*entry["cell"])] = entry["figures"]
    return known


def save(known, cache, cell, figures):
    known[cell] = figures
    with open(cache, "a") as file:
        file.write(json.dumps({"cell": cell, "figures": figures}) + "\n")
