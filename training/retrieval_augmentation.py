"""Examples for retrieval-augmented generation: the encoder finds similar code, the decoder writes with it in view.

Shape legend: Q texts, C codes, E embedding width, K retrieved codes.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from codet5p.core.special_tokens import CLS
from codet5p.training.evaluation.model_protocol import EvaluatedModel

__all__ = ["augmented_examples", "write_examples"]

_MAX_TEXT_TOKENS = 128
_MAX_CODE_TOKENS = 320
_BLOCK_ROWS = 1024


def augmented_examples(
    model: EvaluatedModel, pairs: Sequence[tuple[str, str]], pool: Sequence[str], *, count: int = 1
) -> Iterator[tuple[str, str]]:
    """Yield, for each pair, its text with the most similar codes of `pool` as source, and its code as target.

    Args:
        model: Embeds texts and codes.
        pairs: Text and code.
        pool: Codes to retrieve from. The pair's own code is never retrieved, whatever its layout.
        count: Codes to retrieve, K.

    Yields:
        Source (text, then each code behind a line of dashes), and target.

    Source: CodeT5+ section 5.6 and appendix D; the released model joins with its separator `</s>`, which our text
    form replaces by a line of dashes.
    """
    tokenizer = model.tokenizer
    opening = tokenizer.token_id(CLS)
    texts = tokenizer.encode_batch([text for text, _ in pairs])
    codes = tokenizer.encode_batch(pool)
    text_QE = model.embed_rows([[opening, *ids[: _MAX_TEXT_TOKENS - 1]] for ids in texts])
    code_CE = model.embed_rows([[opening, *ids[: _MAX_CODE_TOKENS - 1]] for ids in codes])
    same = ["".join(code.split()) for code in pool]
    for first in range(0, len(pairs), _BLOCK_ROWS):
        order_QC = np.argsort(-(text_QE[first : first + _BLOCK_ROWS] @ code_CE.T), axis=1, kind="stable")
        for (text, code), order in zip(pairs[first : first + _BLOCK_ROWS], order_QC, strict=True):
            own = "".join(code.split())
            found = [pool[place] for place in order[: count + same.count(own)] if same[place] != own][:count]
            yield "\n---\n".join([text, *found]), code


def write_examples(path: Path, examples: Iterator[tuple[str, str]]) -> int:
    """Write examples as JSON Lines with `source` and `target`.

    Args:
        path: File to write.
        examples: Source, and target.

    Returns:
        How many were written.
    """
    written = 0
    with path.open("w", encoding="utf-8") as file:
        for source, target in examples:
            file.write(json.dumps({"source": source, "target": target}, ensure_ascii=False) + "\n")
            written += 1
    return written
