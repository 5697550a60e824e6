"""Line completion by the protocol of CodeXGLUE: PY150 and JavaCorpus.

Rows are token streams joined by blanks, cut inside a line; the answer is the rest of the line. The model reads the
stream as text in which `<EOL>` is a newline and literals have their values back: a form between the corpus and
ordinary code, since the stream has no indentation and spaces around every token.

Source: CodeXGLUE code-completion-line; literals are restored before scoring, as its evaluator does.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from codet5p.training.evaluation.model_protocol import EvaluatedModel
from codet5p.training.evaluation.prompts import file_prompt
from codet5p.training.evaluation.result import SuiteResult, mean_with_interval
from codet5p.training.evaluation.text_scores import edit_similarity, exact_match

__all__ = ["evaluate_line_completion", "line_of_prediction", "restore_literals", "stream_as_text"]

_LITERAL = re.compile(r"<(?:STR|NUM|CHAR)_LIT:(.*?)>")
_JAVA_END = re.compile(r"[;{}]")


def restore_literals(text: str) -> str:
    """Return a token stream with its normalised literals replaced: strings empty, numbers 0, common ones themselves."""
    text = text.replace("<STR_LIT>", "").replace("<CHAR_LIT>", "").replace("<NUM_LIT>", "0")
    return _LITERAL.sub(r"\1", text)


def stream_as_text(stream: str) -> str:
    """Return the text that the model reads for a token stream of the corpus.

    Args:
        stream: Tokens joined by blanks, beginning with `<s>`.

    Returns:
        Lines without indentation, without a blank at the end.
    """
    body = stream.removeprefix("<s>").strip()
    return "\n".join(line.strip() for line in restore_literals(body).split("<EOL>"))


def line_of_prediction(text: str, language: Literal["python", "java"]) -> str:
    """Return the part of a prediction that completes the line.

    Args:
        text: What the model wrote.
        language: Python lines end at a newline, Java ones also behind `;`, `{` or `}`.

    Returns:
        One line, without blanks at its ends.
    """
    line = text.split("\n", 1)[0]
    if language == "java" and (end := _JAVA_END.search(line)):
        line = line[: end.end()]
    return line.strip()


def evaluate_line_completion(
    model: EvaluatedModel,
    rows: Iterable[Mapping[str, Any]],
    *,
    language: Literal["python", "java"],
    context_tokens: int = 1024,
    max_new_tokens: int = 64,
) -> SuiteResult:
    """Return exact match and edit similarity, both from 0 to 100.

    Args:
        model: Continues greedily, decoder only.
        rows: With `input`, `gt` and `id`.
        language: Of the corpus.
        context_tokens: Longer inputs lose their beginning.
        max_new_tokens: Longest answer.

    Returns:
        The result.

    Source: CodeXGLUE; published numbers are on the test split, whose answers are not public.
    """
    rows = list(rows)
    tokenizer = model.tokenizer
    contexts = tokenizer.encode_batch([stream_as_text(str(row["input"])) for row in rows])
    written = model.continue_rows(
        [file_prompt(tokenizer, ids, context_tokens) for ids in contexts],
        max_new_tokens=max_new_tokens,
        end_ids=newline_tokens(tokenizer.token_bytes),
    )
    predictions = [line_of_prediction(tokenizer.decode(ids), language) for ids in written]
    answers = [restore_literals(str(row["gt"])).strip() for row in rows]
    pairs = list(zip(predictions, answers, strict=True))
    metrics = mean_with_interval("exact_match", [100.0 * exact_match(*pair) for pair in pairs])
    metrics |= mean_with_interval("edit_similarity", [edit_similarity(*pair) for pair in pairs])
    return SuiteResult(
        suite="line_completion_py150" if language == "python" else "line_completion_javacorpus",
        rows=len(rows),
        metrics=metrics,
        settings={"context_tokens": context_tokens, "max_new_tokens": max_new_tokens, "decoding": "greedy"},
        predictions=tuple(
            {"id": row["id"], "prediction": prediction, "answer": answer}
            for row, (prediction, answer) in zip(rows, pairs, strict=True)
        ),
    )


def newline_tokens(token_bytes: Sequence[bytes]) -> frozenset[int]:
    """Return the tokens whose first byte is a newline: all that follows them belongs to later lines."""
    return frozenset(token for token, content in enumerate(token_bytes) if content.startswith(b"\n"))
