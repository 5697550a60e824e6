"""The pool of filter processes: order, and archives that kill the process they run in."""

from pathlib import Path
from queue import SimpleQueue

import pytest
from deadly_filter import filter_or_die

from codet5p.training.corpus import filter_pool
from codet5p.training.corpus.config import CorpusConfig
from codet5p.training.corpus.filter_pool import Filtered, FilterJob, FilterPool
from codet5p.training.corpus.manifest import SourceEntry
from codet5p.training.corpus.package_store import PackageOutcome, read_records


def job_of(name: str, folder: Path, size: int = 0) -> FilterJob:
    entry = SourceEntry(
        kind="folder", name=name, version="", languages=("python",), licence="MIT", location=str(folder / name)
    )
    return FilterJob(entries=(entry,), receipt=None, folder=folder / "out" / name, fingerprint=name, bytes=size)


def run_all(jobs: list[FilterJob], config: CorpusConfig) -> dict[str, PackageOutcome]:
    """Return the outcomes by name, in the order in which they came."""
    ended: SimpleQueue[Filtered] = SimpleQueue()
    outcomes: dict[str, PackageOutcome] = {}
    with FilterPool(config, ended.put) as pool:
        for job in jobs:
            pool.submit(job)
        while len(outcomes) < len(jobs):
            filtered = ended.get()
            outcome = pool.settle(filtered)
            if outcome is not None:
                outcomes[filtered[0].entries[0].name] = outcome
    return outcomes


@pytest.fixture
def config(tmp_path: Path) -> CorpusConfig:
    return CorpusConfig(manifest=tmp_path / "m.tsv", cache=tmp_path, workers=0)


def test_without_processes_archives_are_filtered_at_once(config: CorpusConfig, tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    body = "".join(f"    total_{n} = value_{n} * factor_{n}\n" for n in range(30))
    (tmp_path / "project" / "module.py").write_text(f"def compute():\n{body}")
    job = job_of("project", tmp_path)
    assert run_all([job], config)["project"].documents == 1
    assert [record["path"] for record in read_records(job.folder)] == ["module.py"]


def test_the_largest_waiting_archive_comes_first(config: CorpusConfig, tmp_path: Path) -> None:
    jobs = [job_of(f"size{size}", tmp_path, size) for size in (0, 1, 3, 2)]
    assert list(run_all(jobs, config)) == ["size0", "size3", "size2", "size1"]


@pytest.mark.parametrize("workers", [1, 2])
def test_an_archive_that_kills_its_process_is_named_and_all_others_are_filtered(
    workers: int, config: CorpusConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filter_pool, "_process_in_worker", filter_or_die)
    jobs = [job_of(name, tmp_path) for name in ("first", "deadly", "second", "third", "fourth")]
    outcomes = run_all(jobs, CorpusConfig(manifest=config.manifest, cache=config.cache, workers=workers))
    assert outcomes.pop("deadly").failure == "the filter process died on this archive"
    assert {name: outcome.fingerprint for name, outcome in outcomes.items()} == {
        name: name for name in ("first", "second", "third", "fourth")
    }
    assert not any(outcome.failure for outcome in outcomes.values())
