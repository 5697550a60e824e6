"""When silence is better: precision against coverage of suggestions on held-out files, by their probability.

    python -m benchmarks.confidence --files DIR [--per-language 8] [--cursors 6] [--rows rows.jsonl]

At each cursor the rest of the line is taken out and completed by the completion feature itself; text stands below as it
does when people edit. A suggestion counts as right if it is the rest of the line, blanks aside. Four measures of
probability are compared by their average precision; the threshold recommended for `completion.minConfidence` is the
highest that still shows nine in ten of the right suggestions.
"""

import argparse
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from threading import Event
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.held_out import Cursor, add_files_argument, cursors, read_held_out
from benchmarks.machine import ROOT, describe_machine
from benchmarks.recording import RecordingEngine, load_recording
from codet5p.core.syntax.places import Place
from codet5p.lsp_server.features.completion import Completer, CompletionQuery
from codet5p.lsp_server.features.syntax import SyntaxTrees

_KEPT_SHARE = 0.9
_COVERAGES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1)
_MEASURES: dict[str, Callable[[Sequence[float]], float]] = {
    "mean": lambda log_probs: math.exp(sum(log_probs) / len(log_probs)),
    "least": lambda log_probs: math.exp(min(log_probs)),
    "first": lambda log_probs: math.exp(log_probs[0]),
    "product": lambda log_probs: math.exp(sum(log_probs)),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One cursor and what was suggested there."""

    file: str
    language: str
    kind: str
    place: Place
    truth: str
    suggestion: str
    log_probs: tuple[float, ...]

    @property
    def is_right(self) -> bool:
        """Whether the suggestion is the rest of the line."""
        return self.suggestion.split() == self.truth.split()

    @property
    def similarity(self) -> float:
        """Share of equal characters, 0 to 1."""
        return SequenceMatcher(None, self.suggestion, self.truth, autojunk=False).ratio()


def main() -> None:
    """Measure, print the tables, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_files_argument(parser)
    parser.add_argument("--per-language", type=int, default=8, help="files of each language")
    parser.add_argument("--cursors", type=int, default=6, help="cursors in each file")
    parser.add_argument("--rows", type=Path, help="write every row here too")
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks" / "results" / "confidence.json")
    arguments = parser.parse_args()
    result: dict[str, Any] = {"machine": describe_machine()}
    rows, result["model"] = measure(arguments.files, arguments.per_language, arguments.cursors)
    if arguments.rows is not None:
        arguments.rows.write_text("".join(json.dumps(_plain(row)) + "\n" for row in rows), "utf-8")
    result |= evaluate(rows)
    arguments.output.write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    print_tables(result)


def measure(files: Path, per_language: int, per_file: int) -> tuple[list[Row], dict[str, Any]]:
    """Return a row for each cursor, and the name and revision of the model."""
    completer, engine, model = load_recording()
    places = [cursor for file in read_held_out(files, per_language) for cursor in cursors(file, per_file)]
    rows = [_row(completer, engine, cursor) for cursor in track(places, "completing", console=Console(stderr=True))]
    return rows, model


def _row(completer: Completer, engine: RecordingEngine, cursor: Cursor) -> Row:
    file = cursor.file
    uri = f"file:///{file.name}"
    query = CompletionQuery(uri=uri, text=cursor.text, offset=cursor.offset, grammar=file.language)
    engine.last = None
    suggestion = completer.complete(query, Event())
    tree = SyntaxTrees().tree(uri, cursor.text, file.language)
    return Row(
        file=file.name,
        language=file.language,
        kind=cursor.kind,
        place=tree.place(cursor.text[: cursor.offset]) if tree is not None else "code",
        truth=cursor.truth,
        suggestion=suggestion.text if suggestion is not None else "",
        log_probs=engine.last.log_probs if engine.last is not None else (),
    )


def evaluate(rows: Sequence[Row]) -> dict[str, Any]:
    """Return how well each measure orders the suggestions, the curve of the best, and the threshold recommended."""
    shown = [row for row in rows if row.suggestion and row.log_probs]
    right = sum(row.is_right for row in shown)
    precisions = {name: _average_precision(shown, measure) for name, measure in _MEASURES.items()}
    best = max(precisions, key=precisions.__getitem__)
    measure = _MEASURES[best]
    kept = sorted((measure(row.log_probs) for row in shown if row.is_right), reverse=True)
    threshold = kept[math.ceil(_KEPT_SHARE * len(kept)) - 1] if kept else 0.0
    above = [row for row in shown if measure(row.log_probs) >= threshold]
    return {
        "cursors": len(rows),
        "suggested": len(shown),
        "right": right,
        "average_precision": {name: round(value, 4) for name, value in precisions.items()},
        "measure": best,
        "curve": [_point(shown, measure, coverage) for coverage in _COVERAGES],
        "recommended": {
            "threshold": round(threshold, 3),
            "coverage": round(len(above) / max(len(shown), 1), 3),
            "precision": round(sum(row.is_right for row in above) / max(len(above), 1), 3),
        },
        "places": {
            place: _summary([row for row in rows if row.place == place]) for place in ("code", "comment", "string")
        },
        "languages": {name: _summary([row for row in rows if row.language == name]) for name in _languages(rows)},
        "kinds": {kind: _summary([row for row in rows if row.kind == kind]) for kind in ("start", "middle")},
    }


def _average_precision(rows: Sequence[Row], measure: Callable[[Sequence[float]], float]) -> float:
    ordered = sorted(rows, key=lambda row: measure(row.log_probs), reverse=True)
    found, total = 0, 0.0
    for rank, row in enumerate(ordered, start=1):
        if row.is_right:
            found += 1
            total += found / rank
    return total / max(found, 1)


def _point(rows: Sequence[Row], measure: Callable[[Sequence[float]], float], coverage: float) -> dict[str, float]:
    ordered = sorted(rows, key=lambda row: measure(row.log_probs), reverse=True)
    kept = ordered[: max(round(coverage * len(ordered)), 1)]
    return {
        "coverage": coverage,
        "threshold": round(measure(kept[-1].log_probs), 3),
        "precision": round(sum(row.is_right for row in kept) / len(kept), 3),
        "similarity": round(sum(row.similarity for row in kept) / len(kept), 3),
        "share_of_right": round(sum(row.is_right for row in kept) / max(sum(row.is_right for row in rows), 1), 3),
    }


def _summary(rows: Sequence[Row]) -> dict[str, float]:
    shown = [row for row in rows if row.suggestion]
    return {
        "cursors": len(rows),
        "suggested": len(shown),
        "precision": round(sum(row.is_right for row in shown) / max(len(shown), 1), 3),
        "similarity": round(sum(row.similarity for row in shown) / max(len(shown), 1), 3),
    }


def _languages(rows: Sequence[Row]) -> list[str]:
    return sorted({row.language for row in rows})


def _plain(row: Row) -> dict[str, Any]:
    return {name: getattr(row, name) for name in Row.__slots__}


def print_tables(result: dict[str, Any]) -> None:
    """Print the figures for a person."""
    console = Console()
    table = Table(title=f"Precision against coverage, by {result['measure']} probability", title_justify="left")
    for column in ("coverage", "threshold", "precision", "similarity", "share_of_right"):
        table.add_column(column, justify="right")
    for point in result["curve"]:
        table.add_row(*(str(value) for value in point.values()))
    console.print(table)
    console.print("average precision:", result["average_precision"])
    console.print("recommended:", result["recommended"])
    for group in ("places", "kinds", "languages"):
        for name, summary in result[group].items():
            console.print(f"{name:12}", summary)


if __name__ == "__main__":
    main()
