"""Code summarization by smoothed BLEU-4, the code-to-text protocol of CodeXGLUE."""

from collections.abc import Iterable, Mapping
from typing import Any

from codet5p.core.decoder_inputs import opening_ids
from codet5p.core.special_tokens import CLS, EOS, TDEC
from codet5p.training.evaluation.model_protocol import EvaluatedModel
from codet5p.training.evaluation.result import SuiteResult, mean_with_interval
from codet5p.training.evaluation.text_scores import bleu_tokens, smoothed_bleu

__all__ = ["evaluate_summarization"]


def evaluate_summarization(
    model: EvaluatedModel, rows: Iterable[Mapping[str, Any]], *, max_source_tokens: int = 256, max_new_tokens: int = 64
) -> SuiteResult:
    """Return smoothed BLEU-4 and the share of empty descriptions, from 0 to 100.

    Args:
        model: Writes text about code: `[CLS] code` in the encoder, `[EOS] [TDec]` opens the decoder.
        rows: With `code` (no comments), `reference` and `id`.
        max_source_tokens: Width of the code.
        max_new_tokens: Longest description.

    Returns:
        The result.

    Source: CodeXGLUE code-to-text; CodeT5+ decodes with beam 5, we greedily.
    """
    rows, tokenizer = list(rows), model.tokenizer
    codes = tokenizer.encode_batch([str(row["code"]) for row in rows])
    opening = tokenizer.token_id(CLS)
    written = model.generate_rows(
        [[opening, *ids[: max_source_tokens - 1]] for ids in codes],
        [opening_ids(tokenizer, TDEC)] * len(rows),
        max_new_tokens=max_new_tokens,
        end_ids=(tokenizer.token_id(EOS),),
    )
    texts = [tokenizer.decode(ids).strip() for ids in written]
    scores = [
        smoothed_bleu(bleu_tokens(text), bleu_tokens(str(row["reference"])))
        for text, row in zip(texts, rows, strict=True)
    ]
    metrics = mean_with_interval("bleu", scores)
    metrics["empty"] = 100.0 * sum(not text for text in texts) / len(rows)
    return SuiteResult(
        suite="summarization",
        rows=len(rows),
        metrics=metrics,
        settings={"max_source_tokens": max_source_tokens, "max_new_tokens": max_new_tokens, "decoding": "greedy"},
        predictions=tuple(
            {"id": row["id"], "prediction": text, "answer": row["reference"]}
            for row, text in zip(rows, texts, strict=True)
        ),
    )
