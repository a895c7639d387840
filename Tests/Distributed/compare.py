"""Compares two sets of statistics, and what was pruned from them; needs no package.

    compare.py STATISTICS OTHER

Factors and loss must agree to 1e-6 of their norms, the plans (which weights are zero) exactly; the
pruned checkpoints lie beside the statistics under their names with `-pruned`.
"""

import array
import json
import pathlib
import struct
import sys

ROUNDING = 1e-6


def tensors(path):
    """The stored bytes of each tensor with its element type."""
    content = path.read_bytes()
    (size,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + size])
    header.pop("__metadata__", None)
    for name, entry in sorted(header.items()):
        start, end = entry["data_offsets"]
        yield name, entry["dtype"], content[8 + size + start : 8 + size + end]


def error(left, right):
    """‖left − right‖ / ‖right‖."""
    left, right = array.array("f", left), array.array("f", right)
    if len(left) != len(right):
        return float("inf")
    difference = sum((a - b) ** 2 for a, b in zip(left, right))
    return (difference / sum(b * b for b in right)) ** 0.5


def zeros(data, width):
    """Which numbers are zero, of either sign."""
    words = array.array({2: "H", 4: "I"}[width], data)
    sign = 1 << (8 * width - 1)
    return [word & ~sign == 0 for word in words]


def main():
    whole, other = (pathlib.Path(argument) for argument in sys.argv[1:])
    manifests = [json.loads((path / "manifest.json").read_text()) for path in (whole, other)]
    losses = [manifest.pop("loss") for manifest in manifests]
    assert manifests[0] == manifests[1], "the manifests differ"
    assert abs(losses[0] - losses[1]) <= ROUNDING * losses[0], losses
    worst = 0
    for path in sorted(whole.glob("block-*")):
        for left, right in zip(tensors(other / path.name), tensors(path)):
            assert left[0] == right[0], (left[0], right[0])
            worst = max(worst, error(left[2], right[2]))
    assert worst <= ROUNDING, worst
    width = {"F32": 4, "BF16": 2, "F16": 2}
    pruned = [path.with_name(path.name + "-pruned") / "model.safetensors" for path in (whole, other)]
    for left, right in zip(*(tensors(path) for path in pruned)):
        assert left[:2] == right[:2], (left[:2], right[:2])
        same = zeros(left[2], width[left[1]]) == zeros(right[2], width[right[1]])
        assert same, f"other weights of {left[0]} were removed"
    print(f"largest relative difference of a factor: {worst:.1e}; losses {losses}")


main()
