"""Text-to-code retrieval: CoSQA, MBXP, or any queries with one right candidate each; optionally reranked by matching.

Shape legend: Q queries, C candidates, E embedding width.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from codet5p.core.decoder_inputs import judged_ids
from codet5p.core.special_tokens import CLS
from codet5p.core.tokenizer import Tokenizer
from codet5p.training.evaluation.model_protocol import EvaluatedModel
from codet5p.training.evaluation.ranking import ndcg, ranks_of_gold, recall_at, reciprocal_ranks
from codet5p.training.evaluation.result import SuiteResult, mean_with_interval

__all__ = ["RetrievalTask", "evaluate_graded_retrieval", "evaluate_retrieval"]


@dataclass(frozen=True, kw_only=True, slots=True)
class RetrievalTask:
    """Queries over one pool of candidates.

    Attributes:
        name: Of the task.
        queries: Texts.
        candidates: Codes.
        gold: Number of the right candidate of each query.
    """

    name: str
    queries: tuple[str, ...]
    candidates: tuple[str, ...]
    gold: tuple[int, ...]


def evaluate_retrieval(
    model: EvaluatedModel,
    task: RetrievalTask,
    *,
    max_text_tokens: int = 64,
    max_code_tokens: int = 360,
    rerank: int = 0,
) -> SuiteResult:
    """Return MRR and recall at 1, 5 and 10, from 0 to 100.

    Args:
        model: Embeds; with `rerank` it also matches.
        task: Queries and pool.
        max_text_tokens: Width of a query, `[CLS]` included.
        max_code_tokens: Width of a candidate.
        rerank: How many of the best candidates are ranked anew by matching log-odds plus cosine; 0 for none.

    Returns:
        The result, with MRR before and after reranking where there is some.

    Source: CodeT5+ section 5 and the released evaluation scripts: lengths, and score = match logit + cosine over the
    top 32.
    """
    tokenizer = model.tokenizer
    queries = _encoder_inputs(tokenizer, task.queries, max_text_tokens)
    candidates = _encoder_inputs(tokenizer, task.candidates, max_code_tokens)
    scores_QC = model.embed_rows(queries) @ model.embed_rows(candidates).T
    gold_Q = np.asarray(task.gold, np.int64)
    metrics = _metrics("", ranks_of_gold(scores_QC, gold_Q))
    if rerank:
        reranked_QC = _reranked(model, scores_QC, (queries, candidates), rerank)
        metrics |= _metrics("reranked_", ranks_of_gold(reranked_QC, gold_Q))
    return SuiteResult(
        suite=task.name,
        rows=len(task.queries),
        metrics=metrics,
        settings={
            "candidates": len(task.candidates),
            "max_text_tokens": max_text_tokens,
            "max_code_tokens": max_code_tokens,
            "rerank": rerank,
        },
    )


def _metrics(prefix: str, ranks_Q: NDArray[np.int64]) -> dict[str, float]:
    reciprocal = [float(value) for value in 100.0 * reciprocal_ranks(ranks_Q)]
    recalls = {f"{prefix}recall_at_{k}": 100.0 * recall_at(ranks_Q, k) for k in (1, 5, 10)}
    return mean_with_interval(f"{prefix}mrr", reciprocal) | recalls


def _encoder_inputs(tokenizer: Tokenizer, texts: Sequence[str], max_tokens: int) -> list[list[int]]:
    opening = tokenizer.token_id(CLS)
    return [[opening, *ids[: max_tokens - 1]] for ids in tokenizer.encode_batch(texts)]


def _reranked(
    model: EvaluatedModel,
    scores_QC: NDArray[np.float32],
    inputs: tuple[list[list[int]], list[list[int]]],
    count: int,
) -> NDArray[np.float64]:
    """Return the scores with the best `count` candidates of each query above all others, in the order of the judge."""
    queries, candidates = inputs
    best_QK = np.argsort(-scores_QC, axis=1, kind="stable")[:, :count]
    rows_QK = np.repeat(np.arange(len(queries)), best_QK.shape[1])
    targets = [judged_ids(model.tokenizer, candidates[candidate][1:]) for candidate in best_QK.ravel()]
    odds = model.match_rows([queries[row] for row in rows_QK], targets)
    reranked_QC = scores_QC.astype(np.float64) - 1e6  # keeps the order among those that were not judged
    reranked_QC[rows_QK, best_QK.ravel()] = odds + scores_QC[rows_QK, best_QK.ravel()]
    return reranked_QC


def evaluate_graded_retrieval(
    model: EvaluatedModel,
    task: RetrievalTask,
    grades: Sequence[Mapping[int, float]],
    *,
    k: int = 10,
    max_text_tokens: int = 64,
    max_code_tokens: int = 360,
) -> SuiteResult:
    """Return NDCG at `k`, from 0 to 100, over queries that have something relevant.

    Args:
        model: Embeds.
        task: Its gold numbers are not used.
        grades: For each query, the grade (0 to 3) of the candidates that have one.
        k: Depth.
        max_text_tokens: Width of a query, `[CLS]` included.
        max_code_tokens: Width of a candidate.

    Returns:
        The result.
    """
    queries = _encoder_inputs(model.tokenizer, task.queries, max_text_tokens)
    candidates = _encoder_inputs(model.tokenizer, task.candidates, max_code_tokens)
    scores_QC = model.embed_rows(queries) @ model.embed_rows(candidates).T
    gains = [
        100.0 * ndcg([graded.get(int(candidate), 0.0) for candidate in np.argsort(-scores, kind="stable")], k)
        for scores, graded in zip(scores_QC, grades, strict=True)
        if any(graded.values())
    ]
    return SuiteResult(
        suite=task.name,
        rows=len(gains),
        metrics=mean_with_interval(f"ndcg_at_{k}", gains),
        settings={"candidates": len(task.candidates), "k": k},
    )
