"""Fetching and filtering side by side."""

import json
import time
from pathlib import Path

import pytest
from rich.console import Console

from codet5p.training.corpus.config import CorpusConfig
from codet5p.training.corpus.filtering import document_folder, evaluation_hash, fetch_and_filter
from codet5p.training.corpus.manifest import SourceEntry
from codet5p.training.corpus.progress import BuildProgress
from codet5p.training.corpus.sources.fetch import Fetcher
from codet5p.training.corpus.sources.receipt import FetchError, Receipt

PROGRESS = BuildProgress(Console(quiet=True))


@pytest.fixture
def config(tmp_path: Path) -> CorpusConfig:
    return CorpusConfig(manifest=tmp_path / "m.tsv", cache=tmp_path / "cache", workers=0)


def folder_entry(folder: Path) -> SourceEntry:
    folder.mkdir()
    (folder / "module.py").write_text("value = 1\n" * 30)
    return SourceEntry(
        kind="folder", name=folder.name, version="", languages=("python",), licence="MIT", location=str(folder)
    )


def groups_of(*entries: SourceEntry) -> dict[tuple[str, str, str, str], list[SourceEntry]]:
    return {entry.archive: [entry] for entry in entries}


def test_an_archive_is_filtered_while_the_next_is_on_its_way(
    config: CorpusConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = folder_entry(tmp_path / "first"), folder_entry(tmp_path / "second")
    filtered = document_folder(tmp_path / "work", first) / "outcome.json"

    def fetch(_: Fetcher, entry: SourceEntry) -> Receipt | None:
        deadline = time.monotonic() + 60
        while entry == second and not filtered.exists():
            if time.monotonic() > deadline:
                raise FetchError("the first archive was left waiting")
            time.sleep(0.01)
        return None

    monkeypatch.setattr(Fetcher, "fetch", fetch)
    outcomes = fetch_and_filter(groups_of(first, second), config, tmp_path / "work", PROGRESS)
    assert [outcomes[entry.archive].failure for entry in (first, second)] == ["", ""]
    assert [outcomes[entry.archive].documents for entry in (first, second)] == [1, 1]


def test_a_failed_download_is_an_outcome_and_is_not_waited_for(
    config: CorpusConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = [folder_entry(tmp_path / name) for name in ("there", "gone")]

    def fetch(_: Fetcher, entry: SourceEntry) -> Receipt | None:
        if entry.name == "gone":
            raise FetchError("404")
        return None

    monkeypatch.setattr(Fetcher, "fetch", fetch)
    outcomes = fetch_and_filter(groups_of(*entries), config, tmp_path / "work", PROGRESS)
    assert {key[1]: outcome.failure for key, outcome in outcomes.items()} == {"there": "", "gone": "404"}


def test_any_other_error_of_a_download_ends_the_build(
    config: CorpusConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetch(_: Fetcher, entry: SourceEntry) -> Receipt | None:
        raise OSError(28, f"no space for {entry.name}")

    monkeypatch.setattr(Fetcher, "fetch", fetch)
    with pytest.raises(OSError, match="no space for only"):
        fetch_and_filter(groups_of(folder_entry(tmp_path / "only")), config, tmp_path / "work", PROGRESS)


def test_only_an_archive_whose_input_changed_is_filtered_again(config: CorpusConfig, tmp_path: Path) -> None:
    entries = [folder_entry(tmp_path / name) for name in ("same", "other")]
    first = fetch_and_filter(groups_of(*entries), config, tmp_path / "work", PROGRESS)
    marked = document_folder(tmp_path / "work", entries[0]) / "outcome.json"
    marked.write_text(json.dumps(json.loads(marked.read_text()) | {"addresses": 77}))
    stale = document_folder(tmp_path / "work", entries[1]) / "outcome.json"
    stale.write_text(json.dumps(json.loads(stale.read_text()) | {"addresses": 77, "fingerprint": "old"}))
    second = fetch_and_filter(groups_of(*entries), config, tmp_path / "work", PROGRESS)
    assert second[entries[0].archive].addresses == 77
    assert second[entries[1].archive] == first[entries[1].archive]


def test_new_evaluation_data_change_the_hash_and_a_missing_folder_has_one(tmp_path: Path) -> None:
    before = evaluation_hash(tmp_path)
    (tmp_path / "blocked-packages.txt").write_text("pypi:a\n")
    assert evaluation_hash(tmp_path) != before == evaluation_hash(None)
