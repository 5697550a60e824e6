"""What the index takes in, and how hits are ranked."""

from dataclasses import dataclass, replace

__all__ = ["IndexConfig", "RankingConfig"]


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexConfig:
    """What is indexed.

    Attributes:
        max_file_bytes: Larger files are left out.
        max_line_characters: A file with more characters a line on average is minified, and left out.
        max_chunk_lines: A longer function is cut into parts of this many lines.
        block_lines: Top-level code is joined into blocks of about this many lines.
        files_per_transaction: Files whose chunks are written together.
    """

    max_file_bytes: int = 1_000_000
    max_line_characters: int = 300
    max_chunk_lines: int = 120
    block_lines: int = 30
    files_per_transaction: int = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class RankingConfig:
    """How candidates become hits. A weight of 0, or a factor of 1, switches its rule off.

    Attributes:
        num_candidates: Best chunks by keywords, and again by meaning, that enter the ranking.
        name_weight: What a word in a chunk's name counts, one in its text being 1.
        path_weight: What a word in its file's path counts.
        meaning_weight: Share of the cosine in the base score, the rest being BM25's; each as a share of its largest.
        min_similarity: Cosine below which a chunk that holds no word of the query is no candidate.
        definition_boost: Added, in shares of the best score, for a definition of what the query names.
        name_boost: Added for the share of the query's words that the chunk's name holds.
        file_name_boost: Added for the share of the query's words that its file's name holds.
        coherence_boost: Added for the share of the best file's total score that the chunk's file has.
        saturation: Factor on a file's second hit, squared on its third, and so on.
        test_factor: Factor on tests, unless the query asks for them.
        example_factor: Factor on examples and benchmarks.
        legacy_factor: Factor on what is kept for compatibility.
        generated_factor: Factor on generated code.
        vendored_factor: Factor on other people's code in the workspace.
        reexport_factor: Factor on files that mostly re-export, such as `__init__.py`.
        knows_functions: Whether a query that means one function is ranked as such: its file then counts for nothing.
        function_meaning_weight: `meaning_weight` of such a query.
        function_name_boost: `name_boost` of such a query.
    """

    num_candidates: int = 200
    name_weight: float = 4.0
    path_weight: float = 2.0
    meaning_weight: float = 0.25
    min_similarity: float = 0.15
    definition_boost: float = 1.5
    name_boost: float = 0.2
    file_name_boost: float = 0.5
    coherence_boost: float = 0.8
    saturation: float = 0.4
    test_factor: float = 0.3
    example_factor: float = 0.5
    legacy_factor: float = 0.5
    generated_factor: float = 0.3
    vendored_factor: float = 0.3
    reexport_factor: float = 0.5
    knows_functions: bool = True
    function_meaning_weight: float = 0.65
    function_name_boost: float = 0.15

    def for_functions(self) -> "RankingConfig":
        """Return the weights for a query that means one function: what else its file holds is of no account."""
        return replace(
            self,
            meaning_weight=self.function_meaning_weight,
            name_boost=self.function_name_boost,
            file_name_boost=0.0,
            coherence_boost=0.0,
            saturation=1.0,
        )
