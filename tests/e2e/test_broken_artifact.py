"""A broken artifact: one error that names the remedy, a server that stays up and says so, and silence elsewhere."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from e2e.installation import StartEditor
from lsprotocol import types

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

RELEASED = Path(__file__).resolve().parents[2] / "artifacts" / "laptop"
WEIGHTS = "weights-3-of-3.safetensors"


def rewrite(path: Path, content: bytes) -> None:
    """Replace a hard link by a file of its own, so that the artifact of the repository stays as it is."""
    path.unlink()
    path.write_bytes(content)


def truncate(artifact: Path) -> None:
    rewrite(artifact / WEIGHTS, (artifact / WEIGHTS).read_bytes()[:-1])


def flip_one_bit(artifact: Path) -> None:
    content = bytearray((artifact / WEIGHTS).read_bytes())
    content[-1000] ^= 1
    rewrite(artifact / WEIGHTS, bytes(content))


def remove_manifest(artifact: Path) -> None:
    (artifact / "manifest.json").unlink()


def break_manifest(artifact: Path) -> None:
    rewrite(artifact / "manifest.json", b'{"format": 1, "name": ')


def unusable_tokenizer(artifact: Path) -> None:
    """Replace the tokenizer and its checksum: what a faulty export would leave behind."""
    manifest = json.loads((artifact / "manifest.json").read_text("utf-8"))
    manifest["files"]["tokenizer.json"] = {"bytes": 2, "sha256": hashlib.sha256(b"{}").hexdigest()}
    rewrite(artifact / "tokenizer.json", b"{}")
    rewrite(artifact / "manifest.json", json.dumps(manifest).encode())


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (truncate, "truncated"),
        (flip_one_bit, "altered"),
        (remove_manifest, "manifest.json is missing"),
        (break_manifest, "manifest.json cannot be used"),
        (unusable_tokenizer, "tokenizer"),
    ],
)
async def test_a_broken_artifact_is_reported_once_and_the_server_stays_up(
    start_editor: StartEditor, tmp_path: Path, damage: Callable[[Path], None], reason: str
) -> None:
    artifact = tmp_path / "artifact"
    shutil.copytree(RELEASED, artifact, copy_function=link_or_copy)
    damage(artifact)
    editor = await start_editor("--artifact", artifact, "--cache", tmp_path / "cache")
    status = await editor.settled()
    assert status["state"] == "error"
    assert reason in status["error"]
    assert "codet5p doctor" in status["error"]

    buffer = editor.open("def add(a, b):\n    return ")
    assert await editor.inline(buffer) is None
    assert len((await editor.complete(buffer)).items) == 0
    assert (await editor.status())["state"] == "error"
    assert [message.type for message in editor.messages] == [types.MessageType.Error]
    assert editor.messages[0].message == f"codet5p: {status['error']}"
    assert "\n" not in editor.messages[0].message


async def test_progress_ends_when_loading_fails(start_editor: StartEditor, tmp_path: Path) -> None:
    capabilities = types.ClientCapabilities(window=types.WindowClientCapabilities(work_done_progress=True))
    editor = await start_editor("--artifact", tmp_path / "nowhere", capabilities=capabilities)
    assert (await editor.settled())["state"] == "error"
    await editor.status()
    assert [value.kind if hasattr(value, "kind") else value["kind"] for value in editor.progress] == ["begin", "end"]
    assert "ready" not in str(editor.progress[-1])


async def test_a_cache_that_cannot_be_written_is_reported(start_editor: StartEditor, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    editor = await start_editor("--cache", tmp_path / "file" / "models")
    status = await editor.settled()
    assert status["state"] == "error"
    assert "cannot write" in status["error"]


def link_or_copy(source: str, destination: str) -> None:
    try:
        os.link(source, destination)
    except OSError:
        shutil.copy2(source, destination)
