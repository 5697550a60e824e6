from dataclasses import replace
from threading import Event

import pytest
from fakes import START_TOKEN, FakeEngine

from codet5p.core.errors import EngineError
from codet5p.lsp_server.features.completion import Completer, CompletionLimits, CompletionQuery, Suggestion

URI = "file:///a.py"


def completer_on(engine: FakeEngine, **limits: float | str) -> Completer:
    bounds = CompletionLimits(**limits)  # type: ignore[arg-type]
    return Completer(engine, bounds, start_id=engine.tokenizer.token_id(START_TOKEN))


def query(text: str, uri: str = URI) -> CompletionQuery:
    """Return the query with the cursor at the mark ▮."""
    return CompletionQuery(uri=uri, text=text.replace("▮", ""), offset=text.index("▮"))


def completed(text: str, answer: str) -> str:
    suggestion = completer_on(FakeEngine(answer)).complete(query(text), Event())
    assert suggestion is not None
    return suggestion.text


@pytest.mark.parametrize(
    ("text", "answer", "expected"),
    [
        ("def f(x):\n    ret▮", "urn x\n", "urn x"),
        ("def f(x):\n    ret▮\n\ny = 1\n", "urn x\n", "urn x"),
        ("def f(x):\r\n    ret▮\r\n", "urn x\r\n", "urn x"),
        ("print(▮)", "value)\n", "value"),
        ("f(g(▮))", "1, 2))\n", "1, 2"),
        ("größe = '▮'", "😀 ja'\n", "😀 ja"),
        ("x = 𠮷▮", " + 1\n", " + 1"),
        ("▮", "import os\n", "import os"),
        ("x = foo(▮", "bar, ba", "bar,"),
        ("x = ▮", "1\n", ""),
        ("x = ▮", "\n", ""),
        ("x = ▮", "", ""),
        ("a = 1\n▮\nb = compute()\n", "b = compute()\n", ""),
        ("pass\npass\npass\npa▮", "ss\n", ""),
        ("x = ▮", "foo.bar.bar.bar.bar.bar\n", ""),
    ],
)
def test_the_rest_of_the_line_or_silence(text: str, answer: str, expected: str) -> None:
    assert completed(text, answer) == expected


def test_the_model_sees_the_text_before_the_cursor() -> None:
    engine = FakeEngine("x\n")
    completer_on(engine).complete(query("def größe(x):\n\treturn 😀▮\nlater = 1"), Event())
    assert engine.prompt_text() == "def größe(x):\n\treturn 😀"


def test_the_request_carries_the_limits_and_ends_at_line_ends_and_special_tokens() -> None:
    engine = FakeEngine("xyz\n")
    completer_on(engine, max_new_tokens=7, time_limit_seconds=0.25).complete(query("x = ▮"), Event())
    request = engine.requests[0]
    assert (request.max_new_tokens, request.time_limit_seconds) == (7, 0.25)
    tokenizer = engine.tokenizer
    ends = set(request.end_ids)
    assert tokenizer.special_ids <= ends
    assert {tokenizer.encode(text)[0] for text in ("\n", "\r", "\n\n", "\n    x")} <= ends
    assert ends.isdisjoint(tokenizer.encode("return self.value ()"))


def test_the_score_is_the_mean_log_probability() -> None:
    suggestion = completer_on(FakeEngine("values\n")).complete(query("x = ▮"), Event())
    assert suggestion == Suggestion(text="values", score=-0.5, is_cached=False)


@pytest.mark.parametrize("text", ["x = ▮", "f(▮)", "f([▮])  ", "x = '▮';", "{▮},", "a▮\r\nb", "x▮ "])
def test_a_cursor_at_the_end_of_a_line_or_before_closers_is_worth_asking(text: str) -> None:
    assert completer_on(FakeEngine()).is_worth_asking(query(text))


@pytest.mark.parametrize("text", ["x = ▮y", "f(▮, y)", "▮def f():\n", "a ▮ b\n", "\0▮", "PK\0\1" + "x" * 100 + "▮"])
def test_the_middle_of_a_line_and_binary_files_are_not(text: str) -> None:
    engine = FakeEngine()
    completer = completer_on(engine)
    assert not completer.is_worth_asking(query(text))
    assert completer.complete(query(text), Event()) == Suggestion(text="", score=0.0, is_cached=False)
    assert engine.requests == []


def test_a_document_above_the_limit_is_not_asked_about() -> None:
    engine = FakeEngine("bc\n")
    completer = completer_on(engine, max_document_characters=100)
    assert completer.complete(query("x" * 101 + "▮"), Event()) == Suggestion(text="", score=0.0, is_cached=False)
    assert engine.requests == []
    assert completer.is_worth_asking(query("x" * 100 + "▮"))


def test_two_million_characters_are_the_limit() -> None:
    assert CompletionLimits().max_document_characters == 2_000_000


