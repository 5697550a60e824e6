"""Our encoder's weights under the names of transformers' BERT; read by the importer, written by the exporter.

Source: transformers, `models/bert/modeling_bert.py`.
"""

__all__ = ["BERT_NAMES", "BERT_TOKEN_TYPES"]

_PARTS = {
    "self_attention.query": "attention.self.query",
    "self_attention.key": "attention.self.key",
    "self_attention.value": "attention.self.value",
    "self_attention.output": "attention.output.dense",
    "self_attention_norm": "attention.output.LayerNorm",
    "feed_forward.input": "intermediate.dense",
    "feed_forward.output": "output.dense",
    "feed_forward_norm": "output.LayerNorm",
}
"""Within a layer; each has a weight and a bias."""

BERT_TOKEN_TYPES = "embeddings.token_type_embeddings.weight"  # noqa: S105 - a name of weights
"""Has no name of ours: a text is of type 0 throughout, and that row is part of every position's vector."""

BERT_NAMES = {
    "token_embedding.weight": "embeddings.word_embeddings.weight",
    "encoder.position_embedding.weight": "embeddings.position_embeddings.weight",
    "encoder.embedding_norm.weight": "embeddings.LayerNorm.weight",
    "encoder.embedding_norm.bias": "embeddings.LayerNorm.bias",
} | {
    f"encoder.layers.{{i}}.{ours}.{kind}": f"encoder.layer.{{i}}.{theirs}.{kind}"
    for ours, theirs in _PARTS.items()
    for kind in ("weight", "bias")
}
"""Our name to BERT's, with `{i}` for the number of a layer on both sides."""
