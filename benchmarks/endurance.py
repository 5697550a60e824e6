"""Whether the server's memory stays what it is over many requests.

    python -m benchmarks.endurance --files DIR [--requests 10000]

Documents are opened, edited and closed in turn: at each cursor one request that the model must answer, then typing
through what was suggested. Memory of the server and its processes is read after each hundred requests. It goes up and
down with the prompts kept, so the largest value of each tenth of the run is what is compared; the first tenth fills
the caches.
"""

import argparse
import asyncio
import itertools
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from benchmarks.editor import Editor
from benchmarks.held_out import Cursor, add_files_argument, cursors, read_held_out
from benchmarks.machine import ROOT, describe_machine

_EACH = 100
_TENTHS = 10
_TYPED = 6


def main() -> None:
    """Measure, print the figures, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_files_argument(parser)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks" / "results" / "endurance.json")
    arguments = parser.parse_args()
    result = asyncio.run(measure(arguments.files, arguments.requests))
    arguments.output.write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    Console().print_json(json.dumps(result))


async def measure(files: Path, num_requests: int) -> dict[str, Any]:
    """Return the course of the server's memory over a number of requests."""
    held_out = read_held_out(files, 6)
    places = itertools.chain.from_iterable(
        cursors(file, 4, seed=seed) for seed in itertools.count() for file in held_out
    )
    samples: list[int] = []
    result: dict[str, Any] = {"machine": describe_machine(), "requests": num_requests}
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        async with Editor("--cache", folder) as editor:
            await editor.ready()
            with Progress(console=Console(stderr=True), transient=True) as progress:
                task = progress.add_task("asking", total=num_requests)
                done = 0
                while done < num_requests:
                    count = await _visit(editor, next(places))
                    if done // _EACH != (done + count) // _EACH:
                        samples.append(round(editor.memory_bytes() / 1e6))
                    done += count
                    progress.update(task, completed=done)
            result["counts"] = vars((await editor.status()).counts)
    tenths = [samples[len(samples) * part // _TENTHS : len(samples) * (part + 1) // _TENTHS] for part in range(_TENTHS)]
    largest = [max(tenth) for tenth in tenths if tenth]
    result |= {
        "minutes": round((time.monotonic() - started) / 60, 1),
        "memory_mb_each_hundred": samples,
        "largest_mb_of_each_tenth": largest,
        "growth_from_second_to_last_tenth": round(largest[-1] / largest[min(1, len(largest) - 1)] - 1, 4),
    }
    return result


async def _visit(editor: Editor, cursor: Cursor) -> int:
    """Ask at a cursor and type some characters of what is suggested; return the number of requests."""
    editor.open(Path(f"/{cursor.file.name}"), cursor.text, cursor.file.language)
    before = cursor.text[: cursor.offset]
    suggestion, _ = await editor.complete_at(before)
    requests = 1
    for character in suggestion[:_TYPED]:
        editor.insert_at(before, character)
        before += character
        await editor.complete_at(before)
        requests += 1
    editor.close()
    return requests


if __name__ == "__main__":
    main()
