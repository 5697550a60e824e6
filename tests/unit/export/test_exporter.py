import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open
from small_artifact import SMALL, SMALL_DECODER, random_weights, write_artifact, write_checkpoint

from codet5p.core.artifact import load_manifest, read_tensors, verify_files
from codet5p.core.errors import CheckpointError
from codet5p.export import exporter
from codet5p.export.exporter import ExportOptions, export_artifact
from codet5p.export.quantization import dequantize, quantize_rows


def stored_names(artifact: Path) -> list[str]:
    names: list[str] = []
    for path in sorted(artifact.glob("*.safetensors")):
        with safe_open(path, framework="numpy") as file:
            names += list(file.keys())
    return names


def test_the_manifest_describes_what_lies_there(tmp_path: Path) -> None:
    options = {"licence": "MIT", "provenance": ("one", "two"), "metrics": {"exact_match": 0.5}}
    manifest = write_artifact(tmp_path / "artifact", SMALL, **options)
    assert load_manifest(tmp_path / "artifact") == manifest
    verify_files(tmp_path / "artifact", manifest)
    assert (manifest.name, manifest.modes, manifest.quantization) == ("small", ("complete",), "int8")
    assert (manifest.licence, manifest.provenance, manifest.metrics) == ("MIT", ("one", "two"), {"exact_match": 0.5})
    assert manifest.model == SMALL
    on_disk = {path.name for path in (tmp_path / "artifact").iterdir()}
    assert on_disk == {*manifest.files, "manifest.json"}


def test_matrices_are_int8_with_scales_and_vectors_float32(tmp_path: Path) -> None:
    manifest = write_artifact(tmp_path / "artifact")
    tensors = read_tensors(tmp_path / "artifact", manifest)
    weights = random_weights(SMALL_DECODER)
    name = "decoder.layers.0.feed_forward.gate.weight"
    stored, scale = quantize_rows(weights[name])
    np.testing.assert_array_equal(tensors[name], stored)
    np.testing.assert_array_equal(tensors[name + "_scale"], scale)
    assert np.abs(dequantize(tensors[name], tensors[name + "_scale"]) - weights[name]).max() < 0.01
    np.testing.assert_array_equal(tensors["decoder.final_norm.weight"], weights["decoder.final_norm.weight"])


def test_float32_weights_are_stored_as_they_are(tmp_path: Path) -> None:
    manifest = write_artifact(tmp_path / "artifact", quantization="float32")
    tensors = read_tensors(tmp_path / "artifact", manifest)
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(tensor, random_weights(SMALL_DECODER)[name])


def test_every_weight_is_stored_once_and_a_tied_head_not_at_all(tmp_path: Path) -> None:
    write_artifact(tmp_path / "artifact", SMALL, modes=("complete", "generate", "match", "embed"), max_file_bytes=9_000)
    counts = Counter(stored_names(tmp_path / "artifact"))
    assert set(counts.values()) == {1}
    assert set(random_weights(SMALL)) < set(counts)
    assert "lm_head.weight" not in counts


def test_an_untied_head_is_stored(tmp_path: Path) -> None:
    write_artifact(tmp_path / "artifact", replace(SMALL_DECODER, tie_head=False))
    assert "lm_head.weight" in stored_names(tmp_path / "artifact")


@pytest.mark.parametrize(
    ("modes", "wanted", "unwanted"),
    [
        (
            ("complete",),
            {"decoder.layers.0.folded_cross_attention", "decoder.layers.1.self_attention.key.weight"},
            {"encoder.final_norm.weight", "decoder.layers.0.cross_attention.key.weight", "matching_head.weight"},
        ),
        (
            ("generate",),
            {"encoder.final_norm.weight", "decoder.layers.0.cross_attention.key.weight"},
            {"decoder.layers.0.folded_cross_attention", "matching_head.weight", "text_code_projection.weight"},
        ),
        (
            ("embed",),
            {"encoder.final_norm.weight", "text_code_projection.weight", "token_embedding.weight"},
            {"decoder.final_norm.weight", "decoder.layers.0.cross_attention.key.weight", "matching_head.weight"},
        ),
        (
            ("match",),
            {"encoder.final_norm.weight", "decoder.layers.0.cross_attention.key.weight", "matching_head.weight"},
            {"decoder.layers.0.folded_cross_attention", "text_code_projection.weight"},
        ),
    ],
)
def test_weights_that_no_mode_needs_are_left_out(
    tmp_path: Path, modes: Any, wanted: set[str], unwanted: set[str]
) -> None:
    write_artifact(tmp_path / "artifact", SMALL, modes=modes)
    names = set(stored_names(tmp_path / "artifact"))
    assert wanted <= names
    assert names.isdisjoint(unwanted)


def test_no_file_exceeds_the_limit_and_a_matrix_stays_with_its_scales(tmp_path: Path) -> None:
    limit = 15_000  # the embedding alone takes 12.5 kB
    write_artifact(tmp_path / "artifact", max_file_bytes=limit)
    files = sorted((tmp_path / "artifact").glob("weights-*.safetensors"))
    assert len(files) > 2
    assert files[0].name == f"weights-1-of-{len(files)}.safetensors"
    for path in files:
        assert path.stat().st_size <= limit
        with safe_open(path, framework="numpy") as file:
            names = set(file.keys())
        assert {name + "_scale" for name in names if f"{name}_scale" in stored_names(path.parent)} <= names


