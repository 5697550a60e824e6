"""codet5p docstring: docstrings that agree with their signatures, in the shell and in CI."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from codet5p.cli.docstring_files import FileReport

__all__ = ["docstring"]


def docstring(
    place: Annotated[str, typer.Argument(metavar="PATH", help="File or folder; FILE:LINE for one function.")],
    write: Annotated[bool, typer.Option("--write", help="Update the files.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Show what would be updated; the default.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="List what is missing or wrong; exit with 1 if anything is.")
    ] = False,
    style: Annotated[
        str, typer.Option("--style", help="With --check, list docstrings in another style too; such as numpy.")
    ] = "auto",
) -> None:
    """Bring docstrings up to date with their signatures; what people wrote stays as it is."""
    from codet5p.lsp_server.features.docstring.styles import STYLE_NAMES

    if write + diff + check > 1:
        raise typer.BadParameter("give one of --write, --diff and --check")
    if style != "auto" and (style not in STYLE_NAMES or not check):
        raise typer.BadParameter(f"--style goes with --check and is one of {', '.join(STYLE_NAMES)}")
    name, _, line = place.rpartition(":")
    if name and line.isdigit() and not Path(place).exists():
        if write or diff or check:
            raise typer.BadParameter("--write, --diff and --check take a file or folder, not a line")
        typer.echo(_at_line(Path(name), int(line)))
        return
    reports = _reports(Path(place), style)
    if check:
        _list(reports)
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
        raise DataError(f"{path}:{line} is in no function with a docstring; name a line of one")
    return found


def _reports(path: Path, style: str) -> Iterator["FileReport"]:
    """Yield the report of each file, with a progress bar; a file that cannot be read is named and passed over."""
    from rich.console import Console
    from rich.progress import track

    from codet5p.cli.docstring_files import examine, files_below, read_source
    from codet5p.core.errors import DataError

    files = files_below(path)
    console = Console(stderr=True)
    for file in track(files, "reading", console=console, transient=True, disable=len(files) < 2):
        try:
            yield examine(file, read_source(file), style)
        except DataError as error:
            if len(files) < 2:
                raise
            console.print(f"codet5p: {error}", soft_wrap=True, highlight=False, markup=False)


def _list(reports: Iterable["FileReport"]) -> None:
    """Print one line for each finding, as compilers do; exit with 1 if there is any."""
    has_findings = False
    for report in reports:
        for finding in report.findings:
            has_findings = True
            typer.echo(f"{report.path}:{finding.line}: {finding.name}: {finding.problem}")
    if has_findings:
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
