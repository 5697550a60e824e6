import errno
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import ctranslate2
import pytest
from small_artifact import SMALL, SMALL_DECODER, random_weights, write_artifact

from codet5p.core import assembly
from codet5p.core.assembly import AssembledModels, assemble, assembly_bytes, default_cache
from codet5p.core.errors import ArtifactError

WEIGHTS = "weights-1-of-1.safetensors"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "models"


def states(folder: Path) -> dict[str, tuple[int, int]]:
    """Return inode and modification time of everything under `folder`."""
    return {str(path): (path.stat().st_ino, path.stat().st_mtime_ns) for path in sorted(folder.rglob("*"))}


def is_runnable(models: AssembledModels) -> bool:
    generator = ctranslate2.Generator(str(models.completion))
    results = generator.generate_batch([["d", "e"]], max_length=2, beam_size=1)
    return len(results[0].sequences_ids[0]) > 0


def test_the_assembled_model_runs(artifact: Path, cache: Path) -> None:
    models = assemble(artifact, cache)
    assert models.completion == cache / f"small-{models.manifest.revision}" / "completion"
    assert models.tokenizer_path == artifact / "tokenizer.json"
    assert is_runnable(models)


def test_nothing_but_the_models_is_left_in_the_cache(artifact: Path, cache: Path) -> None:
    models = assemble(artifact, cache)
    assert list(cache.iterdir()) == [models.completion.parent]


def test_a_second_call_writes_nothing_and_reports_no_progress(artifact: Path, cache: Path) -> None:
    first_counts: list[int] = []
    assemble(artifact, cache, first_counts.append)
    before = states(cache)
    counts: list[int] = []
    assemble(artifact, cache, counts.append)
    assert states(cache) == before
    assert counts == []
    size = sum((artifact / name).stat().st_size for name in ("tokenizer.json", WEIGHTS))
    assert size < sum(first_counts) < 2.5 * size


def test_a_file_touched_is_verified_anew(artifact: Path, cache: Path) -> None:
    assemble(artifact, cache)
    os.utime(artifact / WEIGHTS, ns=(1, 1))
    counts: list[int] = []
    assemble(artifact, cache, counts.append)
    assert sum(counts) > 0


def test_an_altered_file_of_the_same_size_is_found_behind_a_filled_cache(artifact: Path, cache: Path) -> None:
    models = assemble(artifact, cache)
    content = bytearray((artifact / WEIGHTS).read_bytes())
    content[-1] ^= 1
    (artifact / WEIGHTS).write_bytes(content)
    with pytest.raises(ArtifactError, match="does not match its checksum: altered; see codet5p doctor"):
        assemble(artifact, cache)
    assert is_runnable(models)


@pytest.mark.parametrize("is_filled", [False, True])
def test_a_missing_file_is_an_error_whether_the_cache_is_filled_or_not(
    artifact: Path, cache: Path, is_filled: bool
) -> None:
    if is_filled:
        assemble(artifact, cache)
    (artifact / WEIGHTS).unlink()
    with pytest.raises(ArtifactError, match=r"cannot read .*weights.*: No such file or directory; see codet5p doctor"):
        assemble(artifact, cache)


