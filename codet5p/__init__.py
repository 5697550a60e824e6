"""codet5p: completion, docstrings and code search on your own laptop, over the Language Server Protocol."""

__all__ = ["__version__"]

__version__ = "0.1.0"
