"""A corpus from local folders, repositories, archives and data sets, from manifest to report."""

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from rich.console import Console
from tokenizers import Tokenizer as BpeTokenizer
from tokenizers import models, pre_tokenizers
from typer.testing import CliRunner

from codet5p.cli.corpus import app
from codet5p.core.errors import DataError
from codet5p.core.tokenizer import Tokenizer
from codet5p.training.corpus import build as build_module
from codet5p.training.corpus.build import build_corpus
from codet5p.training.corpus.config import CorpusConfig, StorageConfig, load_recipe
from codet5p.training.corpus.manifest import SourceEntry, write_manifest
from codet5p.training.corpus.progress import BuildProgress
from codet5p.training.corpus.sources.receipt import cache_folder, store_receipt
from codet5p.training.corpus.storage import read_index, read_pairs, read_shard
from codet5p.training.corpus.tokens import TokenShard, tokenize_corpus
from codet5p.training.corpus.vocabulary import count_tokens
from codet5p.training.tokenizer_training import train_tokenizer

QUIET = BuildProgress(Console(quiet=True))
SOLUTION = """\
def mean_absolute_deviation(numbers):
    mean = sum(numbers) / len(numbers)
    return sum(abs(number - mean) for number in numbers) / len(numbers)
"""


def python_module(seed: int) -> str:
    """Return a module with three documented functions whose words depend on `seed`."""
    return "\n\n".join(
        f"def compute_{seed}_{number}(value_{seed}, factor_{number}):\n"
        f'    """Return the value number {seed} times factor {number}."""\n'
        f"    product_{seed} = value_{seed} * factor_{number} + offset_{seed}\n"
        f"    total_{seed} = product_{seed} - other_{seed}_{number}(product_{seed})\n"
        f"    return round(total_{seed})\n"
        for number in range(3)
    )


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """Make sources of every local kind, evaluation data and a recipe."""
    project = tmp_path / "project"
    (project / "tests").mkdir(parents=True)
    for number in range(4):
        (project / f"module{number}.py").write_text(python_module(number))
    (project / "z_copy.py").write_text(python_module(0).replace("\n", "\n\n"))
    (project / "tests" / "test_it.py").write_text(python_module(50))
    (project / "leak.py").write_text(SOLUTION + python_module(60))
    (project / "huge.py").write_bytes(b"x" * 100_000_000)
    (project / "loop").symlink_to(project)
    (project / "latin.py").write_bytes(python_module(70).encode() + "# é".encode("latin-1"))
    _make_repository(tmp_path / "checkout", tmp_path / "bare.git")
    _make_dataset(tmp_path / "dataset")
    evaluation = tmp_path / "eval"
    evaluation.mkdir()
    with gzip.open(evaluation / "dev.jsonl.gz", "wt") as lines:
        lines.write(json.dumps({"code": SOLUTION}) + "\n")
    (evaluation / "blocked-packages.txt").write_text("pypi:forbidden\ngithub:bad/repo\n")
    commit = subprocess.run(
        ["git", "-C", str(tmp_path / "bare.git"), "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()
    python = {"languages": ("python",), "licence": "MIT", "version": ""}
    entries: list[dict[str, Any]] = [
        {"kind": "folder", "name": "project", "location": str(project), **python},
        {"kind": "folder", "name": "forbidden", "location": str(project), **python},
        {"kind": "folder", "name": "copyleft", "location": str(project), **python, "licence": "GPL-3.0"},
        {"kind": "folder", "name": "missing", "location": str(tmp_path / "none"), **python},
        {"kind": "git", "name": "me/repo", "location": str(tmp_path / "bare.git"), **python, "version": commit},
        {"kind": "dataset", "name": "code", "location": str(tmp_path / "dataset"), **python},
    ]
    write_manifest(tmp_path / "m.tsv", [SourceEntry(**entry) for entry in entries])
    (tmp_path / "r.toml").write_text('manifest = "m.tsv"\ncache = "cache"\nevaluation = "eval"\nworkers = 0\n')
    return tmp_path


def _make_repository(checkout: Path, bare: Path) -> None:
    checkout.mkdir()
    (checkout / "inside.py").write_text(python_module(100))
    identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
    for command in (["init", "-q"], ["add", "."], [*identity, "commit", "-qm", "x"]):
        subprocess.run(["git", *command], cwd=checkout, check=True)
    subprocess.run(["git", "clone", "-q", "--bare", str(checkout), str(bare)], check=True)


def _make_dataset(folder: Path) -> None:
    folder.mkdir()
    rows = [
        {"code": python_module(200), "repo_name": "good/one", "path": "a.py", "license": "mit"},
        {"code": python_module(210), "repo_name": "good/two", "path": "b.py", "license": "gpl-3.0"},
        {"code": python_module(220), "repo_name": "bad/repo", "path": "c.py", "license": "mit"},
    ]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def config_of(world: Path) -> CorpusConfig:
    return load_recipe(world / "r.toml")


def packages_of(out: Path) -> dict[str, dict[str, Any]]:
    return {package["name"]: package for package in json.loads((out / "packages.json").read_text())}


def texts_of(out: Path) -> list[str]:
    return [record["text"] for path in sorted((out / "code").iterdir()) for record in read_shard(path)]


def test_a_build_keeps_what_it_should_and_says_why_it_left_out_the_rest(world: Path) -> None:
    figures = build_corpus(config_of(world), world / "out", QUIET)["python"]
    packages = packages_of(world / "out")
    assert packages["forbidden"]["failure"] == "blocked package"
    assert packages["copyleft"]["failure"] == "licence not on the allow-list: GPL-3.0"
    assert "is no folder" in packages["missing"]["failure"]
    assert packages["project"]["failure"] == packages["me/repo"]["failure"] == ""
    for reason in ("exact duplicate", "evaluation overlap", "test", "too large", "not text", "licence"):
        assert figures["drops"][reason] == 1, reason
    assert figures["drops"]["blocked repository"] == 1
    texts = texts_of(world / "out")
    assert sorted(texts) == sorted(
        [*(python_module(number) for number in range(4)), python_module(100), python_module(200)]
    )
    assert figures["pairs"] == 3 * len(texts)
    pairs = [pair for split in ("train", "validation") for pair in read_pairs(world / "out", split)]
    assert {pair["summary"] for pair in pairs} >= {"Return the value number 100 times factor 2."}
    assert not any('"""' in pair["code"] for pair in pairs)
    provenance = pq.read_table(world / "out" / "provenance.parquet").to_pylist()
    assert {row["package"] for row in provenance} == {"folder:project", "git:me/repo", "dataset:good/one"}
    assert sum(row["pairs"] for row in provenance) == len(pairs)


def test_the_same_manifest_and_seed_give_the_same_bytes_in_one_process_or_more(world: Path) -> None:
    for name, workers in (("first", 0), ("second", 1)):
        build_corpus(replace(config_of(world), workers=workers), world / name, QUIET)
    assert read_index(world / "first")["sha256"] == read_index(world / "second")["sha256"]


def test_a_build_that_was_killed_goes_on_where_it_was(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config, out = config_of(world), world / "out"
    expected = build_corpus(config, world / "whole", QUIET)

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(build_module, "select_documents", killed)
        with pytest.raises(KeyboardInterrupt):
            build_corpus(config, out, QUIET)
    assert not (out / "index.json").exists()
    with pytest.raises(DataError, match="holds no corpus"):
        read_index(out)
    outcomes = {path: path.stat().st_mtime_ns for path in (out / ".work").rglob("outcome.json")}
    killed_one = next(path for path in outcomes if "project" in path.parts)
    killed_one.unlink()
    assert build_corpus(config, out, QUIET) == expected
    assert {path for path in outcomes if path.stat().st_mtime_ns != outcomes[path]} == {killed_one}
    assert read_index(out)["sha256"] == read_index(world / "whole")["sha256"]


def test_corrupt_and_altered_downloads_are_named_and_the_build_continues(world: Path) -> None:
    config = config_of(world)
    entries = [
        SourceEntry(kind="pypi", name=name, version="1", languages=("python",), licence="MIT", sha256=sha256)
        for name, sha256 in (("broken", ""), ("altered", "0" * 64))
    ]
    for entry in entries:
        partial = world / f"partial-{entry.name}"
        partial.mkdir()
        wheel = partial / f"{entry.name}-1-py3-none-any.whl"
        wheel.write_bytes(b"no wheel at all")
        store_receipt(partial, cache_folder(config.cache, entry), "1", [wheel])
    with (world / "m.tsv").open("a") as manifest:
        manifest.writelines(f"pypi\t{e.name}\t1\tpython\tMIT\t{e.sha256}\t\t\n" for e in entries)
    build_corpus(config, world / "out", QUIET)
    packages = packages_of(world / "out")
    assert "is corrupt" in packages["broken"]["failure"]
    assert "pinned is 000000000000" in packages["altered"]["failure"]
    assert packages["project"]["documents"] == 6


def test_a_full_disk_is_one_line_with_the_remedy(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(build_module, "write_corpus", full)
    with pytest.raises(DataError, match="is full; make room and run the same command again"):
        build_corpus(config_of(world), world / "out", QUIET)


def test_a_manifest_without_a_usable_source_is_an_error(world: Path) -> None:
    write_manifest(
        world / "m.tsv",
        [SourceEntry(kind="folder", name="a", version="", languages=("c",), licence="MIT", location="none")],
    )
    with pytest.raises(DataError, match="no package could be used"):
        build_corpus(config_of(world), world / "out", QUIET)


@pytest.fixture
def byte_tokenizer(tmp_path: Path) -> Path:
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = BpeTokenizer(models.BPE(vocab={token: i for i, token in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    path = tmp_path / "tokenizer.json"
    path.write_text(tokenizer.to_str())
    return path


def test_the_commands_build_tokenise_and_report(world: Path, byte_tokenizer: Path) -> None:
    out, runner = world / "out", CliRunner()
    built = runner.invoke(app, ["build", "--config", str(world / "r.toml"), "--out", str(out), "--json"])
    assert built.exit_code == 0, built.output
    figures = json.loads(built.stdout)
    tokenised = runner.invoke(app, ["tokenize", str(out), "-t", str(byte_tokenizer), "--shard-tokens", "1000"])
    assert tokenised.exit_code == 0, tokenised.output
    shards = [s for split in ("train", "validation") for s in TokenShard.open_all(out / "tokens", "python", split)]
    tokenizer = Tokenizer.from_file(byte_tokenizer)
    decoded = [tokenizer.decode(shard[number]) for shard in shards for number in range(len(shard))]
    assert sorted(decoded) == sorted(texts_of(out))
    assert shards[0].tokens.dtype == "uint16"
    reported = runner.invoke(app, ["report", str(out), "--out", str(world / "docs")])
    assert reported.exit_code == 0, reported.output
    content = json.loads((world / "docs" / "report.json").read_text())
    row = content["languages"]["python"]
    assert (row["mb"], row["pairs"]) == (figures["python"]["mb"], figures["python"]["pairs"])
    assert row["tokens"] == sum(len(text.encode()) for text in decoded)
    assert row["tokens_per_byte"] == 1.0
    page = (world / "docs" / "report.html").read_text()
    assert page.count("<svg") == 3
    assert "blocked package" in page
    assert "| python |" in (world / "docs" / "report.md").read_text()


def test_one_process_or_more_write_the_same_tokens_also_where_the_builders_libraries_are_missing(
    world: Path, byte_tokenizer: Path
) -> None:
    out = world / "out"
    build_corpus(config_of(world), out, QUIET)
    without = (
        "import sys; sys.modules.update(dict.fromkeys(['detect_secrets', 'matplotlib', 'torch'])); "
        "from codet5p.__main__ import main; main()"
    )
    for name, workers in (("alone", "0"), ("together", "2")):
        arguments = ["corpus", "tokenize", str(out), "-t", str(byte_tokenizer), "-o", str(world / name)]
        command = [sys.executable, "-c", without, *arguments, "--workers", workers, "--shard-tokens", "1000"]
        finished = subprocess.run(command, capture_output=True, text=True, check=False)
        assert finished.returncode == 0, finished.stderr
    alone, together = (
        {path.name: path.read_bytes() for path in (world / name).iterdir()} for name in ("alone", "together")
    )
    assert alone == together
    assert "tokens.json" in alone


def test_an_unfinished_tokenisation_does_not_pass_for_one(world: Path, byte_tokenizer: Path) -> None:
    out = world / "out"
    build_corpus(config_of(world), out, QUIET)
    sizes = {"max_tokens": 10**6, "workers": 0}
    tokenize_corpus(out, byte_tokenizer, world / "tokens", advance=lambda _: None, **sizes)

    def killed(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tokenize_corpus(out, byte_tokenizer, world / "tokens", advance=killed, **sizes)
    with pytest.raises(DataError, match="holds no tokenised corpus; run codet5p corpus tokenize"):
        TokenShard.open_all(world / "tokens", "python", "train")


def test_a_vocabulary_is_trimmed_to_what_the_corpus_uses(world: Path) -> None:
    out, smaller = world / "out", world / "smaller.json"
    build_corpus(replace(config_of(world), storage=StorageConfig(validation_share=0.3)), out, QUIET)
    full = train_tokenizer([python_module(number) for number in range(4)] + ["words unheard of in prose"] * 9, 700)
    full.save(world / "full.json")
    command = ["vocabulary", str(out), "-t", str(world / "full.json"), "-o", str(smaller), "--size", "400"]
    trimmed = CliRunner().invoke(app, [*command, "--workers", "0"])
    assert trimmed.exit_code == 0, trimmed.output
    tokenizer = Tokenizer.from_file(smaller)
    assert tokenizer.vocab_size == 400 < full.vocab_size
    assert "Ġunheard" in full.tokens
    assert "Ġunheard" not in tokenizer.tokens
    for text in texts_of(out):
        assert tokenizer.decode(tokenizer.encode(text)) == text
    assert re.search(
        r"^python +0\.\d{4} tokens a byte, now 0\.\d{4} \([+-]\d+\.\d\d %\)$", trimmed.stdout, re.MULTILINE
    )


def test_a_share_of_the_documents_may_stand_for_all(world: Path, byte_tokenizer: Path) -> None:
    build_corpus(config_of(world), world / "out", QUIET)
    half, whole = (
        count_tokens(world / "out", byte_tokenizer, "train", share=share, workers=0, advance=lambda *_: None)
        for share in (0.5, 1.0)
    )
    assert whole["python"].text_bytes == whole["python"].counts.sum() == sum(map(len, texts_of(world / "out")))
    assert 0 < half["python"].text_bytes < whole["python"].text_bytes
    assert 0 < half["text"].text_bytes < whole["text"].text_bytes


def test_a_carried_corpus_is_checked_before_use(world: Path) -> None:
    build_corpus(config_of(world), world / "out", QUIET)
    carried = world / "carried"
    shutil.copytree(world / "out", carried, ignore=shutil.ignore_patterns(".work"))
    read_index(carried)
    shard = next((carried / "code").iterdir())
    shard.write_bytes(shard.read_bytes()[:-20])
    with pytest.raises(DataError, match="is missing or incomplete"):
        read_index(carried)
    with pytest.raises(DataError, match="cannot read"):
        list(read_shard(shard))


def test_pinning_writes_hashes_into_the_manifest(world: Path) -> None:
    result = CliRunner().invoke(app, ["pin", "--config", str(world / "r.toml")])
    assert result.exit_code == 0, result.output
    lines = (world / "m.tsv").read_text().splitlines()
    repository = next(line.split("\t") for line in lines if line.startswith("git\t"))
    assert len(repository[5]) == 64
    assert os.fspath(world / "bare.git") == repository[7]


def test_a_build_that_is_killed_outright_leaves_no_process_behind_and_goes_on(world: Path) -> None:
    out = world / "out"
    command = [sys.executable, "-m", "codet5p", "corpus", "build", "--config", str(world / "r.toml")]
    command += ["--out", str(out), "--set", "workers=1"]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        while not list((out / ".work").rglob("outcome.json")):
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
        # Ends when the last process that could write to it is gone.
        assert process.stderr is not None
        process.stderr.read()
    assert not (out / "index.json").exists()
    finished = {path: path.stat().st_mtime_ns for path in (out / ".work").rglob("outcome.json")}
    build_corpus(config_of(world), out, QUIET)
    assert all(path.stat().st_mtime_ns == written for path, written in finished.items())
    build_corpus(config_of(world), world / "whole", QUIET)
    assert read_index(out)["sha256"] == read_index(world / "whole")["sha256"]
