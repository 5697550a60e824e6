"""Running the exported model: loading, prefix reuse, scheduling."""
