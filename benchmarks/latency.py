"""How long a completion takes in the real server: typing through a real file of 500 lines, over stdio.

    python -m benchmarks.latency [--lines 40] [--output benchmarks/results/latency.json]

The file is the first 500 lines of a module of Python's standard library. Its second half is typed line by line: a
request at the start of each line, one after its first word, then one after each further character for as long as the
suggestion agrees with what is typed. Between lines the typist pauses, as people do.

`cold` is the first request in a document just opened; `moved on` any later one that the model had to answer; `typed
through` and `asked again` came from the cache.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
import tokenize
from collections import defaultdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks.editor import Editor
from benchmarks.machine import ROOT, describe_machine
from codet5p.lsp_server.statistics import percentile

_SOURCE = Path(tokenize.__file__)
_FILE_LINES = 500
_PAUSE_SECONDS = 0.6
_COLD_DOCUMENTS = 8
_IDLE_SECONDS = 10.0
_CACHE_SECONDS = 0.02

_Times = defaultdict[str, list[float]]


def main() -> None:
    """Measure, print a table, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=60, help="lines to type")
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks" / "results" / "latency.json")
    arguments = parser.parse_args()
    result = asyncio.run(measure(arguments.lines))
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    print_table(result)


async def measure(num_lines: int) -> dict[str, Any]:
    """Return all figures of one run."""
    result: dict[str, Any] = {"machine": describe_machine(), "file": _SOURCE.name, "lines_typed": num_lines}
    with tempfile.TemporaryDirectory() as folder:
        result["first_start_to_answer_s"] = await _start_to_answer(folder)
        result["start_to_answer_s"] = statistics.median([await _start_to_answer(folder) for _ in range(3)])
        async with Editor("--cache", folder) as editor:
            await editor.ready()
            times = await _type_through(editor, num_lines)
            times["cold"] = await _cold(editor)
            result["completion_ms"] = {kind: _summary(values) for kind, values in times.items()}
            await asyncio.sleep(2)
            result["memory_mb"] = round(editor.process.memory_info().rss / 1e6)
            result["idle_cpu_seconds_in_10_s"] = await _idle_cpu(editor)
            status = await editor.status()
            result["model"] = {"name": status.model, "revision": status.revision, "threads": status.threads}
    return result


async def _start_to_answer(cache: str) -> float:
    """Return the seconds from starting the process to the first suggestion."""
    async with Editor("--cache", cache) as editor:
        editor.open(Path("/start.py"), "import json\n\ndef load(path):\n    with open(path) as file:\n        return ")
        await editor.complete(4, 15)
        return round(time.perf_counter() - editor.started, 2)


async def _type_through(editor: Editor, num_lines: int) -> _Times:
    lines = _SOURCE.read_text("utf-8").splitlines()[:_FILE_LINES]
    first = len(lines) - num_lines
    editor.open(_SOURCE, "\n".join(lines[:first]) + "\n")
    await editor.complete(first, 0)  # cold, measured elsewhere
    await asyncio.sleep(_PAUSE_SECONDS)
    times: _Times = defaultdict(list)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        for number in progress.track(range(first, len(lines)), description="typing"):
            await _type_line(editor, number, lines[number], times)
            await asyncio.sleep(_PAUSE_SECONDS)
    editor.close()
    return times


async def _type_line(editor: Editor, number: int, line: str, times: _Times) -> None:
    indentation = len(line) - len(line.lstrip())
    editor.insert(number, 0, line[:indentation])
    typed = indentation
    words = [indentation, min(indentation + len(line.split(maxsplit=1)[0]), len(line))] if line.strip() else []
    for stop in words:
        if stop < typed or (stop == typed and typed > indentation):
            continue  # typed through already
        editor.insert(number, typed, line[typed:stop])
        typed = stop
        suggestion, seconds = await editor.complete(number, typed)
        times["moved on" if seconds > _CACHE_SECONDS else "asked again"].append(seconds)
        while suggestion and typed < len(line) and len(suggestion) > 1 and suggestion[0] == line[typed]:
            editor.insert(number, typed, line[typed])
            typed += 1
            suggestion, seconds = await editor.complete(number, typed)
            times["typed through"].append(seconds)
    editor.insert(number, typed, line[typed:] + "\n")


async def _cold(editor: Editor) -> list[float]:
    """Return the times of first requests in the middle of documents that were just opened."""
    lines = _SOURCE.read_text("utf-8").splitlines()[:_FILE_LINES]
    times = []
    for number in range(200, 200 + 20 * _COLD_DOCUMENTS, 20):
        editor.open(Path(f"/cold_{number}.py"), "\n".join(lines[:number]) + "\n")
        _, seconds = await editor.complete(number, 0)
        times.append(seconds)
        editor.close()
    return times


async def _idle_cpu(editor: Editor) -> float:
    before = sum(editor.process.cpu_times()[:2])
    await asyncio.sleep(_IDLE_SECONDS)
    return round(sum(editor.process.cpu_times()[:2]) - before, 2)


def _summary(seconds: list[float]) -> dict[str, float | int | None]:
    def milliseconds(share: float) -> float | None:
        value = percentile(seconds, share)
        return None if value is None else round(1000 * value, 1)

    return {"requests": len(seconds), "p50": milliseconds(0.5), "p95": milliseconds(0.95), "max": milliseconds(1.0)}


def print_table(result: dict[str, Any]) -> None:
    """Print the figures for a person."""
    console = Console()
    table = Table(title=f"Request to answer, typing through {result['file']}", title_justify="left")
    for column in ("", "requests", "p50 ms", "p95 ms", "max ms"):
        table.add_column(column, justify="left" if not column else "right")
    for kind, summary in result["completion_ms"].items():
        table.add_row(kind, *(str(value) for value in summary.values()))
    console.print(table)
    for name in ("first_start_to_answer_s", "start_to_answer_s", "memory_mb", "idle_cpu_seconds_in_10_s"):
        console.print(f"{name.replace('_', ' ')}: {result[name]}")
    console.print(f"[dim]{result['machine']['processor']}, load {result['machine']['load_average_before']}")


if __name__ == "__main__":
    main()
