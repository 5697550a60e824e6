"""Small random torch models and what our own export makes of them."""

from pathlib import Path

import torch
from fakes import small_tokenizer

from codet5p.core.assembly import AssembledModels, assemble
from codet5p.core.model_config import CodeT5pConfig
from codet5p.export.exporter import ExportOptions, export_artifact
from codet5p.model.checkpoint import save_checkpoint
from codet5p.model.transformer import CodeT5pModel

__all__ = ["decided_model", "exported"]


def decided_model(config: CodeT5pConfig) -> CodeT5pModel:
    """Return a random model whose weights, cross-attention's outputs among them, are large enough to matter."""
    model = CodeT5pModel(config)
    generator = torch.Generator().manual_seed(0)
    for name, weight in model.named_parameters():
        is_norm = "norm" in name
        torch.nn.init.normal_(weight, mean=float(is_norm), std=0.1 if is_norm else 0.3, generator=generator)
    for table in {model.token_embedding.weight, model.head_weight_VD}:
        table.data[small_tokenizer().vocab_size :] = 0  # padding rows, which training would have pushed down
    return model.eval()


def exported(model: CodeT5pModel, folder: Path, **options: object) -> AssembledModels:
    """Return the runnable models that our own export makes of `model`."""
    tokenizer = small_tokenizer()._tokenizer.to_str()
    save_checkpoint(folder / "checkpoint", model, tokenizer_json=tokenizer, extra={})
    export_artifact(folder / "checkpoint", folder / "artifact", ExportOptions(name="small", **options))  # type: ignore[arg-type]
    return assemble(folder / "artifact", folder / "cache")