def test_what_was_suggested_is_not_asked_for_again_while_it_is_typed() -> None:
    engine = FakeEngine("return x\n")
    completer = completer_on(engine)
    completer.complete(query("def f(x):\n    ▮\n"), Event())
    assert completer.complete(query("def f(x):\n    ret▮\n"), Event()) == Suggestion(
        text="urn x", score=-0.5, is_cached=True
    )
    assert completer.cached(query("def f(x):\n    retx▮\n")) is None
    assert len(engine.requests) == 1


def test_silence_is_remembered() -> None:
    engine = FakeEngine("\n")
    completer = completer_on(engine)
    for _ in range(2):
        suggestion = completer.complete(query("x = 1▮"), Event())
        assert suggestion is not None
        assert suggestion.text == ""
    assert len(engine.requests) == 1


def test_silence_for_lack_of_time_is_not_remembered() -> None:
    engine = FakeEngine("", "2 + 3\n")
    completer = completer_on(engine)
    assert completer.complete(query("x = ▮"), Event()) == Suggestion(text="", score=-0.5, is_cached=False)
    suggestion = completer.complete(query("x = ▮"), Event())
    assert suggestion is not None
    assert suggestion.text == "2 + 3"


def test_a_stopped_request_gives_nothing_and_leaves_nothing_behind() -> None:
    stop = Event()
    stop.set()
    engine = FakeEngine(None, "values\n", "values\n")
    completer = completer_on(engine)
    assert completer.complete(query("x = ▮"), stop) is None
    assert completer.complete(query("x = ▮"), stop) is None
    assert completer.cached(query("x = ▮")) is None
    assert completer.complete(query("x = ▮"), Event()) is not None


def test_a_failure_of_the_engine_is_passed_on() -> None:
    with pytest.raises(EngineError, match="broken"):
        completer_on(FakeEngine(EngineError("broken"))).complete(query("x = ▮"), Event())


def test_the_next_prompt_is_prepared_and_then_used() -> None:
    engine = FakeEngine("1, 2\n", "3, 4\n")
    completer = completer_on(engine, max_tail_tokens=8)
    completer.prepare_next(query("x = 1\ny = ▮"))
    assert engine.prepared == []
    completer.complete(query("x = 1\ny = ▮"), Event())
    following = query("x = 1\ny = 1\nz = 2\nw = ▮")
    completer.prepare_next(following)
    assert [engine.tokenizer.decode(ids) for ids in engine.prepared] == ["x = 1\ny = 1\nz = 2"]
    completer.complete(following, Event())
    assert engine.requests[-1].static_ids == engine.prepared[0]


def test_a_forgotten_document_begins_anew() -> None:
    engine = FakeEngine("1, 2\n")
    completer = completer_on(engine, max_tail_tokens=8)
    completer.complete(query("x = 1\ny = ▮"), Event())
    completer.forget(URI)
    completer.prepare_next(query("x = 1\n" + "y = 1\n" * 9 + "▮"))
    assert engine.prepared == []


@pytest.mark.parametrize(
    ("text", "in_comments", "in_strings", "expected"),
    [
        ("# why ▮\n", False, True, ""),
        ("# why ▮\n", True, False, "or x"),
        ("x = 'why ▮'\n", True, False, ""),
        ("x = 'why ▮'\n", False, True, "or x"),
        ("x = why ▮\n", False, False, "or x"),
    ],
)
def test_comments_and_strings_are_silent_while_typing_where_the_settings_say_so(
    text: str, in_comments: bool, in_strings: bool, expected: str
) -> None:
    completer = completer_on(FakeEngine("or x\n"), in_comments=in_comments, in_strings=in_strings)
    asked = replace(query(text), grammar="python", is_automatic=True)
    suggestion = completer.complete(asked, Event())
    assert suggestion is not None
    assert suggestion.text == expected


def test_who_asks_in_a_comment_is_answered_and_may_type_on() -> None:
    completer = completer_on(FakeEngine("not this\n"), in_comments=False)
    suggestion = completer.complete(replace(query("# why ▮"), grammar="python"), Event())
    assert suggestion is not None
    assert suggestion.text == "not this"
    typed_on = completer.cached(replace(query("# why not▮"), grammar="python", is_automatic=True))
    assert typed_on is not None
    assert typed_on.text == " this"


def chosen(completer: Completer, asked: CompletionQuery) -> list[str]:
    """Return the texts to choose from."""
    found = completer.candidates(asked, Event())
    assert found is not None
    return [suggestion.text for suggestion in found]


def test_candidates_differ_and_the_likeliest_is_first() -> None:
    completer = completer_on(FakeEngine("values\n", "values  \n", "other\n", "more\n"), max_candidates=4)
    assert chosen(completer, query("x = ▮")) == ["values", "other", "more"]


