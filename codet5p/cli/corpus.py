"""codet5p corpus: build training data from packages, report on it, tokenise it."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from codet5p.cli.corpus_embed import embed

if TYPE_CHECKING:
    from codet5p.training.corpus.config import CorpusConfig

__all__ = ["app"]

app = typer.Typer(help="Build the training corpus from pinned packages, and look at it.", no_args_is_help=True)
app.command()(embed)

_READING = ("pyarrow", "zstandard")
"""What a machine needs that only reads a corpus, to train on it."""
_BUILDING = (*_READING, "detect_secrets")

_Config = Annotated[Path, typer.Option("--config", "-c", help="The recipe, a TOML file.")]
_Overrides = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change the recipe; repeatable.")
]
_Workers = Annotated[
    int | None, typer.Option(min=0, help="Processes that encode; as many as there are cores if left out.")
]


@app.command()
def build(
    config: _Config,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the corpus.")],
    overrides: _Overrides = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Fetch, filter, deduplicate and write a corpus; after an interruption the same command goes on."""
    import json

    from rich.console import Console

    _require(*_BUILDING)
    from codet5p.training.corpus.build import build_corpus
    from codet5p.training.corpus.progress import BuildProgress

    figures = build_corpus(_load(config, overrides or ()), out, BuildProgress(Console(stderr=True)))
    if as_json:
        typer.echo(json.dumps(figures))
        return
    for language, row in figures.items():
        typer.echo(f"{language:<11} {row['mb']:8.1f} MB {row['documents']:>8,} documents {row['pairs']:>8,} pairs")


@app.command()
def report(
    corpus: Annotated[Path, typer.Argument(help="Folder of the corpus.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for the pages; the corpus itself if left out.")
    ] = None,
) -> None:
    """Write report.html, report.md and report.json about a corpus."""
    _require(*_READING, "matplotlib")
    from codet5p.training.corpus.report import write_report

    typer.echo(str(write_report(corpus, out or corpus)))


@app.command()
def tokenize(
    corpus: Annotated[Path, typer.Argument(help="Folder of the corpus.")],
    tokenizer: Annotated[Path, typer.Option("--tokenizer", "-t", help="A tokenizer.json.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for the shards; CORPUS/tokens if left out.")
    ] = None,
    shard_tokens: Annotated[int, typer.Option(min=1, help="Tokens after which a shard ends.")] = 100_000_000,
    workers: _Workers = None,
) -> None:
    """Write memory-mapped shards of token ids; needs the corpus folder and no network."""
    from rich.console import Console

    _require(*_READING)
    from codet5p.training.corpus.progress import BuildProgress
    from codet5p.training.corpus.storage import read_index
    from codet5p.training.corpus.tokens import tokenize_corpus

    shards = sum(name.startswith("code/") for name in read_index(corpus)["files"])
    with BuildProgress(Console(stderr=True)).stage("tokenize", shards) as stage:
        index = tokenize_corpus(
            corpus,
            tokenizer,
            out or corpus / "tokens",
            max_tokens=shard_tokens,
            workers=_processes(workers),
            advance=stage.advance,
        )
    total = sum(shard["tokens"] for shard in index["shards"].values())
    typer.echo(f"{total:,} tokens in {len(index['shards'])} shards, {index['dtype']}")


@app.command()
def vocabulary(
    corpus: Annotated[Path, typer.Argument(help="Folder of the corpus.")],
    tokenizer: Annotated[Path, typer.Option("--tokenizer", "-t", help="The tokenizer.json to trim.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The tokenizer.json to write.")],
    size: Annotated[int, typer.Option(help="Tokens to keep; a multiple of 64 computes best.")] = 24_576,
    share: Annotated[
        float, typer.Option(min=0.001, max=1.0, help="Share of the training documents that is counted.")
    ] = 1.0,
    workers: _Workers = None,
) -> None:
    """Trim a tokenizer to the tokens that the corpus uses most; see also codet5p import --tokenizer."""
    from rich.console import Console

    _require(*_READING)
    from codet5p.training.corpus.progress import BuildProgress
    from codet5p.training.corpus.vocabulary import TokenUse, count_tokens, sources_of, token_shares, trim_tokenizer

    def count(path: Path, split: str, share: float = 1.0) -> dict[str, TokenUse]:
        with BuildProgress(Console(stderr=True)).stage(split, len(sources_of(corpus, split))) as stage:
            return count_tokens(corpus, path, split, share=share, workers=_processes(workers), advance=stage.advance)

    shares = token_shares(count(tokenizer, "train", share))
    out.write_text(trim_tokenizer(tokenizer.read_text("utf-8"), shares, size), "utf-8")
    before, after = count(tokenizer, "validation"), count(out, "validation")
    for source, use in before.items():
        old, new = use.tokens_per_byte, after[source].tokens_per_byte
        typer.echo(f"{source:<11} {old:.4f} tokens a byte, now {new:.4f} ({100 * (new / old - 1):+.2f} %)")
    typer.echo(f"{out}: {size:,} of {shares.size:,} tokens; the figures above are for held-out files")


@app.command()
def pin(config: _Config, overrides: _Overrides = None) -> None:
    """Fetch what the manifest lists and write the hashes and licences that it lacks into it."""
    from rich.console import Console

    _require(*_BUILDING)
    from codet5p.training.corpus.pinning import pin_manifest
    from codet5p.training.corpus.progress import BuildProgress

    resolved = _load(config, overrides or ())
    count = pin_manifest(resolved, BuildProgress(Console(stderr=True)))
    typer.echo(f"{resolved.manifest}: {count} entries pinned")


def _processes(workers: int | None) -> int:
    return os.cpu_count() or 1 if workers is None else workers


def _load(path: Path, overrides: Sequence[str]) -> "CorpusConfig":
    from codet5p.training.corpus.config import load_recipe

    return load_recipe(path, overrides)


def _require(*modules: str) -> None:
    from importlib.util import find_spec

    from codet5p.core.errors import ConfigError

    for module in modules:
        if find_spec(module) is None:
            raise ConfigError(f"this command needs {module}; install it with: pip install 'codet5p[corpus]'")
