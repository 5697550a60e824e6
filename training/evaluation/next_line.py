"""The next line in real files, as an editor asks for it.

Source: our protocol. Lines are not blank, not comments, at least 8 characters long and have at least 12 lines before
them; the prefix is the file up to the line's first visible character, where an editor puts the cursor, and the
prediction's first non-blank line is scored.

A prefix that ended at the line end would ask for what no model has seen: byte-level BPE joins a line end with the
indentation behind it, so a lone line end in the prompt says that the next line is not indented.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from codet5p.core.special_tokens import EOS
from codet5p.core.tokenizer import Tokenizer
from codet5p.training.evaluation.line_completion import newline_tokens
from codet5p.training.evaluation.model_protocol import EvaluatedModel
from codet5p.training.evaluation.prompts import file_prompt
from codet5p.training.evaluation.result import SuiteResult, mean_with_interval
from codet5p.training.evaluation.text_scores import edit_similarity

__all__ = ["LineTask", "choose_lines", "evaluate_next_line", "first_line", "line_prompts"]

_COMMENT_MARKS = ("#", "//", "/*", "*", "--", '"""', "'''")
_CONTEXT_CHARACTERS = 8000


@dataclass(frozen=True, kw_only=True, slots=True)
class LineTask:
    """One line to predict.

    Attributes:
        prefix: The file up to and including the line's indentation.
        line: The line, stripped.
        name: File and line number.
        is_whole: Whether the prefix begins where the file does; a long one has lost its beginning.
    """

    prefix: str
    line: str
    name: str
    is_whole: bool = True


def choose_lines(files: Mapping[str, str], *, count: int, seed: int = 0) -> list[LineTask]:
    """Return lines to predict, chosen at random.

    Args:
        files: Text by name.
        count: Most lines.
        seed: Of the choice.

    Returns:
        The tasks, in order of files and lines.
    """
    tasks = []
    for name, text in sorted(files.items()):
        lines = text.splitlines(keepends=True)
        for number in range(12, len(lines)):
            stripped = lines[number].strip()
            if len(stripped) >= 8 and not stripped.startswith(_COMMENT_MARKS):
                indentation = lines[number][: len(lines[number]) - len(lines[number].lstrip())]
                before = "".join(lines[:number]) + indentation
                prefix = before[-_CONTEXT_CHARACTERS:]
                place = f"{name}:{number + 1}"
                tasks.append(LineTask(prefix=prefix, line=stripped, name=place, is_whole=prefix == before))
    chosen = np.random.default_rng(seed).permutation(len(tasks))[:count].tolist()
    return [tasks[place] for place in sorted(chosen)]


def evaluate_next_line(
    model: EvaluatedModel, tasks: Sequence[LineTask], *, context_tokens: int = 1024, max_new_tokens: int = 48
) -> SuiteResult:
    """Return exact match, edit similarity and the share of empty answers, all from 0 to 100.

    Args:
        model: Continues greedily, decoder only.
        tasks: From `choose_lines`.
        context_tokens: Longer prefixes lose their beginning.
        max_new_tokens: Longest answer.

    Returns:
        The result.
    """
    tokenizer = model.tokenizer
    predictions = _first_lines(model, line_prompts(tokenizer, tasks, context_tokens), max_new_tokens)
    pairs = [(prediction, task.line) for prediction, task in zip(predictions, tasks, strict=True)]
    metrics = mean_with_interval("exact_match", [100.0 * (prediction == line) for prediction, line in pairs])
    metrics |= mean_with_interval("edit_similarity", [edit_similarity(*pair) for pair in pairs])
    metrics["empty"] = 100.0 * sum(not prediction for prediction in predictions) / len(tasks)
    return SuiteResult(
        suite="next_line",
        rows=len(tasks),
        metrics=metrics,
        settings={"context_tokens": context_tokens, "max_new_tokens": max_new_tokens, "decoding": "greedy"},
        predictions=tuple(
            {"id": task.name, "prediction": prediction, "answer": task.line}
            for task, prediction in zip(tasks, predictions, strict=True)
        ),
    )


def line_prompts(tokenizer: Tokenizer, tasks: Sequence[LineTask], context_tokens: int) -> list[list[int]]:
    """Return the prompt before each cursor, in the tokens that the whole file has there.

    Args:
        tokenizer: Byte-level BPE.
        tasks: Their prefixes end with indentation, or with a line end.
        context_tokens: Longest prompt.

    Returns:
        The tokens of the prefix followed by a word, without that word; a last blank belongs to it. Where the prefix
        begins as its file does, so does the prompt.
    """
    spaced = [task.prefix.endswith(" ") for task in tasks]
    texts = [
        task.prefix[:-1] if is_spaced else task.prefix + "x" for task, is_spaced in zip(tasks, spaced, strict=True)
    ]
    prompts = []
    for task, is_spaced, ids in zip(tasks, spaced, tokenizer.encode_batch(texts), strict=True):
        before = ids if is_spaced else ids[:-1]
        prompts.append(file_prompt(tokenizer, before, context_tokens) if task.is_whole else before[-context_tokens:])
    return prompts


def _first_lines(model: EvaluatedModel, prompts: Sequence[Sequence[int]], max_new_tokens: int) -> list[str]:
    """Return the first line that is not blank behind each prompt."""
    tokenizer = model.tokenizer
    end = tokenizer.token_id(EOS)
    newlines = newline_tokens(tokenizer.token_bytes)
    written = model.continue_rows(prompts, max_new_tokens=max_new_tokens, end_ids={end, *newlines})
    lines = [first_line(tokenizer.decode(ids)) for ids in written]
    # Only what begins with blank lines is written to its full length, which takes several times as long.
    blank = [row for row, line in enumerate(lines) if not line]
    again = model.continue_rows([prompts[row] for row in blank], max_new_tokens=max_new_tokens, end_ids={end})
    for row, ids in zip(blank, again, strict=True):
        lines[row] = first_line(tokenizer.decode(ids))
    return lines


def first_line(text: str) -> str:
    """Return the first line of `text` that is not blank, stripped; empty if there is none."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")
