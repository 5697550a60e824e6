"""A model with some of its tokens."""

from dataclasses import replace

from codet5p.core.errors import CheckpointError
from codet5p.core.tokenizer import Tokenizer
from codet5p.model.checkpoint import model_from_weights
from codet5p.model.transformer import CodeT5pModel

__all__ = ["with_vocabulary"]


def with_vocabulary(model: CodeT5pModel, known: Tokenizer, wanted: Tokenizer) -> CodeT5pModel:
    """Return `model` with the rows of its embedding that belong to the tokens of `wanted`, in their order.

    Nothing else changes: a text whose tokens all remain has the same states, and the logits of those tokens.

    Args:
        model: With an output head that is tied to the embedding.
        known: The tokenizer of `model`.
        wanted: A tokenizer with some of its tokens.

    Returns:
        The smaller model, which shares all other weights with `model`.

    Raises:
        CheckpointError: If a token of `wanted` is not among those of `known`, or the head is not tied.
    """
    ids = {token: token_id for token_id, token in enumerate(known.tokens)}
    if unknown := [token for token in wanted.tokens if token not in ids]:
        raise CheckpointError(
            f"the model has no token {unknown[0]!r}; trim its own tokenizer with codet5p corpus vocabulary"
        )
    if not model.config.tie_head:
        raise CheckpointError("only a model whose output head is its embedding can lose tokens; SmolLM2 is one")
    weights = dict(model.state_dict())
    embedding_VD = weights["token_embedding.weight"]
    weights["token_embedding.weight"] = embedding_VD[[ids[token] for token in wanted.tokens]].clone()
    return model_from_weights(replace(model.config, vocab_size=wanted.vocab_size), weights)
