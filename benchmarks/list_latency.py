"""How long the completion list takes: ours, and that of another language server, in one harness.

    python -m benchmarks.list_latency --command jedi-language-server [--lines 30]

Both get the same file, a module of Python's standard library, and the same requests: behind the first dot or bracket
of lines typed at its end, half a second after the last key. Ours makes one line of code and the other a list of names:
what is compared is the time until an editor has something to show.
"""

import argparse
import asyncio
import json
import shlex
import sys
import time
import tokenize
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.lsp.client import LanguageClient
from rich.console import Console
from rich.table import Table

from benchmarks.machine import ROOT, describe_machine
from codet5p.lsp_server.statistics import percentile

_SOURCE = Path(tokenize.__file__)
_OURS = [sys.executable, "-m", "codet5p", "serve"]
_WARM_UP_SECONDS = 10.0
_PAUSE_SECONDS = 0.5


def main() -> None:
    """Measure both servers, print a table, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--command", required=True, help="the other server, which speaks over stdio")
    parser.add_argument("--lines", type=int, default=30)
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks" / "results" / "list_latency.json")
    arguments = parser.parse_args()
    other = shlex.split(arguments.command)
    result: dict[str, Any] = {"machine": describe_machine(), "file": _SOURCE.name, "lines": arguments.lines}
    result["codet5p"] = asyncio.run(measure(_OURS, arguments.lines))
    result[Path(other[0]).name] = asyncio.run(measure(other, arguments.lines))
    arguments.output.write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    print_table(result)


async def measure(command: list[str], num_lines: int) -> dict[str, Any]:
    """Return the times of one server's completion lists, the first apart."""
    client = LanguageClient("codet5p-benchmark", "1")
    await client.start_io(*command)
    await client.initialize_async(types.InitializeParams(capabilities=types.ClientCapabilities()))
    client.initialized(types.InitializedParams())
    lines = _SOURCE.read_text("utf-8").split("\n")[: 500 - num_lines]
    chosen = _SOURCE.read_text("utf-8").split("\n")[500 - num_lines : 500]
    uri = (_SOURCE.parent / "typed.py").as_uri()
    text = "\n".join(lines) + "\n"
    document = types.TextDocumentItem(uri=uri, language_id="python", version=1, text=text)
    client.text_document_did_open(types.DidOpenTextDocumentParams(text_document=document))
    seconds = [await _ask(client, uri, len(lines), 0)]
    await asyncio.sleep(_WARM_UP_SECONDS)
    number, version = len(lines), 1
    for line in chosen:
        stop = next((at + 1 for at, character in enumerate(line) if character in ".("), 0)
        version += 1
        _insert(client, uri, version, number, line[:stop] + "\n")
        if stop:
            await asyncio.sleep(_PAUSE_SECONDS)
            seconds.append(await _ask(client, uri, number, stop))
        number += 1
    await client.shutdown_async(None)
    client.exit(None)
    await client.stop()
    first, *warm = seconds
    milliseconds = {f"p{round(100 * share)}": round(1000 * (percentile(warm, share) or 0), 1) for share in (0.5, 0.95)}
    return {"requests": len(warm), "first": round(1000 * first, 1), **milliseconds}


async def _ask(client: LanguageClient, uri: str, line: int, character: int) -> float:
    params = types.CompletionParams(
        text_document=types.TextDocumentIdentifier(uri=uri), position=types.Position(line=line, character=character)
    )
    started = time.perf_counter()
    await client.text_document_completion_async(params)
    return time.perf_counter() - started


def _insert(client: LanguageClient, uri: str, version: int, line: int, text: str) -> None:
    place = types.Position(line=line, character=0)
    change = types.TextDocumentContentChangePartial(range=types.Range(start=place, end=place), text=text)
    document = types.VersionedTextDocumentIdentifier(uri=uri, version=version)
    client.text_document_did_change(types.DidChangeTextDocumentParams(text_document=document, content_changes=[change]))


def print_table(result: dict[str, Any]) -> None:
    """Print the figures for a person."""
    table = Table(title=f"Completion list, {result['file']}, ms", title_justify="left")
    for column in ("", "requests", "first", "p50", "p95"):
        table.add_column(column, justify="right" if column else "left")
    for name, row in result.items():
        if isinstance(row, dict) and "p50" in row:
            table.add_row(name, *(str(value) for value in row.values()))
    console = Console()
    console.print(table)
    console.print(f"[dim]{result['machine']['processor']}, load {result['machine']['load_average_before']}")


if __name__ == "__main__":
    main()
