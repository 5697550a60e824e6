"""codet5p train: a recipe, one leg at a time."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["train", "transport"]

transport = typer.Typer(help="Move large files in small ones, checked.", no_args_is_help=True)


def train(
    config: Annotated[Path, typer.Option("--config", "-c", help="The recipe, a TOML file.")],
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change the recipe; repeatable.")
    ] = None,
    minutes: Annotated[float | None, typer.Option(help="Stop after this time; the next call goes on.")] = None,
    profile: Annotated[Path | None, typer.Option(help="Folder for a profile of five steps.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Train as a recipe says, from its latest checkpoint if there is one."""
    import dataclasses
    import json
    import logging

    from codet5p.cli.optional import require_training

    require_training()
    from codet5p.training.config import load_recipe
    from codet5p.training.trainer import run_training

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    recipe = load_recipe(config, overrides or ())
    result = run_training(recipe, minutes=minutes, profile_folder=profile)
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(result), default=str))
        return
    losses = ", ".join(f"{name} {loss:.3f}" for name, loss in result.losses.items())
    if result.is_finished:
        typer.echo(f"done after {result.steps} steps ({losses}); the model is in {result.model}")
    else:
        typer.echo(f"stopped after {result.steps} steps ({losses}); the same command goes on")


@transport.command()
def split(
    file: Annotated[Path, typer.Argument(help="File to split.")],
    folder: Annotated[Path, typer.Argument(help="Folder for the parts.")],
    part_bytes: Annotated[int, typer.Option(min=1, help="Greatest size of a part.")] = 15_000_000,
) -> None:
    """Write a file as parts of limited size."""
    from codet5p.training.transport import split_file

    parts = split_file(file, folder, part_bytes=part_bytes)
    typer.echo(f"{folder}: {len(parts)} parts")


@transport.command()
def pack(
    sources: Annotated[list[Path], typer.Argument(help="Files and folders.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the parts; earlier ones in it are deleted.")],
    part_bytes: Annotated[int, typer.Option(min=1, help="Greatest size of a part.")] = 15_000_000,
) -> None:
    """Write files and folders as parts of one archive."""
    from codet5p.training.transport import pack as write_parts

    typer.echo(f"{out}: {len(write_parts(sources, out, part_bytes=part_bytes))} parts")


@transport.command()
def unpack(
    folder: Annotated[Path, typer.Argument(help="Folder with all parts.")],
    destination: Annotated[Path, typer.Argument(help="Folder for what was packed.")],
) -> None:
    """Check the parts of an archive and unpack it."""
    from codet5p.training.transport import unpack as read_parts

    for path in read_parts(folder, destination):
        typer.echo(str(path))


@transport.command()
def join(
    folder: Annotated[Path, typer.Argument(help="Folder with all parts.")],
    destination: Annotated[Path, typer.Argument(help="Folder for the joined file.")],
) -> None:
    """Join the parts of a file and check them."""
    from codet5p.training.transport import join_parts

    typer.echo(str(join_parts(folder, destination)))
