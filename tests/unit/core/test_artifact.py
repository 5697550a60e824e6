import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from codet5p.core.artifact import (
    FileEntry,
    Manifest,
    file_entry,
    load_manifest,
    read_tensors,
    released_artifact,
    verify_files,
)
from codet5p.core.errors import ArtifactError

WEIGHTS = "weights-1-of-1.safetensors"


def rewrite_manifest(artifact: Path, **changes: Any) -> None:
    path = artifact / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), "utf-8")


def test_a_saved_manifest_reads_back_the_same(artifact: Path, tmp_path: Path) -> None:
    manifest = load_manifest(artifact)
    (tmp_path / "again").mkdir()
    manifest.save(tmp_path / "again")
    assert load_manifest(tmp_path / "again") == manifest
    assert manifest.files.keys() == {"tokenizer.json", WEIGHTS}


def test_a_missing_artifact_is_one_line_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError) as caught:
        load_manifest(tmp_path / "nowhere")
    assert str(caught.value) == f"no artifact at {tmp_path / 'nowhere'}: manifest.json is missing; see codet5p doctor"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"format": 2}, "artifact format 2 is not supported, only 1; update codet5p"),
        ({"format": "1"}, "format must be of type int, got '1'"),
        ({"colour": "red"}, "unknown key colour"),
        ({"modes": ["complete", "fly"]}, "modes[1] must be one of 'complete', 'generate', 'match', 'embed', got 'fly'"),
        ({"quantization": "int4"}, "quantization must be one of 'int8', 'float32', got 'int4'"),
        ({"model": {"width": 3}}, "missing key model."),
        ({"files": {"a": {"bytes": "many", "sha256": ""}}}, "files.a.bytes must be of type int, got 'many'"),
    ],
)
def test_a_malformed_manifest_is_one_line_with_the_remedy(artifact: Path, changes: dict[str, Any], reason: str) -> None:
    rewrite_manifest(artifact, **changes)
    with pytest.raises(ArtifactError) as caught:
        load_manifest(artifact)
    assert str(caught.value).startswith(f"{artifact / 'manifest.json'} cannot be used: {reason}")
    assert str(caught.value).endswith("; see codet5p doctor")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"7", b"[{}]", b"\xff\xff"])
def test_a_manifest_that_is_no_json_object_is_refused(artifact: Path, content: bytes) -> None:
    (artifact / "manifest.json").write_bytes(content)
    with pytest.raises(ArtifactError, match=r"manifest\.json cannot be used: .*; see codet5p doctor$"):
        load_manifest(artifact)


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a/b", "..", ""])
def test_a_file_outside_the_folder_is_refused(artifact: Path, name: str) -> None:
    rewrite_manifest(artifact, files={name: {"bytes": 1, "sha256": "00"}})
    with pytest.raises(ArtifactError) as caught:
        load_manifest(artifact)
    assert f"file name {name!r} leaves the artifact's folder" in str(caught.value)


def test_an_entry_holds_size_and_digest(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abc" * 1_000_000)
    counts: list[int] = []
    entry = file_entry(path, counts.append)
    assert entry == FileEntry(bytes=3_000_000, sha256=hashlib.sha256(b"abc" * 1_000_000).hexdigest())
    assert sum(counts) == 3_000_000
    assert len(counts) > 1


def test_a_whole_artifact_passes_and_progress_covers_all_bytes(artifact: Path) -> None:
    manifest = load_manifest(artifact)
    counts: list[int] = []
    verify_files(artifact, manifest, counts.append)
    assert sum(counts) == sum(entry.bytes for entry in manifest.files.values())


def damage(artifact: Path, how: str) -> str:
    """Damage the weights and return what the message must say."""
    path = artifact / WEIGHTS
    content = path.read_bytes()
    if how == "missing":
        path.unlink()
        return f"cannot read {path}: No such file or directory"
    if how == "truncated":
        path.write_bytes(content[:-1])
        return f"{path} has {len(content) - 1} bytes, not {len(content)}: truncated"
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    return f"{path} does not match its checksum: altered"


@pytest.mark.parametrize("how", ["missing", "truncated", "altered"])
def test_a_damaged_file_is_one_line_with_its_name_and_the_remedy(artifact: Path, how: str) -> None:
    message = damage(artifact, how)
    with pytest.raises(ArtifactError) as caught:
        verify_files(artifact, load_manifest(artifact))
    assert str(caught.value) == f"{message}; see codet5p doctor"


def test_tensors_of_several_files_are_one_mapping(artifact: Path) -> None:
    save_file({"further": np.arange(3, dtype=np.float32)}, artifact / "weights-2.safetensors")
    rewrite_manifest(
        artifact, files={WEIGHTS: {"bytes": 1, "sha256": ""}, "weights-2.safetensors": {"bytes": 1, "sha256": ""}}
    )
    tensors = read_tensors(artifact, load_manifest(artifact))
    np.testing.assert_array_equal(tensors["further"], [0, 1, 2])
    assert tensors["token_embedding.weight"].dtype == np.int8
    assert tensors["token_embedding.weight_scale"].dtype == np.float32
    assert "further" in tensors
    assert "nothing" not in tensors
    assert len(tensors) == len(set(tensors))


def test_a_weight_that_is_not_there_is_named(artifact: Path) -> None:
    tensors = read_tensors(artifact, load_manifest(artifact))
    with pytest.raises(ArtifactError, match=r"^the artifact has no weight lost; see codet5p doctor$"):
        tensors["lost"]


def test_unreadable_weights_are_an_error_with_the_remedy(artifact: Path) -> None:
    (artifact / WEIGHTS).write_bytes(b"no tensors")
    with pytest.raises(ArtifactError, match=r"^cannot read the weights in .*; see codet5p doctor$"):
        read_tensors(artifact, load_manifest(artifact))


def test_the_released_artifact_is_whole_and_every_file_passes_where_large_files_do_not() -> None:
    manifest: Manifest = load_manifest(released_artifact())
    verify_files(released_artifact(), manifest)
    assert "complete" in manifest.modes
    assert max(entry.bytes for entry in manifest.files.values()) <= 50_000_000
