"""A small workspace to try the assistant on; `demo.toml` says where."""
