"""codet5p evaluate: suites of the field over a checkpoint or an artifact."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

import typer

from codet5p.cli.places import CacheOption, cache_or_default

if TYPE_CHECKING:
    from rich.console import Console

    from codet5p.training.evaluation.model_protocol import EvaluatedModel
    from codet5p.training.evaluation.result import SuiteResult
    from codet5p.training.evaluation.suites import SuiteOptions

__all__ = ["evaluate"]


def evaluate(  # noqa: PLR0913, PLR0917 - one option each
    suites: Annotated[list[str], typer.Argument(metavar="SUITE...", help="Such as py150, cosqa, next-line, or all.")],
    data: Annotated[Path, typer.Option("--data", "-d", help="Folder of the evaluation sets, or one file of them.")],
    checkpoint: Annotated[Path | None, typer.Option(help="Folder of a torch checkpoint.")] = None,
    artifact: Annotated[Path | None, typer.Option(help="Folder of an exported model.")] = None,
    code: Annotated[
        Path | None, typer.Option(help="Held-out source files, a folder a language, for next-line and bits-per-byte.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for results as JSON, Markdown and a picture.")] = Path("evaluation"),
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first rows of each suite and language.")] = None,
    context_tokens: Annotated[int, typer.Option(min=16, help="Longest context.")] = 1024,
    rerank: Annotated[int, typer.Option(min=0, help="Candidates to rank anew by matching.")] = 0,
    samples: Annotated[int, typer.Option(min=1, help="Completions for each functional problem.")] = 1,
    temperature: Annotated[float, typer.Option(min=0.01, help="Of drawn completions.")] = 0.2,
    device: Annotated[str, typer.Option(help="Of a torch checkpoint: cpu or cuda.")] = "cpu",
    record: Annotated[bool, typer.Option(help="Write the figures into the artifact's manifest, too.")] = False,
    cache: CacheOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the results as JSON.")] = False,
) -> None:
    """Measure a model by the published protocols; never with data it was trained on.

    Results are written as they come, so an evaluation that is broken off keeps those that are done.
    """
    import time

    from codet5p.cli.optional import require_training
    from codet5p.core.errors import ConfigError

    require_training()
    from codet5p.training.evaluation.result import markdown_table, write_results
    from codet5p.training.evaluation.suites import SuiteOptions

    if record and artifact is None:
        raise ConfigError("--record writes into a manifest, and only an artifact has one; name it with --artifact")
    model = _load(checkpoint, artifact, device, cache)
    options = SuiteOptions(
        data=data,
        code=code,
        limit=limit,
        context_tokens=context_tokens,
        rerank=rerank,
        samples=samples,
        temperature=temperature,
    )
    name, started = str(checkpoint or artifact), time.monotonic()
    results: list[SuiteResult] = []

    def write(*, is_last: bool) -> Path:
        facts = {"limit": limit, "seconds": round(time.monotonic() - started, 1)}
        return write_results(results, out, model=name, facts=facts, with_picture=is_last)

    for result in _results(_chosen(suites, model, options), model, options):
        results.append(result)
        write(is_last=False)
    written = write(is_last=True)
    if record and artifact is not None:
        _record(artifact, results)
    typer.echo(written.read_text("utf-8") if as_json else markdown_table(results, name))


def _record(artifact: Path, results: Sequence["SuiteResult"]) -> None:
    """Put the figures of `results` beside those that the manifest has of other suites; the revision stays."""
    from dataclasses import replace

    from codet5p.core.artifact import load_manifest
    from codet5p.training.evaluation.result import headline

    manifest = load_manifest(artifact)
    figures = {
        result.suite: {name: round(result.metrics[name], 4) for name in headline(result.metrics)}
        | {"rows": result.rows}
        for result in results
    }
    replace(manifest, metrics=manifest.metrics | figures).save(artifact)


def _chosen(suites: Sequence[str], model: "EvaluatedModel", options: "SuiteOptions") -> list[str]:
    """Return the suites to run, `all` spelt out; what it leaves out is said."""
    from codet5p.core.errors import ConfigError
    from codet5p.training.evaluation.suites import standard_suites

    if "all" not in suites:
        return list(suites)
    chosen, left_out = standard_suites(model, options)
    for name, reason in left_out.items():
        typer.echo(f"{name} is left out: {reason}", err=True)
    if not chosen:
        raise ConfigError(f"none of the suites can be run; check --data {options.data}")
    return chosen


def _results(names: Sequence[str], model: "EvaluatedModel", options: "SuiteOptions") -> Iterator["SuiteResult"]:
    """Yield the results of all suites, with a bar over the rows of the one that runs."""
    from rich.console import Console

    from codet5p.training.evaluation.paced_model import PacedModel
    from codet5p.training.evaluation.result import headline
    from codet5p.training.evaluation.suites import run_suite

    console = Console(stderr=True)
    for name in names:
        with _RowsBar(name, console) as bar:
            for result in run_suite(name, PacedModel(model, announce=bar.announce, advance=bar.advance), options):
                shown = ", ".join(f"{metric} {result.metrics[metric]:.4g}" for metric in headline(result.metrics))
                console.print(f"{result.suite}: {shown}", highlight=False)
                yield result


class _RowsBar:
    """A bar over rows whose number becomes known as the model is asked."""

    def __init__(self, name: str, console: "Console") -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns, console=console, transient=True)
        self._task = self._progress.add_task(name, total=0)
        self._rows = 0

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._progress.stop()

    def announce(self, rows: int) -> None:
        """Make the bar longer by `rows`."""
        self._rows += rows
        self._progress.update(self._task, total=self._rows)

    def advance(self, rows: int) -> None:
        """Fill `rows` of the bar."""
        self._progress.advance(self._task, rows)


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
