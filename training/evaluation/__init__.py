"""Evaluation suites of the field, each with its published protocol, over any model that answers a small protocol."""
