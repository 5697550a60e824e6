"""Docstrings: kept in agreement with the signature, and inserted. Plain data in and out, no protocol types."""
