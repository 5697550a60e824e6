"""The language server. Never imports torch, transformers or the model."""
