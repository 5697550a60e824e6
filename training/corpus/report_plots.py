"""The report's plots as SVG files: sizes, lengths, and what was left out."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes

__all__ = ["draw_plots"]

_LABELLED_REASONS = 9
_Languages = Mapping[str, Mapping[str, Any]]


def draw_plots(languages: _Languages, folder: Path) -> list[Path]:
    """Draw the plots of all languages into `folder` and return their files."""
    # A fixed salt and no date make the same figures give the same bytes.
    mpl.rcParams["svg.hashsalt"] = "corpus"
    drawings = {"sizes": _sizes, "lengths": _lengths, "left-out": _left_out}
    paths = []
    for name, draw in drawings.items():
        figure, axes = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
        draw(languages, axes[0], axes[1])
        path = folder / f"{name}.svg"
        figure.savefig(path, metadata={"Date": None})
        plt.close(figure)
        paths.append(path)
    return paths


def _sizes(languages: _Languages, left: Axes, right: Axes) -> None:
    names = list(languages)
    left.barh(names, [row["mb"] for row in languages.values()], color="#4477aa")
    left.set(title="Source code", xlabel="MB")
    right.barh(names, [row["pairs"] / 1000 for row in languages.values()], color="#228833")
    right.set(title="Text-code pairs", xlabel="thousands")
    for axis in (left, right):
        axis.invert_yaxis()
        axis.spines[["top", "right"]].set_visible(False)


def _lengths(languages: _Languages, left: Axes, right: Axes) -> None:
    for axis, key in ((left, "document_lengths"), (right, "summary_lengths")):
        for language, row in languages.items():
            edges = sorted(map(int, row[key]))
            total = sum(row[key].values()) or 1
            axis.plot(edges, [100 * row[key][str(edge)] / total for edge in edges], marker=".", label=language)
        axis.set_xscale("log", base=2)
        axis.set_ylabel("% of all")
        axis.spines[["top", "right"]].set_visible(False)
    left.set(title="Lengths of documents", xlabel="lexical tokens (from)")
    right.set(title="Lengths of first sentences", xlabel="words (from)")
    right.legend(fontsize="small")


def _left_out(languages: _Languages, left: Axes, right: Axes) -> None:
    totals: Counter[str] = Counter()
    for row in languages.values():
        totals.update({reason: count for reason, count in row["drops"].items() if reason != "files"})
    reasons = [reason for reason, _ in totals.most_common(_LABELLED_REASONS)]
    names = list(languages)
    starts = [0.0] * len(names)
    for reason in reasons:
        shares = [
            100 * row["drops"].get(reason, 0) / max(1, row["drops"].get("files", 0)) for row in languages.values()
        ]
        left.barh(names, shares, left=starts, label=reason)
        starts = [start + share for start, share in zip(starts, shares, strict=True)]
    left.set(title="Left out", xlabel="per 100 files looked at")
    left.legend(fontsize="x-small", loc="lower right")
    left.invert_yaxis()
    largest = [100 * next(iter(row["largest_packages"].values()), 0.0) for row in languages.values()]
    right.barh(names, largest, color="#aa3377")
    right.set(title="Largest package", xlabel="% of its language")
    right.invert_yaxis()
    for axis in (left, right):
        axis.spines[["top", "right"]].set_visible(False)
