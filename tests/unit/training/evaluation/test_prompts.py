from fakes import small_tokenizer

from codet5p.training.evaluation.next_line import choose_lines, line_prompts
from codet5p.training.evaluation.prompts import file_prompt

TOKENIZER = small_tokenizer()
EOS = TOKENIZER.token_id("[EOS]")


def test_a_file_begins_behind_the_token_that_parts_files() -> None:
    assert file_prompt(TOKENIZER, [5, 6, 7], 4) == [EOS, 5, 6, 7]


def test_what_does_not_fit_loses_its_beginning_and_that_token() -> None:
    assert file_prompt(TOKENIZER, [5, 6, 7], 3) == [5, 6, 7]
    assert file_prompt(TOKENIZER, [5, 6, 7], 2) == [6, 7]


def test_a_line_far_down_a_long_file_has_lost_its_beginning() -> None:
    text = "".join(f"value_{number} = {number}\n" for number in range(2000))
    tasks = choose_lines({"a.py": text}, count=5000)
    lost = [task for task in tasks if not task.is_whole]
    assert lost
    assert all(len(task.prefix) == 8000 for task in lost)
    assert all(task.prefix == text[: len(task.prefix)] for task in tasks if task.is_whole)


def test_the_tokens_before_a_line_are_those_of_the_file_with_the_line_in_it() -> None:
    text = "".join(f"def f{number}():\n    return {number} + 1\n" for number in range(12))
    tasks = choose_lines({"a.py": text}, count=100)
    assert {task.prefix.endswith("\n    ") for task in tasks} == {True, False}
    for task, (start, *ids) in zip(tasks, line_prompts(TOKENIZER, tasks, 10_000), strict=True):
        assert start == EOS
        assert text[len(task.prefix) :].startswith(task.line)
        assert TOKENIZER.encode(task.prefix + task.line)[: len(ids)] == ids
