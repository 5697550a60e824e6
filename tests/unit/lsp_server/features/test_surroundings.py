from codet5p.lsp_server.features.surroundings import line_end, line_start, surroundings_of


def test_lines_above_and_below_and_the_two_parts_of_the_cursors_own() -> None:
    text = "a\r\nb\rc\n\nd e\nf\r\n\r\ng"
    around = surroundings_of(text, text.index("e"))
    assert around.above == ("a", "b", "c", "")
    assert (around.line, around.rest) == ("d ", "e")
    assert around.below == ("f", "", "g")
    assert around.visible_above == ("a", "b", "c")
    assert around.visible_below == ("f", "g")
    assert around.is_from_start


def test_a_cursor_at_the_ends_of_a_document() -> None:
    empty = surroundings_of("", 0)
    assert (empty.above, empty.line, empty.rest, empty.below) == ((), "", "", ())
    assert surroundings_of("a\n", 2).above == ("a",)
    assert surroundings_of("a\n", 0).below == ("",)


def test_distant_text_is_left_out_in_whole_lines() -> None:
    text = "".join(f"line {number}\n" for number in range(1000))
    around = surroundings_of(text, len(text))
    assert not around.is_from_start
    assert around.above[-1] == "line 999"
    assert around.above[0].startswith("line ")
    assert 300 < len(around.above) < 500


def test_line_ends_of_every_kind_end_a_line() -> None:
    text = "a\r\nb\rc\nd"
    assert [(line_start(text, offset), line_end(text, offset)) for offset in (0, 3, 5, 7)] == [
        (0, 1),
        (3, 4),
        (5, 6),
        (7, 8),
    ]
