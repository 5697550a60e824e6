"""What a person gets who types held-out files with the real server, over stdio.

    python -m benchmarks.simulated_typing --files DIR [--per-language 3] [--lines 5]

In each file some lines are taken out, one at a time, and typed again: the editor indents, the typist accepts what is
right and goes on to the end of the next word where it is not. Text stands below the cursor, as it does when people
edit. After an accepted line the typist pauses and goes on to the next line, which the server should know by then.

`shown` is the share of requests with a suggestion. Of the suggestions that the model made: `exact` is the share that
is the whole rest of the line, `usable` the share that begins it, `similarity` the share of equal characters; a
duplicate has the line below or the text right of the cursor in it once more; a suggestion breaks the syntax where the
file could be read before and, with it, under no ending of the line (for Python, CPython's own parser judges too).
`saved` is the share of the typed lines' characters that need not be typed, a key for each acceptance counted.
"""

import argparse
import asyncio
import codeop
import json
import tempfile
import time
import warnings
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks.editor import Editor
from benchmarks.held_out import Cursor, HeldOutFile, add_files_argument, cursors, read_held_out
from benchmarks.machine import ROOT, describe_machine
from codet5p.lsp_server.features.soundness import keeps_syntax
from codet5p.lsp_server.features.syntax import SyntaxTrees
from codet5p.lsp_server.statistics import percentile

_CACHE_SECONDS = 0.03
_PAUSE_SECONDS = 1.5
_IDLE_SECONDS = 60.0
_MIN_ACCEPTED = 2
_OUTPUT = ROOT / "benchmarks" / "results" / "simulated_typing.json"


@dataclass(kw_only=True, slots=True)
class Tally:
    """What was counted; the seconds of answers by their kind."""

    counts: Counter[str] = field(default_factory=Counter)
    similarities: list[float] = field(default_factory=list)
    seconds: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def add(self, other: "Tally") -> None:
        """Add what another counted."""
        self.counts += other.counts
        self.similarities += other.similarities
        for kind, seconds in other.seconds.items():
            self.seconds[kind] += seconds

    def summary(self) -> dict[str, Any]:
        """Return shares and percentiles."""
        counts, made = self.counts, max(self.counts["made"], 1)
        keys = counts["characters"] - counts["accepted characters"] + counts["accepted"]
        return {
            "lines": counts["lines"],
            "requests": counts["requests"],
            "made": counts["made"],
            "shown": _share(counts["shown"], counts["requests"]),
            "exact": _share(counts["exact"], made),
            "usable": _share(counts["usable"], made),
            "similarity": _share(sum(self.similarities), made),
            "duplicates": counts["duplicates"],
            "broken": counts["broken"],
            "broken_for_cpython": counts["broken for CPython"],
            "saved": _share(counts["characters"] - keys, counts["characters"]),
            "cache_hits": _share(counts["hits"], counts["requests"]),
            "milliseconds": {kind: _milliseconds(seconds) for kind, seconds in sorted(self.seconds.items())},
        }