def test_equal_exports_have_equal_revisions(tmp_path: Path) -> None:
    first = write_artifact(tmp_path / "first")
    second = write_artifact(tmp_path / "second", provenance=("said differently",))
    assert first.revision == second.revision
    assert first.files == second.files
    assert len(first.revision) == 12


@pytest.mark.parametrize(
    ("config", "options"),
    [
        (SMALL_DECODER, {"quantization": "float32"}),
        (replace(SMALL_DECODER, rope_base=5e5), {}),  # the same weights, another arithmetic
    ],
)
def test_another_model_has_another_revision(tmp_path: Path, config: Any, options: dict[str, Any]) -> None:
    assert write_artifact(tmp_path / "a").revision != write_artifact(tmp_path / "b", config, **options).revision


def test_other_modes_of_the_same_weights_have_another_revision(tmp_path: Path) -> None:
    matching = write_artifact(tmp_path / "a", SMALL, modes=("match",))
    both = write_artifact(tmp_path / "b", SMALL, modes=("generate", "match"))
    assert matching.files == both.files
    assert matching.revision != both.revision


@pytest.mark.parametrize(
    ("changes", "mode", "reason"),
    [
        ({"position": "relative_bias"}, "complete", "needs rotary positions, and this checkpoint has a relative bias"),
        ({"num_decoder_layers": 0}, "complete", "needs a decoder, and this checkpoint has none"),
        ({"num_encoder_layers": 0}, "embed", "needs an encoder, and this checkpoint has none"),
        ({"num_encoder_layers": 0}, "generate", "needs an encoder and a decoder, and this checkpoint has but one"),
        ({"num_decoder_layers": 0}, "match", "needs an encoder and a decoder, and this checkpoint has but one"),
    ],
)
def test_a_mode_that_the_model_cannot_have_is_refused(
    tmp_path: Path, changes: dict[str, Any], mode: Any, reason: str
) -> None:
    config = replace(SMALL, cross_attention_layers=(), **changes)
    with pytest.raises(CheckpointError, match=f"^the mode {mode} {reason}"):
        write_artifact(tmp_path / "artifact", config, modes=(mode,))
    assert not (tmp_path / "artifact").exists()


def test_an_artifact_is_replaced_whole_and_its_card_kept(tmp_path: Path) -> None:
    artifact = tmp_path / "artifact"
    write_artifact(artifact, max_file_bytes=15_000)
    (artifact / "README.md").write_text("# Card", "utf-8")
    manifest = write_artifact(artifact)
    assert {path.name for path in artifact.iterdir()} == {*manifest.files, "manifest.json", "README.md"}
    assert "README.md" not in manifest.files
    assert (artifact / "README.md").read_text("utf-8") == "# Card"


def test_a_failed_export_leaves_the_old_artifact(artifact: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = load_manifest(artifact)

    def refuse(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exporter, "save_file", refuse)
    with pytest.raises(OSError, match="No space left"):
        write_artifact(artifact)
    assert load_manifest(artifact) == before
    verify_files(artifact, before)
    assert not list(artifact.parent.glob(".artifact-*"))


def test_others_may_read_what_was_written(artifact: Path) -> None:
    assert artifact.stat().st_mode & 0o777 == 0o755
    assert {path.stat().st_mode & 0o444 for path in artifact.iterdir()} == {0o444}


def test_progress_counts_every_weight(tmp_path: Path) -> None:
    counts: list[int] = []
    checkpoint = write_checkpoint(tmp_path / "checkpoint", SMALL)
    export_artifact(checkpoint, tmp_path / "artifact", ExportOptions(name="small", modes=("generate",)), counts.append)
    skipped = ("text_code_projection", "matching_head")
    expected = [weight.size for name, weight in random_weights(SMALL).items() if not name.startswith(skipped)]
    assert sorted(counts) == sorted(expected)


def test_a_weight_that_completion_needs_and_is_missing_is_named(tmp_path: Path) -> None:
    weights = random_weights(SMALL)
    del weights["encoder.final_norm.weight"]
    checkpoint = write_checkpoint(tmp_path / "checkpoint", SMALL, weights)
    with pytest.raises(CheckpointError, match=r"^the checkpoint has no weight encoder\.final_norm\.weight$"):
        export_artifact(checkpoint, tmp_path / "artifact", ExportOptions(name="small"))
    assert not (tmp_path / "artifact").exists()


def test_a_checkpoint_without_a_tokenizer_is_refused(tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path / "checkpoint")
    (checkpoint / "tokenizer.json").unlink()
    with pytest.raises(CheckpointError, match=r"cannot read the tokenizer .*: No such file or directory"):
        export_artifact(checkpoint, tmp_path / "artifact", ExportOptions(name="small"))


def test_a_tokenizer_without_our_special_tokens_is_refused(tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path / "checkpoint")
    description = json.loads((checkpoint / "tokenizer.json").read_text("utf-8"))
    description["added_tokens"] = description["added_tokens"][:1]
    (checkpoint / "tokenizer.json").write_text(json.dumps(description), "utf-8")
    with pytest.raises(CheckpointError, match=r"the vocabulary has no token '\[CLM\]'"):
        export_artifact(checkpoint, tmp_path / "artifact", ExportOptions(name="small"))
