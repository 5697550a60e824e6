"""The windows: what the model sees is the end of the text, in the tokens that the whole text has."""

import itertools

import pytest
from fakes import START_TOKEN, small_tokenizer
from hypothesis import example, given
from hypothesis import strategies as st

from codet5p.core.tokenizer import Tokenizer
from codet5p.lsp_server.features.prompt import Prompt, PromptWindows

TOKENIZER = small_tokenizer()
START_ID = TOKENIZER.token_id(START_TOKEN)
MAX_STATIC, MAX_TAIL = 40, 12
URI = "file:///a.py"

PIECES = st.sampled_from(
    [
        "def f():",
        "return self.value",
        "x = 12",
        "größe",
        "😀",
        "𠮷",
        "ret",
        "(",
        "  ",
        " ",
        "\t",
        "#",
        "\n",
        "\n\n",
        "\n    ",
    ]
)
CODE = st.lists(PIECES, max_size=40).map("".join)
LINE_ENDS = st.sampled_from(["\n", "\r\n", "\r"])


def windows_of(max_static: int = MAX_STATIC, max_tail: int = MAX_TAIL) -> PromptWindows:
    return PromptWindows(TOKENIZER, max_static_tokens=max_static, max_tail_tokens=max_tail, start_id=START_ID)


def content(prompt: Prompt) -> bytes:
    ids = prompt.static_ids + prompt.tail_ids
    return b"".join(TOKENIZER.token_bytes[token_id] for token_id in ids) + prompt.required_prefix


def without_trailing_blanks(text: str, line_end: str) -> str:
    *lines, last = text.split("\n")
    return line_end.join([*(line.rstrip() for line in lines), last])


@given(code=CODE, line_end=LINE_ENDS, cursors=st.lists(st.integers(0, 300), min_size=1, max_size=6))
def test_a_prompt_always_ends_as_the_text_before_the_cursor_does(code: str, line_end: str, cursors: list[int]) -> None:
    text = code.replace("\n", line_end)
    windows = windows_of()
    for cursor in cursors:
        prefix = text[:cursor]
        prompt = windows.prompt(URI, prefix)
        assert prompt.tail_ids
        assert prefix.encode().endswith(content(prompt))
        assert len(prompt.static_ids) <= MAX_STATIC
        if not content(prompt):
            assert prefix.strip() == ""


@given(code=CODE, line_end=LINE_ENDS, first=st.integers(0, 300), second=st.integers(0, 300))
def test_the_tokens_are_those_of_the_whole_text_with_the_next_word(
    code: str, line_end: str, first: int, second: int
) -> None:
    text = without_trailing_blanks(code, line_end)
    windows = windows_of(max_static=10_000)  # from the start of the file: only the seam and the cursor are cut
    windows.prompt(URI, text[:first])
    prefix = text[:second]
    prompt = windows.prompt(URI, prefix)
    ids = [token_id for token_id in prompt.static_ids + prompt.tail_ids if token_id != START_ID]
    completed = prefix + "x" if prefix[-1:].isspace() else prefix
    assert TOKENIZER.encode(completed)[: len(ids)] == ids


@example(code="def f():" * 5, edits=[(0, 0, "def f():"), (0, 0, "def f():"), (1, 0, "\n"), (57, 0, "def f():")])
@given(code=CODE, edits=st.lists(st.tuples(st.integers(0, 200), st.integers(0, 9), PIECES), max_size=8))
def test_whatever_is_edited_the_prompt_is_that_of_the_text_as_it_is(
    code: str, edits: list[tuple[int, int, str]]
) -> None:
    windows = windows_of()
    for start, length, piece in edits:
        code = code[:start] + piece + code[start + length :]
        prefix = code[: start + len(piece)]
        prompt = windows.prompt(URI, prefix)
        assert prefix.encode().endswith(content(prompt))
        fresh = windows_of().prompt(URI, prefix)
        assert prompt.required_prefix == fresh.required_prefix
        assert content(prompt) or not content(fresh)


def test_the_static_part_stays_the_same_while_the_user_types_on() -> None:
    windows = windows_of()
    before = "def f(self):\n    self.value = 1\n    return"
    static = {windows.prompt(URI, before + typed).static_ids for typed in itertools.accumulate(" self.value\n    x")}
    assert len(static) == 1
    assert TOKENIZER.decode(static.pop()) == "def f(self):\n    self.value = 1"


def test_the_static_part_moves_on_when_the_tail_has_grown_too_long() -> None:
    windows = windows_of()
    first = windows.prompt(URI, "def f(self):\n    ")
    text = "def f(self):\n" + "    x = 1\n" * 4 + "    "
    second = windows.prompt(URI, text)
    assert TOKENIZER.decode(first.static_ids) == "def f(self):"
    assert TOKENIZER.decode(second.static_ids) == text.rstrip()
    assert len(second.tail_ids) < len(first.tail_ids) + MAX_TAIL


def test_the_static_part_begins_with_a_whole_line_and_is_as_long_as_it_may_be() -> None:
    lines = [f"value_{number} = self\n" for number in range(50)]
    prompt = windows_of().prompt(URI, "".join(lines) + "ret")
    kept = TOKENIZER.decode(prompt.static_ids)
    assert (kept + "\n") in {"".join(lines[start:]) for start in range(50)}
    assert MAX_STATIC / 2 < len(prompt.static_ids) <= MAX_STATIC


