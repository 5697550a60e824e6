"""codet5p corpus embed: a teacher's embeddings of the texts of all pairs, for training to imitate."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["embed"]


def embed(
    corpus: Annotated[Path, typer.Argument(help="Folder of the corpus, or a file of pairs.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write, .npz.")],
    model: Annotated[
        Path | None, typer.Option(help="A sentence encoder; all-MiniLM-L6-v2 as installed if left out.")
    ] = None,
    width: Annotated[
        int | None, typer.Option(min=1, help="Keep only so many principal directions, for a smaller file.")
    ] = None,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
) -> None:
    """Embed each different text of the pairs, for `distillation.texts` of a recipe (needs the extra `train`)."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from codet5p.cli.optional import require_training

    require_training()
    from codet5p.training.distillation import write_text_embeddings
    from codet5p.training.sources import read_pairs
    from codet5p.training.text_teacher import TextTeacher, installed_minilm

    teacher = TextTeacher(model or installed_minilm(), device=device)
    texts = [pair.text for pair in read_pairs(corpus, None, "train")]
    columns = (TextColumn("embed"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("embed", total=len(texts))

        def advance(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        count = write_text_embeddings(texts, teacher.embed, out, width=width, advance=advance)
    typer.echo(f"{out}: {count:,} texts, {out.stat().st_size / 1e6:.1f} MB")
