"""Draws the charts of docs/results.md: perplexity against the share removed.

usage: charts.py CACHE

CACHE is the file that Tests/Results/methods keeps. Needs matplotlib (`make results` provides it). The
same figures make the same bytes.
"""
import statistics
import sys
from collections import defaultdict

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

from cells import METHODS, MODELS, Cell, removed
from material import Figures
from material import DOCUMENT

plt.rcParams.update({"svg.hashsalt": "surgeon", "svg.fonttype": "none", "font.size": 9})
STRUCTURES = {"element": "single weights", "rows-columns": "rows and columns",
              "neurons,heads": "neurons and heads"}
# Colours that stay apart for colour-blind readers (Okabe and Ito, 2008).
COLOURS = dict(zip(METHODS, [
    "#999999", "#f0e442", "#0072b2", "#e69f00", "#56b4e9", "#009e73", "#cc79a7", "#d55e00"]))
HIGHEST = 2.2  # What is further from the best than this factor is left out of a chart.


def curves(known, model, structure, which):
    """By method: the shares removed, with the perplexities of all seeds."""
    found = defaultdict(lambda: defaultdict(list))
    for cell, figures in known.items():
        if cell.model == model and cell.structure == structure and cell.shots == 1:
            found[cell.method][removed(structure, cell.target)].append(figures[which])
    return found


def draw(axes, found):
    lowest = min(min(values) for shares in found.values() for values in shares.values())
    for method in METHODS:
        points = [(share, statistics.median(values), min(values), max(values))
                  for share, values in sorted(found[method].items())
                  if statistics.median(values) <= HIGHEST * lowest]
        if points:
            shares, middles, lows, highs = zip(*points)
            spread = [[m - l for m, l in zip(middles, lows)], [h - m for m, h in zip(middles, highs)]]
            axes.errorbar([100 * share for share in shares], middles, yerr=spread, label=method,
                          color=COLOURS[method], marker="o", markersize=3, capsize=2,
                          linewidth=2 if method == "surgeon" else 1)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:.0f}")
    axes.yaxis.set_minor_formatter("{x:.0f}")
    axes.grid(alpha=0.3)


def chart(known, which, file):
    figure, panels = plt.subplots(
        len(MODELS), len(STRUCTURES), figsize=(10, 6), constrained_layout=True)
    for row, model in enumerate(MODELS):
        for axes, (structure, title) in zip(panels[row], STRUCTURES.items()):
            found = curves(known, model, structure, which)
            axes.set_title(f"{model}, {title}")
            if not found:
                axes.set_axis_off()
                axes.text(0.5, 0.5, "not run", ha="center", transform=axes.transAxes)
                continue
            draw(axes, found)
            axes.set_xlabel("removed, %")
            axes.set_ylabel("perplexity")
            axes.legend(fontsize=7)
    figure.savefig(file, metadata={"Date": None})
    plt.close(figure)


known = {Cell(*cell): figures for cell, figures in Figures(sys.argv[1]).items()}
folder = DOCUMENT.parent / "charts"
folder.mkdir(exist_ok=True)
chart(known, "test", folder / "methods-test.svg")
chart(known, "second", folder / "methods-second.svg")
