"""Duplicates, overlap, caps and splits over several packages."""

import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codet5p.training.corpus.assembly import cap_packages, select_documents, split_packages
from codet5p.training.corpus.config import CorpusConfig, StorageConfig
from codet5p.training.corpus.documents import Document
from codet5p.training.corpus.hashing import token_hashes
from codet5p.training.corpus.near_duplicates import minhash_signature
from codet5p.training.corpus.package_store import PackageOutcome, PackageWriter
from codet5p.training.corpus.text_rules import lexical_tokens

CONFIG = CorpusConfig(manifest=Path("m"), cache=Path("c"))


def store(folder: Path, package: str, texts: list[str], grams: tuple[int, ...] = ()) -> Path:
    writer = PackageWriter(folder)
    for number, text in enumerate(texts):
        hashes = token_hashes(lexical_tokens(text))
        document = Document(
            path=f"{number}.py",
            part=0,
            language="python",
            text=text,
            tokens=hashes.size,
            functions=0,
            pairs=(),
            shared_ngrams=np.array(grams, np.uint64),
            signature=minhash_signature(hashes, CONFIG.deduplication),
        )
        writer.add(package, document)
    writer.close(PackageOutcome(fingerprint="f"))
    return folder


def words(start: int, count: int = 200) -> str:
    return " ".join(f"name{number}" for number in range(start, start + count))


def test_the_first_of_equal_and_of_similar_documents_stays(tmp_path: Path) -> None:
    first = store(tmp_path / "a", "a", [words(0), words(1000)])
    second = store(tmp_path / "b", "b", [words(0).replace(" ", "\n"), words(1000) + " more", words(2000)])
    selection = select_documents([first, second], CONFIG)
    assert [mask.tolist() for mask in selection.keep] == [[True, True], [False, False, True]]
    assert selection.drops["python"] == Counter({"exact duplicate": 1, "near duplicate": 1})


def test_documents_that_share_rare_ngrams_with_evaluation_data_go(tmp_path: Path) -> None:
    folders = [store(tmp_path / "a", "a", [words(0)], grams=(7, 8)), store(tmp_path / "b", "b", [words(500)])]
    selection = select_documents(folders, CONFIG)
    assert [mask.tolist() for mask in selection.keep] == [[False], [True]]
    assert selection.drops["python"]["evaluation overlap"] == 1


def test_ngrams_that_many_packages_have_are_boilerplate(tmp_path: Path) -> None:
    folders = [store(tmp_path / str(n), str(n), [words(n * 1000)], grams=(7,)) for n in range(12)]
    selection = select_documents(folders, CONFIG)
    assert all(mask.all() for mask in selection.keep)


def test_large_packages_are_cut_to_their_share_in_the_same_way_every_time(tmp_path: Path) -> None:
    folders = [store(tmp_path / "big", "big", [words(n * 1000) for n in range(50)])]
    folders += [store(tmp_path / str(n), str(n), [words(10**6 + n * 1000)] * 1) for n in range(20)]
    selection = select_documents(folders, CONFIG)
    total = sum(selection.bytes.values())
    assert selection.bytes["python", "big"] <= 0.1 * total
    assert 0 < int(selection.keep[0].sum()) == 50 - selection.drops["python"]["package cap"]
    again = select_documents(folders, CONFIG)
    assert (again.keep[0] == selection.keep[0]).all()


@given(st.lists(st.integers(1, 10_000), min_size=11, max_size=60), st.sampled_from([0.1, 0.2, 0.5]))
def test_a_cap_holds_and_is_no_smaller_than_needed(sizes: list[int], share: float) -> None:
    cap = cap_packages({str(number): size for number, size in enumerate(sizes)}, share)
    total = sum(min(size, cap) for size in sizes)
    assert max(min(size, cap) for size in sizes) <= share * total * (1 + 1e-9)
    assert cap == math.inf or cap == pytest.approx(share * total)


def test_too_few_packages_are_not_capped() -> None:
    assert cap_packages({"a": 5, "b": 1}, 0.1) == math.inf


def test_the_split_holds_out_whole_archives() -> None:
    sizes = {("python", f"p{n}"): 100 for n in range(60)} | {("c", f"p{n}"): 50 for n in range(20)}
    groups = {f"p{n}": f"group{n // 2}" for n in range(60)}
    splits = split_packages(sizes, groups, StorageConfig(validation_share=0.1), seed=1)
    held_out = {package for package, split in splits.items() if split == "validation"}
    assert 6 <= len(held_out) <= 10
    assert all(splits[f"p{n}"] == splits[f"p{n + 1}"] for n in range(0, 60, 2))
    assert splits == split_packages(sizes, groups, StorageConfig(validation_share=0.1), seed=1)
    assert splits != split_packages(sizes, groups, StorageConfig(validation_share=0.1), seed=2)


def test_a_package_that_is_much_of_its_language_is_never_held_out() -> None:
    sizes = {("c", "big"): 10_000} | {("c", f"p{n}"): 10 for n in range(30)}
    groups = {package: package for _, package in sizes}
    for seed in range(30):
        assert split_packages(sizes, groups, StorageConfig(), seed)["big"] == "train"
