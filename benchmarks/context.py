"""What else belongs in the prompt: next-line exact match on held-out files, each ingredient with and without.

    python -m benchmarks.context --files DIR [--per-language 4] [--cursors 5]

Everything goes through the completion feature itself. An ingredient takes its share of the window: its text stands
first, and the text right above the cursor is shortened by as many tokens as it has. `plain` is the window as it is.
"""

import argparse
import json
import re
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.held_out import Cursor, HeldOutFile, add_files_argument, cursors, read_held_out
from benchmarks.machine import ROOT, describe_machine
from benchmarks.recording import load_recording
from codet5p.core.tokenizer import Tokenizer
from codet5p.lsp_server.features.completion import CompletionLimits, CompletionQuery
from codet5p.lsp_server.features.indentation import indentation_of

_SHARE = 0.25
_IMPORT = re.compile(r"\s*(?:import|from|#include|using|use|require|require_relative|package|const .*require)\b")
_OPENS = re.compile(
    r"(?:def|class|function|func|interface|struct|module|namespace|public|private|protected|static|impl)\b"
)
_HASHES = frozenset({"python", "ruby"})
_NUM_NEIGHBOURS = 2
_LINES_BELOW = 6

_Ingredient = Callable[[Cursor, Sequence[HeldOutFile]], str]


def main() -> None:
    """Measure, print a table, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_files_argument(parser)
    parser.add_argument("--per-language", type=int, default=4, help="files of each language")
    parser.add_argument("--cursors", type=int, default=5, help="cursors in each file")
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks" / "results" / "context.json")
    arguments = parser.parse_args()
    result: dict[str, Any] = {"machine": describe_machine()}
    result |= measure(arguments.files, arguments.per_language, arguments.cursors)
    arguments.output.write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    print_table(result)


def measure(files: Path, per_language: int, per_file: int) -> dict[str, Any]:
    """Return exact matches and prompt times of each ingredient."""
    completer, engine, model = load_recording()
    held_out = read_held_out(files, per_language)
    limit = CompletionLimits().max_static_tokens
    # Where everything above the cursor fits, no ingredient has anything to add.
    places = [
        cursor
        for file in held_out
        for cursor in cursors(file, per_file, seed=2)
        if len(engine.tokenizer.encode(cursor.text[: cursor.offset])) > limit
    ]
    outcomes: dict[str, list[tuple[bool, float | None]]] = {name: [] for name in _INGREDIENTS}
    for cursor in track(places, "completing", console=Console(stderr=True)):
        for name, ingredient in _INGREDIENTS.items():
            query = _with_ingredient(cursor, ingredient(cursor, held_out), engine.tokenizer, limit)
            started = time.process_time()
            suggestion = completer.complete(query, Event())
            seconds = time.process_time() - started
            text = suggestion.text if suggestion is not None else ""
            is_computed = suggestion is not None and not suggestion.is_cached  # not where nothing was to be added
            outcomes[name].append((text.split() == cursor.truth.split(), seconds if is_computed else None))
            completer.forget(query.uri)
    plain = outcomes["plain"]
    return {
        "model": model,
        "cursors": len(places),
        "ingredients": {
            name: {
                "exact": round(sum(is_exact for is_exact, _ in rows) / max(len(rows), 1), 4),
                "gained": sum(ours and not theirs for (ours, _), (theirs, _) in zip(rows, plain, strict=True)),
                "lost": sum(theirs and not ours for (ours, _), (theirs, _) in zip(rows, plain, strict=True)),
                "median_cpu_ms": _median_ms([seconds for _, seconds in rows if seconds is not None]),
            }
            for name, rows in outcomes.items()
        },
    }


def _median_ms(seconds: Sequence[float]) -> int | None:
    return round(1000 * statistics.median(seconds)) if seconds else None


def _with_ingredient(cursor: Cursor, text: str, tokenizer: Tokenizer, limit: int) -> CompletionQuery:
    """Return the query with `text` first and just as many lines above the cursor as still fit the window."""
    above, below = cursor.text[: cursor.offset], cursor.text[cursor.offset :]
    if text:
        ids = tokenizer.encode(text)[: int(_SHARE * limit)]
        header = tokenizer.decode(ids).rpartition("\n")[0] + "\n"
        lines = above.split("\n")
        left = limit - len(tokenizer.encode(header))
        kept = len(lines)
        while kept > 0 and len(tokenizer.encode("\n".join(lines[kept - 1 :]))) <= left:
            kept -= 1
        above = header + "\n".join(lines[kept:])
    uri = f"file:///{cursor.file.name}"
    return CompletionQuery(uri=uri, text=above + below, offset=len(above), grammar=cursor.file.language)


def _imports(cursor: Cursor, _: Sequence[HeldOutFile]) -> str:
    lines = cursor.text[: cursor.offset].split("\n")
    return "".join(f"{line}\n" for line in lines if _IMPORT.match(line))


def _signatures(cursor: Cursor, _: Sequence[HeldOutFile]) -> str:
    """Return the lines that open what the cursor stands in, the outermost first."""
    *above, line = cursor.text[: cursor.offset].split("\n")
    width, found = len(indentation_of(line)), []
    for other in reversed(above):
        if other.strip() and len(indentation_of(other)) < width:
            width = len(indentation_of(other))
            if _OPENS.search(other):
                found.append(other)
    return "".join(f"{other}\n" for other in reversed(found))


def _neighbours(cursor: Cursor, files: Sequence[HeldOutFile]) -> str:
    """Return what other files of the language have in common with the lines above, as a comment: the likest lines."""
    words = set(re.findall(r"\w{4,}", cursor.text[max(cursor.offset - 800, 0) : cursor.offset]))
    scored = []
    for file in files:
        if file.language != cursor.file.language or file.name == cursor.file.name:
            continue
        lines = file.text.split("\n")
        for start in range(0, len(lines), 6):
            piece = lines[start : start + 6]
            scored.append((len(words & set(re.findall(r"\w{4,}", "\n".join(piece)))), piece))
    scored.sort(key=lambda pair: -pair[0])
    return _commented([line for _, piece in scored[:_NUM_NEIGHBOURS] for line in piece], cursor.file.language)


def _below(cursor: Cursor, _: Sequence[HeldOutFile]) -> str:
    """Return the lines right below the cursor, as a comment."""
    lines = [line for line in cursor.text[cursor.offset :].split("\n")[1:] if line.strip()][:_LINES_BELOW]
    return _commented(lines, cursor.file.language)


def _commented(lines: Sequence[str], language: str) -> str:
    mark = "#" if language in _HASHES else "//"
    return "".join(f"{mark} {line}\n" for line in lines)


_INGREDIENTS: dict[str, _Ingredient] = {
    "plain": lambda _, __: "",
    "imports": _imports,
    "signatures": _signatures,
    "imports and signatures": lambda cursor, files: _imports(cursor, files) + _signatures(cursor, files),
    "similar lines of other files": _neighbours,
    "lines below": _below,
}


def print_table(result: dict[str, Any]) -> None:
    """Print the figures for a person."""
    table = Table(title=f"Exact match of {result['cursors']} lines", title_justify="left")
    for column in ("", "exact", "gained", "lost", "median_cpu_ms"):
        table.add_column(column, justify="right" if column else "left")
    for name, row in result["ingredients"].items():
        table.add_row(name, *(str(value) for value in row.values()))
    Console().print(table)


if __name__ == "__main__":
    main()
