"""codet5p evaluate: a suite of the field over a checkpoint or an artifact."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from codet5p.cli.places import CacheOption, cache_or_default

if TYPE_CHECKING:
    from codet5p.training.evaluation.model_protocol import EvaluatedModel

__all__ = ["evaluate"]


def evaluate(  # noqa: PLR0913, PLR0917 - one option each
    suites: Annotated[list[str], typer.Argument(metavar="SUITE...", help="Such as py150, cosqa, next-line, or all.")],
    data: Annotated[Path, typer.Option("--data", "-d", help="Folder of the evaluation sets, or one file of them.")],
    checkpoint: Annotated[Path | None, typer.Option(help="Folder of a torch checkpoint.")] = None,
    artifact: Annotated[Path | None, typer.Option(help="Folder of an exported model.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for results as JSON, Markdown and a picture.")] = Path("evaluation"),
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first rows.")] = None,
    context_tokens: Annotated[int, typer.Option(min=16, help="Longest context.")] = 1024,
    rerank: Annotated[int, typer.Option(min=0, help="Candidates to rank anew by matching.")] = 0,
    samples: Annotated[int, typer.Option(min=1, help="Completions for each functional problem.")] = 1,
    temperature: Annotated[float, typer.Option(min=0.01, help="Of drawn completions.")] = 0.2,
    device: Annotated[str, typer.Option(help="Of a torch checkpoint: cpu or cuda.")] = "cpu",
    cache: CacheOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the results as JSON.")] = False,
) -> None:
    """Measure a model by the published protocols; never with data it was trained on."""
    import time

    from codet5p.cli.optional import require_training

    require_training()
    from codet5p.training.evaluation.result import markdown_table, write_results
    from codet5p.training.evaluation.suites import SuiteOptions, run_suite

    model = _load(checkpoint, artifact, device, cache)
    options = SuiteOptions(
        data=data,
        limit=limit,
        context_tokens=context_tokens,
        rerank=rerank,
        samples=samples,
        temperature=temperature,
    )
    started = time.monotonic()
    results = [result for name in suites for result in run_suite(name, model, options)]
    name = str(checkpoint or artifact)
    written = write_results(results, out, model=name, facts={"seconds": round(time.monotonic() - started, 1)})
    typer.echo(written.read_text("utf-8") if as_json else markdown_table(results, name))


def _load(checkpoint: Path | None, artifact: Path | None, device: str, cache: Path | None) -> "EvaluatedModel":
    from codet5p.core.errors import ConfigError

    if (checkpoint is None) == (artifact is None):
        raise ConfigError("give either --checkpoint or --artifact")
    if artifact is not None:
        from codet5p.cli.artifact_model import ArtifactModel

        return ArtifactModel.from_artifact(artifact, cache_or_default(cache))
    from codet5p.training.evaluation.torch_model import TorchModel

    assert checkpoint is not None
    return TorchModel.from_checkpoint(checkpoint, device=device)
