from dataclasses import replace
from pathlib import Path

import pytest

from codet5p.lsp_server.index.config import RankingConfig
from codet5p.lsp_server.index.query import parse_query
from codet5p.lsp_server.index.ranking import rank, rank_similar
from codet5p.lsp_server.index.reader import Candidate

_PLAIN = RankingConfig(
    definition_boost=0.0, name_boost=0.0, file_name_boost=0.0, coherence_boost=0.0, saturation=1.0,
    test_factor=1.0, example_factor=1.0, legacy_factor=1.0, generated_factor=1.0, vendored_factor=1.0,
    reexport_factor=1.0,
)  # fmt: skip


def candidate(number: int, bm25: float, **changes: object) -> Candidate:
    plain = Candidate(
        number, f"f{number}", f"f{number}", "function", 0, f"{number}.py", "python", "source", Path(), bm25
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # each test names its own fields


def order(candidates: list[Candidate], query: str = "zebra", config: RankingConfig = _PLAIN) -> list[int]:
    return [hit.candidate.id for hit in rank(candidates, parse_query(query), config, 10)]


def test_without_rules_bm25_decides_and_the_best_score_is_one() -> None:
    hits = rank([candidate(1, 2.0), candidate(2, 4.0)], parse_query("zebra"), _PLAIN, 10)
    assert [(hit.candidate.id, hit.score) for hit in hits] == [(2, 1.0), (1, 0.5)]


def test_nothing_comes_of_candidates_without_a_score() -> None:
    assert rank([], parse_query("zebra"), _PLAIN, 10) == []
    assert rank([candidate(1, 0.0)], parse_query("zebra"), _PLAIN, 10) == []


def test_words_and_meaning_are_joined_by_their_shares_of_the_largest() -> None:
    candidates = [
        candidate(1, 9.0, similarity=0.2),
        candidate(2, 6.0, similarity=0.8),
        candidate(3, 0.0, similarity=0.4),
        candidate(4, 3.0),
    ]
    hits = rank(candidates, parse_query("zebra"), replace(_PLAIN, meaning_weight=0.25), 10)
    scores = {1: 0.75 + 0.25 * 0.25, 2: 0.75 * 6 / 9 + 0.25, 3: 0.25 * 0.5, 4: 3 / 9}
    assert [hit.candidate.id for hit in hits] == [1, 2, 4, 3]
    assert [hit.score for hit in hits] == pytest.approx([scores[hit.candidate.id] / scores[1] for hit in hits])


def test_code_that_is_not_embedded_yet_keeps_the_place_that_its_words_give_it() -> None:
    candidates = [candidate(1, 9.0), candidate(2, 4.0, similarity=0.8), candidate(3, 8.0, similarity=0.1)]
    assert order(candidates, config=replace(_PLAIN, meaning_weight=0.6)) == [1, 2, 3]


def test_a_query_that_means_a_function_is_not_ranked_by_files() -> None:
    same_file = [candidate(1, 5.0, path="a.py"), candidate(2, 4.9, path="a.py"), candidate(3, 4.0)]
    config = replace(_PLAIN, saturation=0.5)
    assert order(same_file, "zebra stripes", config) == [1, 3, 2]
    assert order(same_file, "returns the zebra", config) == [1, 2, 3]
    assert order(same_file, "returns the zebra", replace(config, knows_functions=False)) == [1, 3, 2]


def test_the_most_alike_code_comes_first() -> None:
    hits = rank_similar([candidate(1, 10.0, similarity=0.2), candidate(2, 5.0, similarity=0.9), candidate(3, 1.0)])
    assert [(hit.candidate.id, hit.score) for hit in hits] == [
        (2, pytest.approx(0.7)), (1, pytest.approx(0.6)), (3, pytest.approx(0.1)),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "query", "lower", "higher"),
    [
        ({"definition_boost": 1.0}, "fieldValidator", {}, {"name": "A.field_validator", "name_key": "fieldvalidator"}),
        ({"name_boost": 0.9}, "parse header", {}, {"name": "parse_header"}),
        ({"file_name_boost": 0.9}, "parse header", {}, {"path": "src/header_parsing.py"}),
        ({"file_name_boost": 0.9}, "parse header", {}, {"path": "header/__init__.py"}),
        ({"file_name_boost": 0.9}, "configuration", {}, {"path": "src/config.py"}),
        ({"test_factor": 0.3}, "zebra", {"role": "test"}, {}),
        ({"example_factor": 0.3}, "zebra", {"role": "example"}, {}),
        ({"legacy_factor": 0.3}, "zebra", {"role": "legacy"}, {}),
        ({"generated_factor": 0.3}, "zebra", {"role": "generated"}, {}),
        ({"vendored_factor": 0.3}, "zebra", {"role": "vendored"}, {}),
        ({"reexport_factor": 0.3}, "zebra", {"path": "a/__init__.py"}, {}),
    ],
)
def test_each_rule_turns_the_order_round_and_only_it(
    rule: dict[str, float], query: str, lower: dict[str, str], higher: dict[str, str]
) -> None:
    pair = [candidate(1, 5.0, **lower), candidate(2, 4.0, **higher)]
    assert order(pair, query) == [1, 2]
    assert order(pair, query, replace(_PLAIN, **rule)) == [2, 1]


def test_tests_are_not_lowered_for_one_who_asks_for_them() -> None:
    pair = [candidate(1, 5.0, role="test"), candidate(2, 4.0)]
    assert order(pair, "zebra test", replace(_PLAIN, test_factor=0.1)) == [1, 2]


def test_a_file_with_many_good_chunks_rises() -> None:
    many = [candidate(number, 4.0, path="one.py") for number in (2, 3, 4)]
    config = replace(_PLAIN, coherence_boost=1.0)
    assert order([candidate(1, 5.0), *many], config=config)[0] == 2


def test_further_hits_of_one_file_give_way_to_other_files_of_the_same_folder_only() -> None:
    same = [candidate(1, 5.0, path="a.py"), candidate(2, 4.9, path="a.py"), candidate(3, 4.0)]
    config = replace(_PLAIN, saturation=0.5)
    assert order(same, config=config) == [1, 3, 2]
    elsewhere = [same[0], replace(same[1], root=Path("/other")), same[2]]
    assert order(elsewhere, config=config) == [1, 2, 3]