@given(code=CODE, cursor=st.integers(0, 300))
def test_the_start_token_stands_before_the_first_of_the_file_and_nowhere_else(code: str, cursor: int) -> None:
    prefix = code[:cursor]
    prompt = windows_of().prompt(URI, prefix)
    ids = prompt.static_ids + prompt.tail_ids
    reaches_the_start = content(prompt) == prefix.encode() if content(prompt) else True
    if reaches_the_start:
        assert ids[0] == START_ID
    assert START_ID not in ids[1:]


def test_a_window_that_begins_later_in_the_file_has_no_start_token() -> None:
    prompt = windows_of().prompt(URI, "value = self\n" * 50)
    assert len(prompt.static_ids) > MAX_STATIC / 2
    assert START_ID not in prompt.static_ids + prompt.tail_ids


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_begins_a_window(line_end: str) -> None:
    text = line_end.join(f"value_{number} = self" for number in range(50)) + line_end
    prompt = windows_of().prompt(URI, text)
    assert len(prompt.static_ids) > MAX_STATIC / 2
    assert TOKENIZER.decode(prompt.static_ids).startswith("value_")


def test_a_change_in_the_static_part_lays_a_new_window() -> None:
    windows = windows_of()
    windows.prompt(URI, "a = 1\nb = 2\nc")
    prompt = windows.prompt(URI, "a = 7\nb = 2\nc")
    assert TOKENIZER.decode(prompt.static_ids) == "a = 7\nb = 2"


def test_a_cursor_back_in_the_static_part_lays_a_new_window() -> None:
    windows = windows_of()
    text = "x = 1\ndef f():\n    return self"
    windows.prompt(URI, text + "\n    x")
    prompt = windows.prompt(URI, text)
    assert TOKENIZER.decode(prompt.static_ids) == "x = 1\ndef f():"
    assert prompt.required_prefix == b" self"


def test_a_line_joined_to_the_static_part_is_not_cut_in_the_middle() -> None:
    windows = windows_of()
    windows.prompt(URI, "x = 1\nret\n")
    prompt = windows.prompt(URI, "x = 1\nreturn self\n    ")
    start, *ids = prompt.static_ids + prompt.tail_ids
    assert start == START_ID
    assert TOKENIZER.encode("x = 1\nreturn self\n    x")[: len(ids)] == ids


def test_text_before_an_endless_line_does_not_hide_a_cursor_elsewhere() -> None:
    windows = windows_of()
    endless = "x = 1\n" + "y" * 2000 + "\n"
    windows.prompt(URI, endless + "z")
    assert content(windows.prompt(URI, "x = 1\nret")) == b"x = 1\nret"


@pytest.mark.parametrize(
    ("prefix", "required"),
    [
        ("ret", b"t"),
        ("x = ", b" "),
        ("x =", b" ="),
        ("x  ", b" "),
        ("\n    ", b" "),
        ("x\n", b""),
        ("x\t", b""),
        ("x\n\t\t", b""),
        ("", b""),
        (" ", b" "),
    ],
)
def test_what_is_left_to_the_first_token(prefix: str, required: bytes) -> None:
    assert windows_of().prompt(URI, prefix).required_prefix == required


@pytest.mark.parametrize("prefix", ["", " ", "r"])
def test_an_empty_file_is_asked_about_with_the_start_token(prefix: str) -> None:
    prompt = windows_of().prompt(URI, prefix)
    assert prompt == Prompt(static_ids=(), tail_ids=(START_ID,), required_prefix=prefix.encode())


@pytest.mark.parametrize("character", ["x", "€", "a "])
@pytest.mark.parametrize("before", ["", "first = 1\n"])
def test_an_endless_line_is_bounded(character: str, before: str) -> None:
    prefix = before + character * (1_000_000 // len(character))
    prompt = windows_of().prompt(URI, prefix)
    assert len(prompt.static_ids) <= MAX_STATIC
    assert len(prompt.tail_ids) <= MAX_STATIC
    tail = b"".join(TOKENIZER.token_bytes[token_id] for token_id in prompt.tail_ids) + prompt.required_prefix
    assert prefix.encode()[-1000:].endswith(tail)


def test_the_next_window_is_offered_once_the_tail_is_half_full() -> None:
    windows = windows_of()
    assert windows.next_static(URI, "x = 1\n") is None
    windows.prompt(URI, "x = 1\n")
    assert windows.next_static(URI, "x = 1\ny") is None
    text = "x = 1\n" + "y = 2\n" * 2
    offered = windows.next_static(URI, text)
    assert offered is not None
    assert TOKENIZER.decode(offered) == text.rstrip()
    assert windows.prompt(URI, text + "z").static_ids == offered
    assert windows.next_static(URI, text + "z") is None


def test_documents_have_windows_of_their_own_until_they_are_forgotten() -> None:
    windows = windows_of()
    windows.prompt("a", "x = 1\ny")
    windows.prompt("b", "other = 1\ny")
    assert TOKENIZER.decode(windows.prompt("a", "x = 1\nyz").static_ids) == "x = 1"
    windows.forget("a")
    windows.forget("never seen")
    assert windows.next_static("a", "x = 1\n" + "y = 2\n" * 9) is None


def test_only_the_latest_documents_are_remembered(tokenizer: Tokenizer) -> None:
    windows = windows_of()
    for number in range(40):
        windows.prompt(str(number), "x = 1\ny")
    assert len(windows._windows) == 32
    assert "39" in windows._windows
    assert "0" not in windows._windows
