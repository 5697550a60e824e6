"""Our weights under the names of transformers' T5; read by the importer, written by the exporter.

Source: transformers, `models/t5/modeling_t5.py`.
"""

__all__ = ["T5_NAMES"]

T5_NAMES = {
    "token_embedding.weight": "shared.weight",
    "encoder.relative_bias.weight": "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight",
    "encoder.layers.{i}.self_attention_norm.weight": "encoder.block.{i}.layer.0.layer_norm.weight",
    "encoder.layers.{i}.self_attention.query.weight": "encoder.block.{i}.layer.0.SelfAttention.q.weight",
    "encoder.layers.{i}.self_attention.key.weight": "encoder.block.{i}.layer.0.SelfAttention.k.weight",
    "encoder.layers.{i}.self_attention.value.weight": "encoder.block.{i}.layer.0.SelfAttention.v.weight",
    "encoder.layers.{i}.self_attention.output.weight": "encoder.block.{i}.layer.0.SelfAttention.o.weight",
    "encoder.layers.{i}.feed_forward_norm.weight": "encoder.block.{i}.layer.1.layer_norm.weight",
    "encoder.layers.{i}.feed_forward.input.weight": "encoder.block.{i}.layer.1.DenseReluDense.wi.weight",
    "encoder.layers.{i}.feed_forward.output.weight": "encoder.block.{i}.layer.1.DenseReluDense.wo.weight",
    "encoder.final_norm.weight": "encoder.final_layer_norm.weight",
    "decoder.relative_bias.weight": "decoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight",
    "decoder.layers.{i}.self_attention_norm.weight": "decoder.block.{i}.layer.0.layer_norm.weight",
    "decoder.layers.{i}.self_attention.query.weight": "decoder.block.{i}.layer.0.SelfAttention.q.weight",
    "decoder.layers.{i}.self_attention.key.weight": "decoder.block.{i}.layer.0.SelfAttention.k.weight",
    "decoder.layers.{i}.self_attention.value.weight": "decoder.block.{i}.layer.0.SelfAttention.v.weight",
    "decoder.layers.{i}.self_attention.output.weight": "decoder.block.{i}.layer.0.SelfAttention.o.weight",
    "decoder.layers.{i}.cross_attention_norm.weight": "decoder.block.{i}.layer.1.layer_norm.weight",
    "decoder.layers.{i}.cross_attention.query.weight": "decoder.block.{i}.layer.1.EncDecAttention.q.weight",
    "decoder.layers.{i}.cross_attention.key.weight": "decoder.block.{i}.layer.1.EncDecAttention.k.weight",
    "decoder.layers.{i}.cross_attention.value.weight": "decoder.block.{i}.layer.1.EncDecAttention.v.weight",
    "decoder.layers.{i}.cross_attention.output.weight": "decoder.block.{i}.layer.1.EncDecAttention.o.weight",
    "decoder.layers.{i}.feed_forward_norm.weight": "decoder.block.{i}.layer.2.layer_norm.weight",
    "decoder.layers.{i}.feed_forward.input.weight": "decoder.block.{i}.layer.2.DenseReluDense.wi.weight",
    "decoder.layers.{i}.feed_forward.output.weight": "decoder.block.{i}.layer.2.DenseReluDense.wo.weight",
    "decoder.final_norm.weight": "decoder.final_layer_norm.weight",
}
"""Our name to T5's, with `{i}` for the number of a layer on both sides."""
