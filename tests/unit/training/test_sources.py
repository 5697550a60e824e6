import gzip
import hashlib
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from codet5p.core.errors import DataError
from codet5p.training.corpus.tokens import tokenize_corpus
from codet5p.training.pair_views import PairRecord
from codet5p.training.sources import (
    TokenizerIdentity,
    open_code,
    python_pairs,
    read_examples,
    read_pairs,
    read_records,
)
from codet5p.training.tokenizer_training import train_tokenizer

TOKENIZER = train_tokenizer(["def f(x):\n    return x\n"], 260)
IDENTITY = TokenizerIdentity(tokenizer=TOKENIZER, digests=frozenset({"known"}))
EOS = TOKENIZER.token_id("[EOS]")


def write_shards(folder: Path, **changes: object) -> Path:
    folder.mkdir()
    documents = [[1, 2, 3], [4, 5]]
    np.array([token for document in documents for token in document], "<u2").tofile(folder / "python-train-000.bin")
    np.save(folder / "python-train-000.npy", np.cumsum([len(document) for document in documents]))
    index = {
        "dtype": "<u2",
        "vocab_size": TOKENIZER.vocab_size,
        "tokenizer_sha256": "known",
        "shards": {"python-train-000": {"documents": 2, "tokens": 5}},
    }
    (folder / "tokens.json").write_text(json.dumps({**index, **changes}), "utf-8")
    return folder


def test_token_shards_are_read_with_separators(tmp_path: Path) -> None:
    stream = open_code(write_shards(tmp_path / "t"), "python", "train", IDENTITY)
    assert stream.read(np.array([0]), 7)[0].tolist() == [1, 2, 3, EOS, 4, 5, EOS]


@pytest.mark.parametrize("changes", [{"vocab_size": 5}, {"tokenizer_sha256": "other"}])
def test_shards_of_another_tokenizer_are_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    with pytest.raises(DataError, match="was tokenised with another tokenizer"):
        open_code(write_shards(tmp_path / "t", **changes), None, "train", IDENTITY)


def test_a_truncated_shard_is_refused(tmp_path: Path) -> None:
    folder = write_shards(tmp_path / "t")
    shard = folder / "python-train-000.bin"
    shard.write_bytes(shard.read_bytes()[:6])
    with pytest.raises(DataError, match="is empty or truncated"):
        open_code(folder, None, "train", IDENTITY)


def test_an_empty_shard_is_refused(tmp_path: Path) -> None:
    folder = write_shards(tmp_path / "t")
    (folder / "python-train-000.bin").write_bytes(b"")
    with pytest.raises(DataError, match="cannot read the token shard"):
        open_code(folder, None, "train", IDENTITY)


def test_a_missing_split_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no shards of the split validation in java"):
        open_code(write_shards(tmp_path / "t"), "java", "validation", IDENTITY)


def test_what_the_corpus_tokenizes_is_what_training_reads(tmp_path: Path) -> None:
    import zstandard

    corpus = tmp_path / "corpus"
    (corpus / "code").mkdir(parents=True)
    texts = ["def f(x):\n    return x\n", "return x\n"]
    lines = "".join(json.dumps({"text": text}) + "\n" for text in texts)
    shard = corpus / "code" / "python-train-000.jsonl.zst"
    shard.write_bytes(zstandard.compress(lines.encode()))
    files = {"code/python-train-000.jsonl.zst": {"bytes": shard.stat().st_size, "sha256": ""}}
    (corpus / "index.json").write_text(json.dumps({"files": files}), "utf-8")
    tokenizer = tmp_path / "tokenizer.json"
    TOKENIZER.save(tokenizer)
    tokenize_corpus(corpus, tokenizer, tmp_path / "tokens", max_tokens=10**6, workers=0, advance=lambda _: None)
    digest = hashlib.sha256(tokenizer.read_bytes()).hexdigest()
    identity = TokenizerIdentity(tokenizer=TOKENIZER, digests=frozenset({digest}))
    stream = open_code(tmp_path / "tokens", "python", "train", identity)
    expected = [token for text in texts for token in [*TOKENIZER.encode(text), EOS]]
    assert stream.read(np.array([0]), len(stream))[0].tolist() == expected


def test_a_folder_of_source_files_is_tokenised(tmp_path: Path) -> None:
    (tmp_path / "b.py").write_text("return x\n", "utf-8")
    (tmp_path / "a.py").write_text("def f(x):\n", "utf-8")
    (tmp_path / "notes.txt").write_text("no code", "utf-8")
    (tmp_path / "latin.py").write_bytes(b"# \xff\n")
    stream = open_code(tmp_path, None, "train", IDENTITY)
    expected = [*TOKENIZER.encode("def f(x):\n"), EOS, *TOKENIZER.encode("return x\n"), EOS]
    assert stream.read(np.array([0]), len(stream))[0].tolist() == expected


def test_a_folder_without_code_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds neither token shards"):
        open_code(tmp_path, None, "train", IDENTITY)


def test_documented_functions_become_pairs() -> None:
    text = 'def f(x):\n    """Return x.\n\n    More.\n    """\n    return x\n\ndef g():\n    pass\n'
    assert list(python_pairs(text)) == [("Return x.", "def f(x):\n    return x")]
    assert list(python_pairs("def broken(:\n")) == []


def test_pairs_of_a_corpus_are_read_by_split_and_language(tmp_path: Path) -> None:
    (tmp_path / "pairs").mkdir()
    rows = [
        {
            "language": "python",
            "summary": "Return one.",
            "code": "def f(): return 1",
            "description": "Return one. More.",
        },
        {"language": "java", "summary": "Two.", "code": "int g() { return 2; }"},
    ]
    parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "pairs" / "train-000.parquet")
    parquet.write_table(pa.Table.from_pylist(rows[1:]), tmp_path / "pairs" / "validation-000.parquet")
    expected = PairRecord("Return one.", "def f(): return 1", "Return one. More.", "python")
    assert list(read_pairs(tmp_path, "python", "train")) == [expected]
    assert list(read_pairs(tmp_path, None, "validation")) == [
        PairRecord("Two.", "int g() { return 2; }", description="", language="java")
    ]


def test_a_pair_without_code_is_named(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text('{"text": "a", "code": "b"}\n{"text": "c"}\n', "utf-8")
    with pytest.raises(DataError, match=r"record 1 of .*pairs\.jsonl lacks text or code"):
        list(read_pairs(path, None, "train"))


def test_examples_come_in_two_forms(tmp_path: Path) -> None:
    path = tmp_path / "examples.jsonl.gz"
    records = [
        {"source": "a", "target": "b"},
        {"instruction": "Add.", "input": "1 2", "output": "3"},
        {"instruction": "Stop.", "input": "", "output": ""},
    ]
    path.write_bytes(gzip.compress("".join(json.dumps(record) + "\n" for record in records).encode()))
    plain, with_input, without = read_examples(path)
    assert plain == ("a", "b")
    assert "### Instruction:\nAdd.\n\n### Input:\n1 2\n\n### Response:\n" in with_input[0]
    assert "### Input" not in without[0]


def test_a_line_that_is_not_json_is_named_by_its_number(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"a": 1}\n{"a"\n', "utf-8")
    with pytest.raises(DataError, match=r"x\.jsonl:2 is not JSON"):
        list(read_records(path))
