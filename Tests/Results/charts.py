"""Draws the charts of docs/results.md, perplexity against the share removed, from its tables of methods.

usage: charts.py

Needs matplotlib (`make results` provides it). The same figures make the same bytes.
"""
from collections import defaultdict

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

from cells import METHODS, MODELS
from material import DOCUMENT, rows_of

plt.rcParams.update({"svg.hashsalt": "surgeon", "svg.fonttype": "none", "font.size": 9})
STRUCTURES = {"element": "single weights", "rows-columns": "rows and columns",
              "neurons,heads": "neurons and heads"}
# Colours that stay apart for colour-blind readers (Okabe and Ito, 2008).
COLOURS = dict(zip(METHODS, [
    "#999999", "#f0e442", "#0072b2", "#e69f00", "#56b4e9", "#009e73", "#cc79a7", "#d55e00"]))
HIGHEST = 2.2  # What is further from the best than this factor is left out of a chart.


def curves(rows, model, structure):
    """By method: shares removed in percent, with the median perplexity and half the range over seeds."""
    found = defaultdict(list)
    for row in rows:
        if (row["model"], row["structure"]) == (model, structure):
            for method in METHODS:
                if row[method] != "–":
                    median, _, spread = row[method].strip("*").partition(" ±")
                    found[method].append(
                        (float(row["removed"].removesuffix(" %")), float(median), float(spread or 0)))
    return found


def draw(axes, found):
    lowest = min(median for points in found.values() for _, median, _ in points)
    for method in METHODS:
        points = [point for point in found[method] if point[1] <= HIGHEST * lowest]
        if points:
            shares, medians, spreads = zip(*points)
            axes.errorbar(shares, medians, yerr=spreads, label=method,
                          color=COLOURS[method], marker="o", markersize=3, capsize=2,
                          linewidth=2 if method == "surgeon" else 1)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:.0f}")
    axes.yaxis.set_minor_formatter("{x:.0f}")
    axes.grid(alpha=0.3)


def chart(which, file):
    known = rows_of(f"methods-{which}")
    figure, panels = plt.subplots(
        len(MODELS), len(STRUCTURES), figsize=(10, 6), constrained_layout=True)
    for row, model in enumerate(MODELS):
        for axes, (structure, title) in zip(panels[row], STRUCTURES.items()):
            found = curves(known, model, structure)
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


folder = DOCUMENT.parent / "charts"
folder.mkdir(exist_ok=True)
chart("test", folder / "methods-test.svg")
chart("second", folder / "methods-second.svg")