def main() -> None:
    """Measure, print a table, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_files_argument(parser)
    parser.add_argument("--per-language", type=int, default=3, help="files of each language")
    parser.add_argument("--lines", type=int, default=5, help="lines typed in each file")
    parser.add_argument("--output", type=Path, default=_OUTPUT)
    arguments = parser.parse_args()
    files = read_held_out(arguments.files, arguments.per_language)
    result = asyncio.run(measure(files, arguments.lines))
    arguments.output.write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    print_table(result)


async def measure(files: Sequence[HeldOutFile], num_lines: int) -> dict[str, Any]:
    """Return all figures of one run."""
    result: dict[str, Any] = {"machine": describe_machine(), "files": len(files)}
    tallies: defaultdict[str, Tally] = defaultdict(Tally)
    with tempfile.TemporaryDirectory() as folder:
        async with Editor("--cache", folder) as editor:
            await editor.ready()
            with Progress(console=Console(stderr=True), transient=True) as progress:
                for file in progress.track(files, description="typing"):
                    tallies[file.language].add(await _type_file(editor, file, num_lines))
            status = await editor.status()
            result["model"] = {"name": status.model, "revision": status.revision, "threads": status.threads}
            await asyncio.sleep(2)
            result["memory_mb"] = round(editor.memory_bytes() / 1e6)
            result["idle_cpu_seconds_in_60_s"] = await _idle_cpu(editor)
    total = Tally()
    for tally in tallies.values():
        total.add(tally)
    result["total"] = total.summary()
    result["languages"] = {language: tally.summary() for language, tally in tallies.items()}
    return result


async def _type_file(editor: Editor, file: HeldOutFile, num_lines: int) -> Tally:
    tally = Tally()
    for cursor in [cursor for cursor in cursors(file, 2 * num_lines, seed=1) if cursor.kind == "start"][:num_lines]:
        await _type_line(editor, cursor, tally)
    return tally


async def _type_line(editor: Editor, cursor: Cursor, tally: Tally) -> None:
    """Type the line that was taken out, then look whether the next one is known."""
    editor.open(Path(f"/{cursor.file.name}"), cursor.text, cursor.file.language)
    tally.counts["lines"] += 1
    tally.counts["characters"] += len(cursor.truth)
    before, left, below = cursor.text[: cursor.offset], cursor.truth, cursor.text[cursor.offset :]
    kind, is_accepted = "cold", False
    while left:
        suggestion = await _ask(editor, before, tally, kind)
        kind = "moved on"
        if suggestion and editor.last_seconds > _CACHE_SECONDS:
            _judge(cursor.file, before, below, left, suggestion, tally)
        is_accepted = len(suggestion) >= _MIN_ACCEPTED and left.startswith(suggestion)
        taken = suggestion if is_accepted else left[: _next_stop(left, suggestion)]
        if is_accepted:
            tally.counts["accepted"] += 1
            tally.counts["accepted characters"] += len(taken)
        editor.insert_at(before, taken)
        before, left = before + taken, left[len(taken) :]
        if is_accepted:
            await editor.accept(len(before))
    if is_accepted:
        await asyncio.sleep(_PAUSE_SECONDS)
        line = before.rpartition("\n")[2]
        new_line = "\n" + line[: len(line) - len(line.lstrip())]
        editor.insert_at(before, new_line)
        await _ask(editor, before + new_line, tally, "after acceptance")
    editor.close()


async def _ask(editor: Editor, before: str, tally: Tally, kind: str) -> str:
    """Return the suggestion, and count request and time; an answer from the cache counts as that."""
    suggestion, seconds = await editor.complete_at(before)
    is_hit = seconds <= _CACHE_SECONDS
    tally.counts["requests"] += 1
    tally.counts["shown"] += bool(suggestion)
    tally.counts["hits"] += is_hit
    tally.counts["made"] += bool(suggestion) and not is_hit
    tally.seconds["from cache" if is_hit and kind == "moved on" else kind].append(seconds)
    return suggestion


def _judge(file: HeldOutFile, before: str, below: str, left: str, suggestion: str, tally: Tally) -> None:
    """Count how right, how doubled and how readable a new suggestion is."""
    tally.counts["exact"] += suggestion.split() == left.split()
    tally.counts["usable"] += left.startswith(suggestion)
    tally.similarities.append(SequenceMatcher(None, suggestion, left, autojunk=False).ratio())
    line = (before.rpartition("\n")[2] + suggestion).strip()
    visible_below = next((other.strip() for other in below.split("\n")[1:] if other.strip()), "")
    tally.counts["duplicates"] += line == visible_below
    text = before + below
    tree = SyntaxTrees().tree("file:///judged", text, file.language)
    if tree is not None and not tree.tree.root_node.has_error:
        tally.counts["broken"] += not keeps_syntax(tree, text, len(before), suggestion)
    if file.language == "python" and _is_readable(before) and not _is_readable(before + suggestion):
        tally.counts["broken for CPython"] += 1


def _is_readable(text: str) -> bool:
    """Return whether CPython can read a module's start, or could with more lines behind it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            codeop.compile_command(text + "\n", symbol="exec")
        except (SyntaxError, ValueError, OverflowError):
            return False
    return True


def _next_stop(left: str, suggestion: str) -> int:
    """Return how much is typed: what agrees with the suggestion, key by key, else up to the end of the next word."""
    if suggestion and suggestion[0] == left[0]:
        return 1
    end = 1
    while end < len(left) and left[end - 1].isalnum() == left[end].isalnum() and not left[end - 1].isspace():
        end += 1
    return end


async def _idle_cpu(editor: Editor) -> float:
    before = editor.cpu_seconds()
    started = time.monotonic()
    while time.monotonic() - started < _IDLE_SECONDS:
        await asyncio.sleep(1)
    return round(editor.cpu_seconds() - before, 2)


def _share(part: float, whole: float) -> float:
    return round(part / whole, 4) if whole else 0.0


def _milliseconds(seconds: Sequence[float]) -> dict[str, float | int]:
    return {
        "requests": len(seconds),
        **{name: round(1000 * (percentile(seconds, share) or 0.0), 1) for name, share in (("p50", 0.5), ("p95", 0.95))},
    }


def print_table(result: dict[str, Any]) -> None:
    """Print the figures for a person."""
    console = Console()
    columns = (
        "lines",
        "requests",
        "shown",
        "exact",
        "usable",
        "similarity",
        "duplicates",
        "broken",
        "saved",
        "cache_hits",
    )
    table = Table(title="Typing held-out files", title_justify="left")
    for column in ("", *columns):
        table.add_column(column, justify="right" if column else "left")
    for name, summary in [*result["languages"].items(), ("all", result["total"])]:
        table.add_row(name, *(str(summary[column]) for column in columns))
    console.print(table)
    for kind, summary in result["total"]["milliseconds"].items():
        console.print(f"{kind}: {summary}")
    console.print(f"memory {result['memory_mb']} MB, idle {result['idle_cpu_seconds_in_60_s']} s of processor in 60 s")
    console.print(f"[dim]{result['machine']['processor']}, load {result['machine']['load_average_before']}")


if __name__ == "__main__":
    main()
