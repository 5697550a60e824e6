"""Searches are compared with exhaustive enumeration here and with transformers in the integration tests."""

import itertools
from dataclasses import replace

import pytest
import torch
from tiny_models import SHALLOW_DEEP, T5, random_ids, random_model

from codet5p.model.config import CodeT5pConfig
from codet5p.model.generation import Hypothesis, SearchConfig, beam_search, greedy_search
from codet5p.model.transformer import CodeT5pModel

both_families = pytest.mark.parametrize("config", [SHALLOW_DEEP, T5], ids=["shallow-deep", "t5"])
EOS = 2


def sharpened(model: CodeT5pModel) -> CodeT5pModel:
    """Return `model` with embeddings scaled up, so that its choices are decided and differ along a sequence."""
    torch.nn.init.normal_(model.token_embedding.weight, generator=torch.Generator().manual_seed(3))
    return model


@both_families
def test_greedy_search_takes_the_most_probable_token_of_each_full_pass(config: CodeT5pConfig) -> None:
    model, source_BS, ids_BT = sharpened(random_model(config)), random_ids(2, 5), random_ids(2, 3, seed=1)
    search = SearchConfig(eos_id=-1, max_new_tokens=6)
    found = greedy_search(model, ids_BT, search, source_ids_BS=source_BS)
    for _ in range(6):
        ids_BT = torch.cat((ids_BT, model(source_BS, ids_BT)[:, -1:].argmax(dim=-1)), dim=1)
    assert found == [tuple(row) for row in ids_BT[:, 3:].tolist()]


def test_greedy_search_ends_each_row_at_its_end_token() -> None:
    model, ids_BT = sharpened(random_model(SHALLOW_DEEP)), random_ids(2, 3)
    free = greedy_search(model, ids_BT, SearchConfig(eos_id=-1, max_new_tokens=8))
    eos_id = free[0][3]
    ended = greedy_search(model, ids_BT, SearchConfig(eos_id=eos_id, max_new_tokens=8))
    for free_row, ended_row in zip(free, ended, strict=True):
        end = free_row.index(eos_id) + 1 if eos_id in free_row else 8
        assert ended_row == free_row[:end]


@both_families
@pytest.mark.parametrize("num_beams", [1, 3])
def test_a_cache_changes_nothing(config: CodeT5pConfig, num_beams: int) -> None:
    model, prefix_BT = sharpened(random_model(config)), random_ids(2, 3, seed=1)
    source = {"source_ids_BS": random_ids(2, 5), "source_mask_BS": torch.tensor([[True] * 5, [True] * 2 + [False] * 3])}
    cached = SearchConfig(eos_id=EOS, max_new_tokens=7, num_beams=num_beams)
    plain = replace(cached, use_cache=False)
    assert greedy_search(model, prefix_BT, cached, **source) == greedy_search(model, prefix_BT, plain, **source)
    with_cache, without = (beam_search(model, prefix_BT, search, **source) for search in (cached, plain))
    for row, plain_row in zip(with_cache, without, strict=True):
        assert [hypothesis.token_ids for hypothesis in row] == [hypothesis.token_ids for hypothesis in plain_row]
        assert [hypothesis.score for hypothesis in row] == pytest.approx([h.score for h in plain_row], abs=1e-5)


@both_families
def test_one_beam_is_greedy_search(config: CodeT5pConfig) -> None:
    model, prefix_BT = sharpened(random_model(config)), random_ids(3, 3, seed=1)
    search = SearchConfig(eos_id=EOS, max_new_tokens=7)
    beams = beam_search(model, prefix_BT, search, source_ids_BS=random_ids(3, 5))
    assert [row[0].token_ids for row in beams] == greedy_search(
        model, prefix_BT, search, source_ids_BS=random_ids(3, 5)
    )


def every_hypothesis(
    model: CodeT5pModel, prefix_T: torch.Tensor, config: SearchConfig, vocab_size: int
) -> list[Hypothesis]:
    """Return all sequences that end in the end token or at the limit, best first, each scored by one full pass."""
    found = []
    for length in range(1, config.max_new_tokens + 1):
        for token_ids in itertools.product(range(vocab_size), repeat=length):
            is_full = length == config.max_new_tokens
            if config.eos_id in token_ids[:-1] or not (is_full or token_ids[-1] == config.eos_id):
                continue
            ids_T = torch.cat((prefix_T, torch.tensor(token_ids)))
            log_probs_TV = model.logits(model.decode(ids_T[None, :-1]))[0, -length:].log_softmax(dim=-1)
            total = log_probs_TV.gather(1, ids_T[-length:, None]).sum().item()
            found.append(Hypothesis(token_ids=token_ids, score=total / length**config.length_penalty))
    return sorted(found, key=lambda hypothesis: -hypothesis.score)


@torch.no_grad()
@pytest.mark.parametrize("length_penalty", [0.0, 1.0, 2.5, -1.0])
def test_wide_enough_beams_equal_exhaustive_search(length_penalty: float) -> None:
    model = sharpened(random_model(replace(SHALLOW_DEEP, vocab_size=4)))
    prefix_BT = random_ids(2, 2, vocab_size=4)
    config = SearchConfig(eos_id=EOS, max_new_tokens=4, num_beams=81, length_penalty=length_penalty)
    for prefix_T, found in zip(prefix_BT, beam_search(model, prefix_BT, config), strict=True):
        expected = every_hypothesis(model, prefix_T, config, vocab_size=4)[:81]
        assert [hypothesis.score for hypothesis in found] == pytest.approx([h.score for h in expected], abs=1e-4)
        assert [hypothesis.token_ids for hypothesis in found[:9]] == [h.token_ids for h in expected[:9]]


def test_more_beams_find_nothing_worse() -> None:
    model, prefix_BT = sharpened(random_model(T5)), random_ids(4, 3, seed=1)
    best = [
        [row[0].score for row in beam_search(model, prefix_BT, replace(search, num_beams=num_beams))]
        for search in [SearchConfig(eos_id=EOS, max_new_tokens=5, length_penalty=0.0)]
        for num_beams in (1, 8)
    ]
    assert all(wide >= narrow - 1e-5 for narrow, wide in zip(*best, strict=True))


def test_rows_are_searched_independently() -> None:
    model, prefix_BT = sharpened(random_model(T5)), random_ids(3, 3, seed=1)
    config = SearchConfig(eos_id=EOS, max_new_tokens=6, num_beams=3)
    together = beam_search(model, prefix_BT, config)
    alone = [beam_search(model, prefix_T[None], config)[0] for prefix_T in prefix_BT]
    for row, single in zip(together, alone, strict=True):
        assert [hypothesis.token_ids for hypothesis in row] == [hypothesis.token_ids for hypothesis in single]


@pytest.mark.parametrize("wrong", [{"max_new_tokens": 0}, {"num_beams": 0}])
def test_an_empty_search_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="max_new_tokens and num_beams must be at least 1"):
        SearchConfig(**({"eos_id": EOS, "max_new_tokens": 3} | wrong))