def test_candidates_are_at_most_so_many() -> None:
    completer = completer_on(FakeEngine("first\n", "other\n", "third\n"), max_candidates=2)
    assert chosen(completer, query("x = ▮")) == ["first", "other"]


def test_what_is_shown_already_stays_the_first_candidate() -> None:
    completer = completer_on(FakeEngine("shown\n", "other\n"))
    completer.complete(query("x = ▮"), Event())
    assert chosen(completer, query("x = ▮")) == ["shown", "other"]


def test_candidates_asked_for_again_are_remembered_and_each_can_be_typed_through() -> None:
    engine = FakeEngine("first\n", "other\n")
    completer = completer_on(engine)
    assert chosen(completer, query("x = ▮")) == chosen(completer, query("x = ▮")) == ["first", "other"]
    assert len(engine.requests) == 2
    for typed, left in (("fi", "rst"), ("oth", "er")):
        known = completer.cached(query(f"x = {typed}▮"))
        assert known is not None
        assert known.text == left


def test_candidates_that_are_stopped_are_none() -> None:
    stop = Event()
    stop.set()
    assert completer_on(FakeEngine(None)).candidates(query("x = ▮"), stop) is None


def test_in_the_middle_of_a_line_there_is_nothing_to_choose() -> None:
    assert completer_on(FakeEngine()).candidates(query("x = ▮y"), Event()) == ()


BODY = "y = x + 1\n    return y\nz"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def f(x):\n    ▮\n", ["y = x + 1\n    return y", "pass x"]),  # first in an empty body
        ("def f(x):\n    a = 1\n    ▮\n", ["pass x", "y = x + 1\n    return y"]),
        ("def f(x):\n    b = ▮\n", ["pass x"]),
    ],
)
def test_who_asks_on_an_empty_line_gets_a_block_too(text: str, expected: list[str]) -> None:
    engine = FakeEngine("pass x\n", BODY)
    engine.most_alternatives = 1
    assert chosen(completer_on(engine), replace(query(text), may_be_block=True)) == expected


def test_while_typing_a_block_comes_only_where_it_is_wanted_and_one_was_opened() -> None:
    asked = replace(query("def f(x):\n    ▮\n"), may_be_block=True, is_automatic=True)
    for blocks, answer, expected in (
        ("never", "return x\n", "return x"),
        ("onRequest", "return x\n", "return x"),
        ("auto", BODY, "y = x + 1\n    return y"),
    ):
        suggestion = completer_on(FakeEngine(answer), blocks=blocks).complete(asked, Event())
        assert suggestion is not None
        assert suggestion.text == expected
    elsewhere = replace(query("def f(x):\n    y = 1\n    ▮\n"), may_be_block=True, is_automatic=True)
    suggestion = completer_on(FakeEngine("return x\n"), blocks="auto").complete(elsewhere, Event())
    assert suggestion is not None
    assert suggestion.text == "return x"


def test_in_single_line_mode_who_asks_gets_lines_only() -> None:
    completer = completer_on(FakeEngine("return x\n"), blocks="never")
    assert chosen(completer, replace(query("def f(x):\n    ▮\n"), may_be_block=True)) == ["return x"]


def test_a_block_can_be_typed_through_line_by_line() -> None:
    completer = completer_on(FakeEngine(BODY), blocks="auto")
    completer.complete(replace(query("def f(x):\n    ▮\n"), may_be_block=True, is_automatic=True), Event())
    known = completer.cached(query("def f(x):\n    y = x + 1\n    re▮\n"))
    assert known is not None
    assert known.text == "turn y"


def test_a_block_has_its_own_limits() -> None:
    engine = FakeEngine(BODY)
    completer = completer_on(engine, blocks="auto", max_block_lines=3, max_new_tokens=10, time_limit_seconds=0.5)
    completer.complete(replace(query("def f(x):\n    ▮\n"), may_be_block=True, is_automatic=True), Event())
    (request,) = engine.requests
    assert (request.max_new_tokens, request.time_limit_seconds) == (30, 1.5)
    assert set(request.end_ids) == engine.tokenizer.special_ids


def test_below_the_threshold_typing_gets_silence_and_who_asks_the_suggestion() -> None:
    for threshold, expected in ((0.6, "values"), (0.61, "")):  # the fake engine's mean probability is exp(-0.5) = 0.607
        completer = completer_on(FakeEngine("values\n"), min_confidence=threshold)
        asked = replace(query("x = ▮"), is_automatic=True)
        for suggestion in (completer.complete(asked, Event()), completer.cached(asked)):
            assert suggestion is not None
            assert suggestion.text == expected
        explicit = completer.cached(query("x = ▮"))
        assert explicit is not None
        assert explicit.text == "values"
        assert explicit.confidence == pytest.approx(0.607, abs=0.001)
