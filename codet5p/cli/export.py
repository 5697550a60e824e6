"""codet5p export: from a checkpoint to the artifact that the server runs."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["export"]


def export(
    checkpoint: Annotated[Path, typer.Argument(help="Folder of the checkpoint.")],
    destination: Annotated[Path, typer.Argument(help="Folder of the artifact to write; replaced if it is there.")],
    name: Annotated[str | None, typer.Option(help="Short name; the destination's if left out.")] = None,
    modes: Annotated[str, typer.Option(help="What it shall do: complete,generate,match,embed.")] = "complete",
    quantization: Annotated[str, typer.Option(help="int8, or float32 for comparisons.")] = "int8",
    provenance: Annotated[list[str] | None, typer.Option(help="Where the weights come from; repeatable.")] = None,
) -> None:
    """Write the artifact of a checkpoint: folded, quantised, split and described."""
    from typing import get_args

    from rich.console import Console

    from codet5p.cli.terminal_progress import byte_progress
    from codet5p.core.artifact import Mode
    from codet5p.core.errors import ConfigError
    from codet5p.export.exporter import ExportOptions, export_artifact

    wanted = tuple(mode.strip() for mode in modes.split(","))
    if unknown := [mode for mode in wanted if mode not in get_args(Mode)]:
        raise ConfigError(f"unknown mode {unknown[0]!r}; known are {', '.join(get_args(Mode))}")
    if quantization not in ("int8", "float32"):
        raise ConfigError(f"unknown quantization {quantization!r}; known are int8, float32")
    options = ExportOptions(
        name=name or destination.resolve().name,
        modes=wanted,  # type: ignore[arg-type]  # checked above
        quantization=quantization,  # type: ignore[arg-type]  # checked above
        provenance=tuple(provenance or ()),
    )
    with byte_progress("exporting", None, Console(stderr=True)) as advance:
        manifest = export_artifact(checkpoint, destination, options, advance)
    size = sum(entry.bytes for entry in manifest.files.values()) / 1e6
    typer.echo(f"{destination}: revision {manifest.revision}, {len(manifest.files)} files, {size:.0f} MB")
