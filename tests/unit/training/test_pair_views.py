from collections import Counter

import numpy as np
import pytest

from codet5p.training.pair_views import PairRecord, PairViews, viewed

RECORD = PairRecord(
    text="Parse the headers of an httpResponse into a dictionary.",
    code="def parse(lines):\n    pass",
    description="Parse the headers of an httpResponse into a dictionary.\n\nThe order is kept. " + "More. " * 80,
    language="python",
)


def views(settings: PairViews, record: PairRecord = RECORD, times: int = 200) -> list[tuple[str, str]]:
    rng = np.random.default_rng(0)
    return [viewed(record, settings, rng) for _ in range(times)]


def test_a_pair_stays_as_it_is_by_default() -> None:
    assert set(views(PairViews())) == {(RECORD.text, RECORD.code)}


def test_a_query_is_the_first_words_that_one_would_search_for() -> None:
    words = ["parse", "headers", "http", "response", "into", "dictionary"]
    queries = {text for text, _ in views(PairViews(query=1.0))}
    assert queries == {" ".join(words[:count]) for count in range(3, 7)}


def test_a_text_of_unsearched_words_alone_stays() -> None:
    record = RECORD._replace(text="This is it.")
    assert {text for text, _ in views(PairViews(query=1.0), record)} == {"This is it."}


def test_a_description_is_cut_and_stands_in_where_there_is_one() -> None:
    assert {text for text, _ in views(PairViews(description=1.0))} == {RECORD.description[:300]}
    without = RECORD._replace(description="")
    assert {text for text, _ in views(PairViews(description=1.0), without)} == {RECORD.text}


@pytest.mark.parametrize(("language", "mark"), [("python", "#"), ("ruby", "#"), ("java", "//")])
def test_documented_code_has_its_text_above_it_as_a_comment(language: str, mark: str) -> None:
    record = RECORD._replace(language=language)
    assert {code for _, code in views(PairViews(documented=1.0), record)} == {f"{mark} {record.text}\n{record.code}"}


def test_shares_are_met() -> None:
    seen = views(PairViews(query=0.25, description=0.15, documented=0.5), times=4000)
    texts = Counter("as it is" if text == RECORD.text else "changed" for text, _ in seen)
    assert texts["as it is"] / 4000 == pytest.approx(0.6, abs=0.03)
    assert sum(code != RECORD.code for _, code in seen) / 4000 == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("shares", [{"query": 0.6, "description": 0.5}, {"documented": 1.1}, {"query": -0.1}])
def test_shares_that_cannot_be_are_refused(shares: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"pairs\.views are shares between 0 and 1"):
        PairViews(**shares)
