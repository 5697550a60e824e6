"""codet5p export: from a checkpoint to the artifact that the server runs, or to a folder for other libraries."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from codet5p.export.exporter import ExportOptions

__all__ = ["export"]

_FORMATS = ("artifact", "hugging-face", "sentence-transformers")


def export(  # noqa: PLR0913, PLR0917 - one option each
    checkpoint: Annotated[
        Path, typer.Argument(help="Folder of the checkpoint; for other libraries also of an artifact.")
    ],
    destination: Annotated[Path, typer.Argument(help="Folder to write; an artifact that is there is replaced.")],
    name: Annotated[str | None, typer.Option(help="Short name; the destination's if left out.")] = None,
    modes: Annotated[
        str | None, typer.Option(help="What it shall do: complete,generate,match,embed; complete if left out.")
    ] = None,
    quantization: Annotated[
        str | None, typer.Option(help="int8, or float32 for comparisons; int8 if left out.")
    ] = None,
    provenance: Annotated[list[str] | None, typer.Option(help="Where the weights come from; repeatable.")] = None,
    target: Annotated[
        str, typer.Option("--format", help="artifact, or hugging-face or sentence-transformers for those libraries.")
    ] = "artifact",
) -> None:
    """Write the artifact of a checkpoint: folded, quantised, split and described."""
    from codet5p.core.errors import ConfigError

    if target not in _FORMATS:
        raise ConfigError(f"unknown format {target!r}; known are {', '.join(_FORMATS)}")
    if target == "artifact":
        options = _options(name or destination.resolve().name, modes, quantization, provenance)
        _write_artifact(checkpoint, destination, options)
        return
    if name or modes or quantization or provenance:
        raise ConfigError(f"name, modes, quantization and provenance are of an artifact; {target} has none of them")
    _write_for_library(target, checkpoint, destination)


def _options(name: str, modes: str | None, quantization: str | None, provenance: list[str] | None) -> "ExportOptions":
    """Return the options of an artifact, checked; what is left out keeps its default."""
    from typing import get_args

    from codet5p.core.artifact import Mode
    from codet5p.core.errors import ConfigError
    from codet5p.export.exporter import ExportOptions

    chosen: dict[str, object] = {"name": name, "provenance": tuple(provenance or ())}
    if modes is not None:
        chosen["modes"] = wanted = tuple(mode.strip() for mode in modes.split(","))
        if unknown := [mode for mode in wanted if mode not in get_args(Mode)]:
            raise ConfigError(f"unknown mode {unknown[0]!r}; known are {', '.join(get_args(Mode))}")
    if quantization is not None:
        chosen["quantization"] = quantization
        if quantization not in ("int8", "float32"):
            raise ConfigError(f"unknown quantization {quantization!r}; known are int8, float32")
    return ExportOptions(**chosen)  # type: ignore[arg-type]  # checked above


def _write_artifact(checkpoint: Path, destination: Path, options: "ExportOptions") -> None:
    from rich.console import Console

    from codet5p.cli.terminal_progress import byte_progress
    from codet5p.export.exporter import export_artifact

    with byte_progress("exporting", None, Console(stderr=True)) as advance:
        manifest = export_artifact(checkpoint, destination, options, advance)
    size = sum(entry.bytes for entry in manifest.files.values()) / 1e6
    typer.echo(f"{destination}: revision {manifest.revision}, {len(manifest.files)} files, {size:.0f} MB")


def _write_for_library(target: str, checkpoint: Path, destination: Path) -> None:
    if target == "hugging-face":
        from codet5p.export.hugging_face import write_hugging_face

        typer.echo(f"{destination}: {write_hugging_face(checkpoint, destination)}")
    else:
        from codet5p.export.sentence_transformers import write_sentence_transformers

        write_sentence_transformers(checkpoint, destination)
        typer.echo(f"{destination}: SentenceTransformer")
