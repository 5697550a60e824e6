"""What `codet5p doctor` finds out, as plain data."""

import json
import os
import platform
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any

import ctranslate2

from codet5p import __version__
from codet5p.core.artifact import load_manifest, verify_files
from codet5p.core.assembly import assemble
from codet5p.core.errors import ArtifactError, CodeT5pError
from codet5p.core.tokenizer import Tokenizer
from codet5p.lsp_server.engine.calibration import calibrated_threads

__all__ = ["diagnose"]


def diagnose(artifact: Path, cache: Path, *, calibrate: bool) -> dict[str, Any]:
    """Return everything worth knowing about this installation.

    Args:
        artifact: Folder of the artifact; every file's checksum is verified.
        cache: Folder for assembled models.
        calibrate: Whether to measure the speed anew.

    Returns:
        Findings by name; `problem` and `remedy` are None where all is well.
    """
    findings: dict[str, Any] = {
        "codet5p": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "ctranslate2": f"{version('ctranslate2')}, {', '.join(sorted(ctranslate2.get_supported_compute_types('cpu')))}",
        "artifact": str(artifact),
        "model": None,
        "cache": str(cache),
        "free disk": _free_disk(cache),
        "threads": None,
        "timings": [],
        "problem": None,
        "remedy": None,
    }
    try:
        _examine_model(findings, artifact, cache, calibrate=calibrate)
    except CodeT5pError as error:
        findings["problem"] = str(error).removesuffix("; see codet5p doctor")
        findings["remedy"] = (
            "install codet5p again, or name a good artifact with --artifact"
            if isinstance(error, ArtifactError)
            else f"delete {cache} and start again; it is made anew from the artifact"
        )
    return findings


def _examine_model(findings: dict[str, Any], artifact: Path, cache: Path, *, calibrate: bool) -> None:
    manifest = load_manifest(artifact)
    findings["model"] = (
        f"{manifest.name} {manifest.revision}, {manifest.quantization}, "
        f"{manifest.model.num_encoder_layers}+{manifest.model.num_decoder_layers} layers x {manifest.model.width}, "
        f"modes: {', '.join(manifest.modes)}"
    )
    verify_files(artifact, manifest)
    models = assemble(artifact, cache)
    completion = models.folder("complete")
    record = completion.parent / "threads.json"
    if calibrate:
        record.unlink(missing_ok=True)
    tokenizer = Tokenizer.from_file(models.tokenizer_path)
    findings["threads"] = calibrated_threads(completion, tokenizer, is_forced=calibrate)
    if record.exists():
        findings["timings"] = json.loads(record.read_text("utf-8"))["timings"]


def _free_disk(folder: Path) -> str:
    while not folder.exists():
        folder = folder.parent
    return f"{shutil.disk_usage(folder).free / 1e9:.1f} GB"
