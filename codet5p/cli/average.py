"""codet5p average: a checkpoint between the start of a training and its end."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["average"]


def average(
    start: Annotated[Path, typer.Argument(help="Checkpoint where training began.")],
    trained: Annotated[Path, typer.Argument(help="Checkpoint where it ended.")],
    destination: Annotated[Path, typer.Argument(help="Folder of the checkpoint to write.")],
    share: Annotated[float, typer.Option(min=0.0, max=1.0, help="How far from the start to the end.")] = 0.5,
) -> None:
    """Average two checkpoints, which keeps more of what the start knew (needs the extra `train`)."""
    from codet5p.cli.optional import require_training

    require_training()
    from codet5p.model.averaging import average_checkpoints

    average_checkpoints(start, trained, destination, share=share)
    typer.echo(f"{destination}: {share:g} of the way from {start} to {trained}")
