from codet5p.lsp_server.index.snippet import snippet_of

_TEXT = """def send(request):
    # nothing here

    first = 1
    for attempt in range(3):
        wait_with_backoff(attempt)
    return first"""


def test_the_snippet_begins_where_the_matches_are() -> None:
    snippet = snippet_of(_TEXT, ["attempt", "backoff"], num_lines=2)
    assert (snippet.first_line, snippet.lines, snippet.best) == (
        5,
        ("    wait_with_backoff(attempt)", "return first"),
        (0,),
    )


def test_other_forms_of_a_word_match() -> None:
    assert snippet_of(_TEXT, ["attempts"], num_lines=1).first_line == 4


def test_without_a_match_the_head_is_shown_and_nothing_is_marked() -> None:
    snippet = snippet_of("\n\n" + _TEXT, ["zebra"], num_lines=2)
    assert (snippet.lines[0], snippet.best) == ("def send(request):", ())


def test_an_empty_chunk_has_an_empty_snippet() -> None:
    assert snippet_of("", ["x"]).text == ""
