"""The manifest's table."""

from pathlib import Path

import pytest

from codet5p.core.errors import DataError
from codet5p.training.corpus.manifest import SourceEntry, read_manifest, write_manifest

ENTRIES = [
    SourceEntry(kind="npm", name="@a/b", version="1.0", languages=("typescript", "javascript"), licence="MIT"),
    SourceEntry(kind="deb-source", name="mono", version="6", languages=("csharp",), licence="MIT", folder="mcs/class"),
    SourceEntry(kind="git", name="me/it", version="abc", languages=("c",), licence="ISC", location="../it.git"),
]
HEADER = "kind\tname\tversion\tlanguages\tlicence\tsha256\tfolder\tlocation\n"


def test_a_manifest_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "m.tsv"
    write_manifest(path, ENTRIES)
    assert read_manifest(path) == sorted(ENTRIES, key=lambda entry: entry.languages)
    first = path.read_bytes()
    write_manifest(path, reversed(ENTRIES))
    assert path.read_bytes() == first


def test_projects_of_one_archive_share_the_download_and_have_names_of_their_own() -> None:
    project = ENTRIES[1]
    assert project.package == "deb-source:mono/mcs/class"
    assert project.archive == ("deb-source", "mono", "6", "")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind\tname\n", "column folder is unknown or missing"),
        (HEADER + "cargo\ta\t1\tc\tMIT\t\t\t\n", "unknown kind 'cargo'"),
        (HEADER + "npm\t\t1\tc\tMIT\t\t\t\n", "must not be empty"),
        (HEADER + "npm\ta\t1\n", "expected 8 tab-separated columns"),
        (HEADER + "npm\ta\t1\tc\tMIT\t\t\t\n" * 2, "npm:a 1 is listed twice"),
    ],
)
def test_a_wrong_manifest_is_explained(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "m.tsv"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        read_manifest(path)


def test_a_missing_manifest_is_explained(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="set `manifest` in the recipe"):
        read_manifest(tmp_path / "none.tsv")
