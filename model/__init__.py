"""The encoder-decoder model and its families, in torch."""
