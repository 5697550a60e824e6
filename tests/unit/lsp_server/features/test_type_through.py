import sys
import time
from threading import Thread

import pytest

from codet5p.lsp_server.features.type_through import TypeThroughCache

URI = "file:///a.py"
BEFORE, AFTER = "x = so", "\ny = 2\n"
SUGGESTION = "rted(values)"


@pytest.fixture
def cache() -> TypeThroughCache:
    cache = TypeThroughCache()
    cache.put(URI, BEFORE + AFTER, len(BEFORE), SUGGESTION, -0.5)
    return cache


def ask(cache: TypeThroughCache, before: str, after: str = AFTER, uri: str = URI) -> tuple[str, float] | None:
    return cache.get(uri, before + after, len(before))


@pytest.mark.parametrize("typed", ["", "r", "rted", "rted(values"])
def test_while_it_is_typed_the_rest_of_a_suggestion_stays(cache: TypeThroughCache, typed: str) -> None:
    assert ask(cache, BEFORE + typed) == (SUGGESTION[len(typed) :], -0.5)


def test_a_step_back_offers_the_longer_rest_again(cache: TypeThroughCache) -> None:
    assert ask(cache, BEFORE + "rt") == (SUGGESTION[2:], -0.5)
    assert ask(cache, BEFORE + "r") == (SUGGESTION[1:], -0.5)


def test_a_suggestion_typed_to_its_end_is_no_answer_any_more(cache: TypeThroughCache) -> None:
    assert ask(cache, BEFORE + SUGGESTION) is None


def test_another_letter_asks_anew(cache: TypeThroughCache) -> None:
    assert ask(cache, BEFORE + "rx") is None


@pytest.mark.parametrize(
    ("before", "after", "uri"),
    [
        ("z = so", AFTER, URI),
        (BEFORE[:-1], AFTER, URI),
        (BEFORE, "\ny = 3\n", URI),
        (BEFORE, ")" + AFTER, URI),
        (BEFORE, AFTER, "file:///b.py"),
    ],
)
def test_another_text_on_either_side_asks_anew(cache: TypeThroughCache, before: str, after: str, uri: str) -> None:
    assert ask(cache, before, after, uri) is None


def test_that_there_is_nothing_to_say_is_remembered_too(cache: TypeThroughCache) -> None:
    cache.put(URI, "q = 1" + AFTER, 5, "", 0.0)
    assert ask(cache, "q = 1") == ("", 0.0)
    assert ask(cache, "q = 12") is None


def test_the_newest_suggestion_that_fits_is_served(cache: TypeThroughCache) -> None:
    cache.put(URI, BEFORE + AFTER, len(BEFORE), "rted(others)", -0.1)
    assert ask(cache, BEFORE) == ("rted(others)", -0.1)
    assert ask(cache, BEFORE + "rted(v") == ("alues)", -0.5)


def test_only_the_latest_are_remembered(cache: TypeThroughCache) -> None:
    for number in range(64):
        cache.put(URI, f"line {number}", 5, "x", 0.0)
    assert ask(cache, BEFORE) is None
    assert cache.get(URI, "line 0", 5) == ("x", 0.0)


def test_no_document_is_kept_in_memory(cache: TypeThroughCache) -> None:
    large = "x" * 1_000_000
    cache.put(URI, large, 500_000, "y", 0.0)
    fields = [getattr(cache._entries[0], name) for name in cache._entries[0].__slots__]
    assert sum(map(sys.getsizeof, fields)) < 1000
    assert cache.get(URI, large, 500_000) == ("y", 0.0)


def test_one_thread_may_ask_while_another_tells(cache: TypeThroughCache) -> None:
    deadline = time.monotonic() + 0.3

    def tell() -> None:
        while time.monotonic() < deadline:
            cache.put(URI, "some text", 4, "x", 0.0)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        thread = Thread(target=tell)
        thread.start()
        while time.monotonic() < deadline:
            assert ask(cache, "nothing like it") is None
        thread.join()
    finally:
        sys.setswitchinterval(interval)
