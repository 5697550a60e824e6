"""Overlap with evaluation data, and blocked packages."""

import gzip
import json
from pathlib import Path

import pytest

from codet5p.core.errors import DataError
from codet5p.training.corpus.contamination import (
    BlockList,
    load_block_list,
    load_evaluation_index,
    word_ngram_hashes,
)
from codet5p.training.corpus.hashing import token_hashes
from codet5p.training.corpus.text_rules import lexical_tokens

SOLUTION = (
    "def mean_absolute_deviation(numbers):\n    mean = sum(numbers) / len(numbers)\n"
    "    return sum(abs(x - mean) for x in numbers) / len(numbers)\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [
        {"id": 1, "query": "mean absolute deviation", "code": SOLUTION},
        {"input": "<s> import os <EOL> value = os . environ . get ( <STR_LIT:home> ) <EOL>", "gt": "path = value"},
        {"prompt": "def tiny():\n", "canonical_solution": "    return 1", "suffix": "\n", "task_id": "x"},
    ]
    with gzip.open(tmp_path / "set.jsonl.gz", "wt") as lines:
        lines.writelines(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "blocked-packages.txt").write_text("pypi:Attr_s\nnpm:left.pad\ngithub:Owner/Some-Repo\ndeb:jq\n")
    return tmp_path


def shared(folder: Path, text: str, length: int = 13) -> int:
    index = load_evaluation_index(folder, length)
    return int(index.shared_ngrams(token_hashes(lexical_tokens(text))).size)


def test_ngrams_ignore_case_and_punctuation() -> None:
    assert (word_ngram_hashes("a(B, c)", 2) == word_ngram_hashes("A b C", 2)).all()
    assert word_ngram_hashes("a b", 3).size == 0


def test_a_copy_with_other_layout_is_found(folder: Path) -> None:
    copy = "x = 1\n\n" + SOLUTION.replace("    ", "\t").replace(", ", ",") + "\nother(code)\n"
    assert shared(folder, copy) > 0


def test_a_part_shorter_than_the_ngram_is_not_found(folder: Path) -> None:
    assert shared(folder, "mean = sum(numbers) / len(numbers)\n") == 0
    assert shared(folder, "unrelated words that fill a line of more than thirteen words in any order at all\n") == 0


def test_line_completion_rows_are_joined_with_their_answer_and_their_literals_restored(folder: Path) -> None:
    assert shared(folder, "value = os.environ.get('home')", 4) > 0


def test_equal_code_is_found_whatever_its_white_space(folder: Path) -> None:
    index = load_evaluation_index(folder, 13)
    assert index.has_code("def tiny():\n\treturn 1\n\n")
    assert not index.has_code("def tiny():\n    return 2\n")


def test_without_a_folder_nothing_is_contaminated() -> None:
    index = load_evaluation_index(None, 13)
    assert index.shared_ngrams(token_hashes(lexical_tokens(SOLUTION))).size == 0
    assert not load_block_list(None).blocks("anything")


def test_a_folder_without_data_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="set `evaluation` in the recipe"):
        load_evaluation_index(tmp_path, 13)
    with pytest.raises(DataError, match=r"blocked-packages\.txt"):
        load_block_list(tmp_path)


@pytest.mark.parametrize(
    ("name", "repository", "blocked"),
    [
        ("attr-s", "", True),
        ("ATTR.S", "", True),
        ("python3-attr-s", "", True),
        ("node-left-pad", "", True),
        ("libjq-java", "", True),
        ("golang-github-owner-some-repo-dev", "", True),
        ("renamed", "owner/some-repo", True),
        ("attrs", "owner/other", False),
    ],
)
def test_blocked_packages_are_known_in_any_packaging(folder: Path, name: str, repository: str, blocked: bool) -> None:
    assert load_block_list(folder).blocks(name, repository) is blocked


def test_a_block_list_holds_normalised_names(folder: Path) -> None:
    expected = BlockList(packages=frozenset({"attr-s", "left-pad", "jq"}), repositories=frozenset({"owner/some-repo"}))
    assert load_block_list(folder) == expected
