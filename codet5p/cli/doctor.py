"""codet5p doctor: is everything in place, and how fast is this computer?"""

from typing import Annotated, Any

import typer

from codet5p.cli.places import ArtifactOption, CacheOption, artifact_or_released, cache_or_default

__all__ = ["doctor"]


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for a script.")] = False,
    calibrate: Annotated[bool, typer.Option("--calibrate", help="Measure the speed anew and choose threads.")] = False,
    artifact: ArtifactOption = None,
    cache: CacheOption = None,
) -> None:
    """Check the installation, verify every checksum of the model, and show this computer's speed."""
    import json

    from rich.console import Console

    from codet5p.cli.diagnosis import diagnose

    findings = diagnose(artifact_or_released(artifact), cache_or_default(cache), calibrate=calibrate)
    if as_json:
        typer.echo(json.dumps(findings, ensure_ascii=False))
    else:
        _print_findings(findings, Console())
    if findings["problem"]:
        raise typer.Exit(1)


def _print_findings(findings: dict[str, Any], console: Any) -> None:
    from rich.table import Table

    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for name, value in findings.items():
        if name not in ("timings", "problem") and value is not None:
            table.add_row(f"[bold]{name}", str(value))
    console.print(table)
    if findings["timings"]:
        speeds = Table(title="Speed of this computer", title_justify="left")
        for column in ("threads", "prompt, ms/token", "step, ms/token", "a line, ms"):
            speeds.add_column(column, justify="right")
        for timing in findings["timings"]:
            speeds.add_row(*(str(value) for value in timing.values()))
        console.print(speeds)
    if findings["problem"]:
        console.print(f"[bold red]problem[/] {findings['problem']}", soft_wrap=True)
        console.print(f"[bold]remedy[/]  {findings['remedy']}", soft_wrap=True)
    else:
        console.print("[bold green]all is well")
