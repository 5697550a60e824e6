"""codet5p docstring: docstrings that agree with their signatures, in the shell and in CI."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from codet5p.cli.places import ArtifactOption, CacheOption, artifact_or_released, cache_or_default

if TYPE_CHECKING:
    from codet5p.cli.docstring_files import FileReport, Summarize

__all__ = ["docstring"]


def docstring(  # noqa: PLR0913, PLR0917 - one option each
    place: Annotated[str, typer.Argument(metavar="PATH", help="File or folder; FILE:LINE for one function.")],
    write: Annotated[bool, typer.Option("--write", help="Update the files.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Show what would be updated; the default.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="List what is missing or wrong; exit with 1 if anything is.")
    ] = False,
    missing: Annotated[
        bool, typer.Option("--missing", help="Also write docstrings for public functions without one.")
    ] = False,
    style: Annotated[
        str,
        typer.Option(
            "--style", help="Of new docstrings, such as numpy; with --check, list those in another style too."
        ),
    ] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="With --check, print the findings as JSON.")] = False,
    artifact: ArtifactOption = None,
    cache: CacheOption = None,
) -> None:
    """Bring docstrings up to date with their signatures; what people wrote stays as it is."""
    from codet5p.lsp_server.features.docstring.styles import STYLE_NAMES

    if write + diff + check > 1:
        raise typer.BadParameter("give one of --write, --diff and --check")
    if check and missing:
        raise typer.BadParameter("--check lists what is missing by itself; --missing goes with --write and --diff")
    if as_json and not check:
        raise typer.BadParameter("--json goes with --check")
    if style != "auto" and (style not in STYLE_NAMES or not (check or missing)):
        raise typer.BadParameter(f"--style goes with --check and --missing and is one of {', '.join(STYLE_NAMES)}")
    name, _, line = place.rpartition(":")
    if name and line.isdigit() and not Path(place).exists():
        if write or diff or check or missing:
            raise typer.BadParameter("--write, --diff, --check and --missing take a file or folder, not a line")
        typer.echo(_at_line(Path(name), int(line)))
        return
    summarize = _summarize(artifact_or_released(artifact), cache_or_default(cache)) if missing else None
    reports = _reports(Path(place), style, summarize)
    if check:
        _list(reports, as_json=as_json)
    elif write:
        _write(reports)
    else:
        for report in reports:
            typer.echo(_diff_of(report), nl=False)


def _at_line(path: Path, line: int) -> str:
    """Return the docstring of the function at a line, as it should stand, without its indentation."""
    from codet5p.cli.docstring_files import documentation_at, read_source
    from codet5p.core.errors import DataError

    found = documentation_at(path, read_source(path), line)
    if found is None:
        raise DataError(f"{path}:{line} is in no function that has a docstring or could get one; name a line of one")
    return found


def _summarize(artifact: Path, cache: Path) -> "Summarize":
    """Return who says what a function does: the model where the artifact has one for text about code, else the name."""
    from threading import Event

    from codet5p.core.artifact import load_manifest
    from codet5p.lsp_server.engine.loading import load_sequence_engine
    from codet5p.lsp_server.features.docstring.model_writer import ModelWriter
    from codet5p.lsp_server.features.docstring.summary import summary_by_model, summary_by_name

    if "generate" not in load_manifest(artifact).modes:
        return summary_by_name
    writer = ModelWriter(lambda: load_sequence_engine(artifact, cache, num_threads=1))
    return lambda subject, functions: (
        summary_by_model(subject, functions, writer, Event()) or summary_by_name(subject, functions)
    )


def _reports(path: Path, style: str, summarize: "Summarize | None") -> Iterator["FileReport"]:
    """Yield the report of each file, with a progress bar; a file that cannot be read is named and passed over."""
    from rich.console import Console
    from rich.progress import track

    from codet5p.cli.docstring_files import examine, files_below, read_source
    from codet5p.core.errors import DataError

    files = files_below(path)
    console = Console(stderr=True)
    for file in track(files, "reading", console=console, transient=True, disable=len(files) < 2):
        try:
            yield examine(file, read_source(file), style, summarize)
        except DataError as error:
            if len(files) < 2:
                raise
            console.print(f"codet5p: {error}", soft_wrap=True, highlight=False, markup=False)


def _list(reports: Iterable["FileReport"], *, as_json: bool) -> None:
    """Print one line for each finding, as compilers do, or all as JSON; exit with 1 if there is any."""
    import json

    found: list[dict[str, str | int]] = []
    for report in reports:
        for finding in report.findings:
            found.append(
                {"path": str(report.path), "line": finding.line, "name": finding.name, "problem": finding.problem}
            )
            if not as_json:
                typer.echo(f"{report.path}:{finding.line}: {finding.name}: {finding.problem}")
    if as_json:
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
    if found:
        raise typer.Exit(1)


def _write(reports: Iterable["FileReport"]) -> None:
    from codet5p.cli.docstring_files import replace_file

    for report in reports:
        if report.updated != report.text:
            replace_file(report.path, report.text, report.updated)
            typer.echo(f"updated {report.path}")


def _diff_of(report: "FileReport") -> str:
    """Return the update of a file as a unified diff, which `git apply` understands; empty if there is none."""
    import difflib

    name = report.path.as_posix().lstrip("/")
    old, new = (_lines(text) for text in (report.text, report.updated))
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        for line in difflib.unified_diff(old, new, f"a/{name}", f"b/{name}")
    )


def _lines(text: str) -> list[str]:
    """Return the lines as git counts them: only a line feed ends one."""
    import re

    return re.findall(r"[^\n]*\n|[^\n]+$", text)
