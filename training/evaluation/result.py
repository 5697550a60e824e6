"""Results: a JSON file for tools, a Markdown table and a picture for people."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from codet5p.training.evaluation.intervals import bootstrap_interval

__all__ = ["SuiteResult", "headline", "markdown_table", "mean_with_interval", "write_results"]


@dataclass(frozen=True, kw_only=True, slots=True)
class SuiteResult:
    """What one suite measured.

    Attributes:
        suite: Its name.
        rows: Number of rows scored.
        metrics: By name; intervals as `<metric>_low` and `<metric>_high`.
        settings: What the numbers depend on.
        predictions: One record for each row, for reading by hand.
    """

    suite: str
    rows: int
    metrics: dict[str, float]
    settings: dict[str, Any] = field(default_factory=dict)
    predictions: tuple[dict[str, Any], ...] = ()


def mean_with_interval(name: str, values: Sequence[float]) -> dict[str, float]:
    """Return the mean of `values` under `name`, and its 95 % bootstrap interval.

    Args:
        name: Of the metric.
        values: One for each row.

    Returns:
        Three metrics.

    Raises:
        ValueError: If there are no rows.
    """
    if not values:
        raise ValueError(f"{name} needs at least one row")
    low, high = bootstrap_interval(values)
    return {name: sum(values) / len(values), f"{name}_low": low, f"{name}_high": high}


def write_results(
    results: Sequence[SuiteResult],
    folder: Path,
    *,
    model: str,
    facts: Mapping[str, Any],
    with_picture: bool = True,
) -> Path:
    """Write `results.json`, `results.md`, `results.png`, and the predictions of each suite.

    Args:
        results: One for each suite.
        folder: Made if it is not there.
        model: What was evaluated, for the heading.
        facts: Anything else about the evaluation, such as its duration.
        with_picture: Draw `results.png`, which takes a moment; for the last of several calls.

    Returns:
        The JSON file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    suites = [{key: value for key, value in asdict(result).items() if key != "predictions"} for result in results]
    path = folder / "results.json"
    path.write_text(json.dumps({"model": model, **facts, "suites": suites}, indent=2, default=str) + "\n", "utf-8")
    (folder / "results.md").write_text(markdown_table(results, model), "utf-8")
    for result in results:
        lines = (json.dumps(record, ensure_ascii=False, default=str) + "\n" for record in result.predictions)
        (folder / f"{result.suite}.predictions.jsonl").write_text("".join(lines), "utf-8")
    if with_picture:
        _plot(results, folder / "results.png", model)
    return path


def markdown_table(results: Sequence[SuiteResult], model: str) -> str:
    """Return a Markdown table with a line for each metric."""
    lines = [f"# {model}", "", "| suite | rows | metric | value | 95 % interval |", "|---|---|---|---|---|"]
    for result in results:
        for name in headline(result.metrics):
            low, high = result.metrics.get(f"{name}_low"), result.metrics.get(f"{name}_high")
            interval = "" if low is None or high is None else f"{low:.4g} to {high:.4g}"
            lines.append(f"| {result.suite} | {result.rows} | {name} | {result.metrics[name]:.4g} | {interval} |")
    return "\n".join(lines) + "\n"


def headline(metrics: Mapping[str, float]) -> list[str]:
    """Return the names of the metrics that are no bounds of an interval."""
    return [name for name in metrics if not name.endswith(("_low", "_high"))]


def _plot(results: Sequence[SuiteResult], picture: Path, model: str) -> None:
    import matplotlib as mpl  # noqa: PLC0415 - slow to import

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    columns = min(5, len(results))
    rows = -(-len(results) // columns)
    figure, panels = plt.subplots(rows, columns, figsize=(4.5 * columns, 4 * rows), layout="constrained", squeeze=False)
    for panel in panels.flat[len(results) :]:
        panel.remove()
    for panel, result in zip(panels.flat, results, strict=False):
        names = headline(result.metrics)
        values = [result.metrics[name] for name in names]
        lows = [value - result.metrics.get(f"{name}_low", value) for name, value in zip(names, values, strict=True)]
        highs = [result.metrics.get(f"{name}_high", value) - value for name, value in zip(names, values, strict=True)]
        panel.barh(names, values, xerr=[[max(0.0, low) for low in lows], [max(0.0, high) for high in highs]])
        panel.set_title(f"{result.suite} ({result.rows} rows)")
        panel.invert_yaxis()
    figure.suptitle(model)
    figure.savefig(picture, dpi=110)
    plt.close(figure)