def test_a_failure_half_way_leaves_nothing_and_the_next_call_succeeds(
    artifact: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_half(folder: Path, *_: Any) -> None:
        (folder / "model.bin").write_bytes(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(assembly, "write_model", write_half)
        with pytest.raises(KeyboardInterrupt):
            assemble(artifact, cache)
    assert list(cache.iterdir()) == []
    assert is_runnable(assemble(artifact, cache))


def test_a_failed_renewal_keeps_what_was_there(artifact: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models = assemble(artifact, cache)
    os.utime(artifact / WEIGHTS, ns=(1, 1))

    def refuse(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(assembly, "write_model", refuse)
    with pytest.raises(ArtifactError) as caught:
        assemble(artifact, cache)
    home = models.completion.parent
    remedy = "free some space or set another folder with --cache"
    assert str(caught.value) == f"cannot write {home}: No space left on device; {remedy}"
    assert list(cache.iterdir()) == [home]
    assert is_runnable(models)


def test_a_cache_that_cannot_be_made_is_an_error_with_the_remedy(artifact: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", "utf-8")
    with pytest.raises(ArtifactError, match=r"^cannot write .*: Not a directory; free some space .* with --cache$"):
        assemble(artifact, tmp_path / "file" / "cache")


@pytest.mark.parametrize("content", ["", "[]", "{", '{"tokenizer.json": [1, 2]}'])
def test_an_unreadable_record_means_verification_anew(artifact: Path, cache: Path, content: str) -> None:
    models = assemble(artifact, cache)
    record = models.completion.parent / "assembled.json"
    good = json.loads(record.read_text("utf-8"))
    record.write_text(content, "utf-8")
    assert is_runnable(assemble(artifact, cache))
    assert json.loads(record.read_text("utf-8")) == good


@pytest.mark.parametrize("is_outdated", [False, True])
def test_several_may_assemble_at_once(artifact: Path, cache: Path, is_outdated: bool) -> None:
    if is_outdated:
        assemble(artifact, cache)
        os.utime(artifact / WEIGHTS, ns=(1, 1))
    barrier = Barrier(4)

    def assemble_together(_: int) -> AssembledModels:
        barrier.wait(10)
        return assemble(artifact, cache)

    with ThreadPoolExecutor(4) as executor:
        results = list(executor.map(assemble_together, range(4)))
    assert all(models == results[0] for models in results)
    assert is_runnable(results[0])
    assert list(cache.iterdir()) == [results[0].completion.parent]


def test_who_comes_second_keeps_the_folder_of_the_first(
    artifact: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = assembly.write_model
    inodes: list[int] = []

    def overtaken(*arguments: Any) -> None:
        monkeypatch.setattr(assembly, "write_model", write)
        first = assemble(artifact, cache)
        inodes.append(first.completion.stat().st_ino)
        write(*arguments)

    monkeypatch.setattr(assembly, "write_model", overtaken)
    models = assemble(artifact, cache)
    assert models.completion.stat().st_ino == inodes[0]


def test_artifacts_of_another_revision_lie_side_by_side(tmp_path: Path, cache: Path, artifact: Path) -> None:
    write_artifact(tmp_path / "other", SMALL_DECODER, quantization="float32")
    assert assemble(artifact, cache).completion != assemble(tmp_path / "other", cache).completion
    assert len(list(cache.iterdir())) == 2


def test_the_default_cache_is_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache().parts[-2:] == ("codet5p", "models")


@pytest.mark.parametrize(
    ("modes", "folders"),
    [
        (("complete",), {"completion"}),
        (("generate",), {"seq2seq"}),
        (("match", "generate"), {"seq2seq"}),
        (("embed",), {"encoder"}),
        (("complete", "generate", "match", "embed"), {"completion", "seq2seq", "encoder"}),
    ],
)
def test_only_the_models_of_the_offered_modes_are_assembled(
    tmp_path: Path, cache: Path, modes: Any, folders: set[str]
) -> None:
    manifest = write_artifact(tmp_path / "artifact", SMALL, modes=modes)
    models = assemble(tmp_path / "artifact", cache)
    home = cache / f"small-{manifest.revision}"
    assert {path.name for path in home.iterdir()} == {*folders, "assembled.json"}
    assert {path.name for path in (models.completion, models.sequence_to_sequence, models.encoder) if path} == folders
    for mode in ("complete", "generate", "match", "embed"):
        if mode in modes:
            assert ctranslate2.contains_model(str(models.folder(mode)))
        else:
            with pytest.raises(ArtifactError, match=f"^the artifact small offers .*, not {mode}; use one that does$"):
                models.folder(mode)


def test_a_weight_lies_in_the_artifact_once_and_in_each_model_that_computes_with_it(
    tmp_path: Path, cache: Path
) -> None:
    modes = ("complete", "generate", "match", "embed")
    write_artifact(tmp_path / "artifact", SMALL, modes=modes, quantization="float32")
    stored = (tmp_path / "artifact" / WEIGHTS).read_bytes()
    models = assemble(tmp_path / "artifact", cache)
    shared = random_weights(SMALL)["encoder.layers.1.feed_forward.gate.weight"].tobytes()
    assert stored.count(shared) == 1
    counts = [(models.folder(mode) / "model.bin").read_bytes().count(shared) for mode in ("complete", "match", "embed")]
    assert counts == [0, 1, 1]


@pytest.mark.parametrize(
    ("modes", "num_models"), [(("complete",), 1), (("generate", "match"), 1), (("match", "embed"), 2)]
)
def test_the_expected_progress_counts_the_artifact_and_each_model(
    tmp_path: Path, cache: Path, modes: Any, num_models: int
) -> None:
    manifest = write_artifact(tmp_path / "artifact", SMALL, modes=modes)
    size = sum(entry.bytes for entry in manifest.files.values())
    assert assembly_bytes(tmp_path / "artifact") == (1 + num_models) * size
    counts: list[int] = []
    assemble(tmp_path / "artifact", cache, counts.append)
    assert 0.5 * size * (1 + num_models) < sum(counts) < 1.1 * size * (1 + num_models)


def test_work_folders_of_killed_processes_are_removed_after_a_day(artifact: Path, cache: Path) -> None:
    old, new = cache / ".small-0-old", cache / ".small-0-new"
    for folder in (old, new):
        (folder / "completion").mkdir(parents=True)
    os.utime(old, (0, 0))
    assemble(artifact, cache)
    assert not old.exists()
    assert new.exists()
