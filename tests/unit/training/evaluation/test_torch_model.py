from dataclasses import replace

import numpy as np
import pytest
import torch

from codet5p.model.config import laptop
from codet5p.model.generation import SearchConfig, greedy_search
from codet5p.model.transformer import CodeT5pModel
from codet5p.training.evaluation.model_protocol import Sampling
from codet5p.training.evaluation.retrieval import RetrievalTask, evaluate_graded_retrieval, evaluate_retrieval
from codet5p.training.evaluation.torch_model import TorchModel
from codet5p.training.tokenizer_training import train_tokenizer

TOKENIZER = train_tokenizer(["x"], 257)
EOS, CLM = TOKENIZER.token_id("[EOS]"), TOKENIZER.token_id("[CLM]")


@pytest.fixture(scope="module")
def model() -> CodeT5pModel:
    torch.manual_seed(0)
    shape = laptop(vocab_size=384, num_encoder_layers=1, num_decoder_layers=2)
    small = replace(shape, width=32, num_heads=2, num_key_value_heads=1, head_dim=16, feed_forward_width=48)
    return CodeT5pModel(small).eval()


@pytest.fixture(scope="module")
def evaluated(model: CodeT5pModel) -> TorchModel:
    return TorchModel(model, TOKENIZER, batch_rows=2)


def test_continuing_is_greedy_search_behind_clm(model: CodeT5pModel, evaluated: TorchModel) -> None:
    prompts = [[5, 6, 7], [8, 9], [10, 11, 12], [13]]
    written = evaluated.continue_rows(prompts, max_new_tokens=6, end_ids=(EOS,))
    for prompt, ids in zip(prompts, written, strict=True):
        expected = greedy_search(
            model,
            torch.tensor([prompt]),
            SearchConfig(eos_id=EOS, max_new_tokens=6),
            source_ids_BS=torch.tensor([[CLM]]),
        )[0]
        assert ids == [token for token in expected if token != EOS]


def test_writing_ends_at_any_end_token_and_leaves_it_out(evaluated: TorchModel) -> None:
    free = evaluated.continue_rows([[5, 6, 7]], max_new_tokens=6, end_ids=())[0]
    ended = evaluated.continue_rows([[5, 6, 7]], max_new_tokens=6, end_ids=(free[2],))[0]
    assert ended == free[: free.index(free[2])]


def test_generating_reads_the_source(model: CodeT5pModel, evaluated: TorchModel) -> None:
    written = evaluated.generate_rows([[1, 2, 3], [4, 5]], [[EOS], [EOS]], max_new_tokens=4, end_ids=(EOS,))
    expected = greedy_search(
        model,
        torch.tensor([[EOS]]),
        SearchConfig(eos_id=EOS, max_new_tokens=4),
        source_ids_BS=torch.tensor([[1, 2, 3]]),
    )[0]
    assert written[0] == [token for token in expected if token != EOS]


def test_the_filling_of_the_embedding_is_never_written(model: CodeT5pModel, evaluated: TorchModel) -> None:
    written = evaluated.continue_rows(
        [[5]] * 8, max_new_tokens=20, end_ids=(), sampling=Sampling(temperature=5.0, top_p=1.0)
    )
    assert max(token for ids in written for token in ids) < TOKENIZER.vocab_size < model.config.vocab_size


def test_draws_repeat_with_their_seed(evaluated: TorchModel) -> None:
    drawn = [
        evaluated.continue_rows([[5]], max_new_tokens=12, end_ids=(), sampling=Sampling(temperature=2.0, seed=seed))
        for seed in (1, 1, 2)
    ]
    assert drawn[0] == drawn[1] != drawn[2]


def test_a_tiny_nucleus_is_greedy(evaluated: TorchModel) -> None:
    sampling = Sampling(temperature=1.0, top_p=1e-6)
    drawn = evaluated.continue_rows([[5, 6]], max_new_tokens=6, end_ids=(), sampling=sampling)
    assert drawn == evaluated.continue_rows([[5, 6]], max_new_tokens=6, end_ids=())


def test_scores_are_sums_of_log_probabilities(model: CodeT5pModel, evaluated: TorchModel) -> None:
    row = [5, 9, 3, 7]
    logits = model(torch.tensor([[CLM]]), torch.tensor([row[:-1]])).detach().log_softmax(-1)[0]
    expected = sum(float(logits[place, token]) for place, token in enumerate(row[1:]))
    assert evaluated.score_rows([row, [1, 2]])[0] == pytest.approx(expected, abs=1e-4)


def test_rows_do_not_depend_on_their_neighbours(evaluated: TorchModel) -> None:
    rows = [[1, 2, 3], [4, 5, 6], [7, 8]]
    together = evaluated.embed_rows(rows)
    alone = np.concatenate([evaluated.embed_rows([row]) for row in rows])
    np.testing.assert_allclose(together, alone, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)


def test_matching_is_the_head_at_the_last_token(model: CodeT5pModel, evaluated: TorchModel) -> None:
    source, target = [1, 2, 3], [9, 8, EOS]
    hidden = model.decode(torch.tensor([target]), model.encode(torch.tensor([source])))
    logits = model.match_logits(hidden[:, -1])[0].detach()
    odds = evaluated.match_rows([source, source], [target, [9, EOS]])
    assert odds[0] == pytest.approx(float(logits[1] - logits[0]), abs=1e-5)


class _Fixed:
    """Embeds texts by a table; judges candidates by their length."""

    tokenizer = TOKENIZER

    def __init__(self, table: dict[str, list[float]]) -> None:
        self._table = table

    def embed_rows(self, sources: list[list[int]]) -> np.ndarray:
        return np.array([self._table[TOKENIZER.decode(row[1:])] for row in sources], np.float32)

    def match_rows(self, _sources: list[list[int]], targets: list[list[int]]) -> np.ndarray:
        return np.array([float(len(target)) for target in targets], np.float32)


TABLE = {"q": [1.0, 0.0], "a": [0.9, 0.1], "bbb": [0.8, 0.2], "c": [0.1, 0.9]}
TASK = RetrievalTask(name="t", queries=("q",), candidates=("a", "bbb", "c"), gold=(1,))


def test_reranking_lifts_what_matching_prefers_among_the_best() -> None:
    metrics = evaluate_retrieval(_Fixed(TABLE), TASK, rerank=2).metrics  # type: ignore[arg-type]
    assert metrics["mrr"] == 50
    assert metrics["reranked_mrr"] == 100


def test_reranking_cannot_lift_what_retrieval_did_not_find() -> None:
    task = RetrievalTask(name="t", queries=("q",), candidates=("a", "bbb", "c"), gold=(2,))
    metrics = evaluate_retrieval(_Fixed(TABLE), task, rerank=2).metrics  # type: ignore[arg-type]
    assert metrics["reranked_mrr"] == pytest.approx(100 / 3)


def test_graded_retrieval_is_ndcg_over_queries_with_something_relevant() -> None:
    result = evaluate_graded_retrieval(_Fixed(TABLE), TASK, [{1: 3.0}])  # type: ignore[arg-type]
    assert result.metrics["ndcg_at_10"] == pytest.approx(100 / np.log2(3))
