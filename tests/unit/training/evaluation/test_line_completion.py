from collections.abc import Sequence

from codet5p.core.tokenizer import Tokenizer
from codet5p.training.evaluation.infilling import line_of_completion
from codet5p.training.evaluation.line_completion import (
    evaluate_line_completion,
    line_of_prediction,
    newline_tokens,
    restore_literals,
    stream_as_text,
)
from codet5p.training.evaluation.next_line import choose_lines
from codet5p.training.tokenizer_training import train_tokenizer

TOKENIZER = train_tokenizer(["x"], 257)


class _Echo:
    """Answers each prompt with a fixed text."""

    def __init__(self, text: str) -> None:
        self.tokenizer: Tokenizer = TOKENIZER
        self.prompts: list[str] = []
        self._text = text

    def continue_rows(self, prompts: Sequence[Sequence[int]], **_limits: object) -> list[list[int]]:
        self.prompts = [self.tokenizer.decode(prompt) for prompt in prompts]
        return [self.tokenizer.encode(self._text) for _ in prompts]


def test_literals_are_restored() -> None:
    assert (
        restore_literals('"<STR_LIT:utf-8>" "<STR_LIT>" <NUM_LIT> <NUM_LIT:10> \'<CHAR_LIT:a>\'')
        == '"utf-8" "" 0 10 \'a\''
    )


def test_the_stream_becomes_lines() -> None:
    assert stream_as_text("<s> import os <EOL> x = <NUM_LIT:1> <EOL> y =") == "import os\nx = 1\ny ="


def test_a_java_line_ends_behind_its_closing_character() -> None:
    assert line_of_prediction(" foo ( ) ; bar ( ) ;", "java") == "foo ( ) ;"
    assert line_of_prediction(" foo ( ) ; bar\nbaz", "python") == "foo ( ) ; bar"


def test_rows_are_scored_by_tokens_and_characters() -> None:
    rows = [
        {"id": 0, "input": "<s> a = b <EOL> c =", "gt": "d + <NUM_LIT>"},
        {"id": 1, "input": "<s> a =", "gt": "zz"},
    ]
    model = _Echo(" d + 0\nnext line")
    result = evaluate_line_completion(model, rows, language="python")  # type: ignore[arg-type]
    assert model.prompts == ["a = b\nc =", "a ="]
    assert result.metrics["exact_match"] == 50
    assert result.metrics["edit_similarity"] == 50
    assert result.predictions[0]["prediction"] == "d + 0"


def test_newline_tokens_are_those_that_begin_with_one() -> None:
    assert newline_tokens([b"a", b"\n", b"\n  ", b" \n"]) == {1, 2}


def test_an_infilled_line_ends_at_its_newline() -> None:
    assert line_of_completion("\n    return x\n    more") == "\n    return x\n"
    assert line_of_completion("    return x") == "    return x"


def test_lines_are_chosen_by_the_protocol() -> None:
    text = (
        "".join(f"value_{number} = {number}\n" for number in range(12))
        + "# a comment line\nx = 1\nresult = compute()\n"
    )
    tasks = choose_lines({"a.py": text}, count=10)
    assert [task.line for task in tasks] == ["result = compute()"]
    assert tasks[0].prefix.endswith("x = 1\n")
    assert tasks[0].name == "a.py:15"
