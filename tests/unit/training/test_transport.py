from pathlib import Path

import pytest

from codet5p.core.errors import DataError
from codet5p.training.transport import join_parts, split_file


def test_a_file_survives_being_split(tmp_path: Path) -> None:
    original = tmp_path / "state.bin"
    original.write_bytes(bytes(range(256)) * 5)
    parts = split_file(original, tmp_path / "parts", part_bytes=300)
    assert [part.stat().st_size for part in parts] == [300, 300, 300, 300, 80]
    assert join_parts(tmp_path / "parts", tmp_path / "joined").read_bytes() == original.read_bytes()


def test_a_missing_part_is_named(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abcdef")
    split_file(tmp_path / "x", tmp_path / "parts", part_bytes=2)
    (tmp_path / "parts" / "part-0001").unlink()
    with pytest.raises(DataError, match="part-0001"):
        join_parts(tmp_path / "parts", tmp_path / "joined")


def test_a_changed_part_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abcdef")
    split_file(tmp_path / "x", tmp_path / "parts", part_bytes=2)
    (tmp_path / "parts" / "part-0001").write_bytes(b"zz")
    with pytest.raises(DataError, match="checksum differs"):
        join_parts(tmp_path / "parts", tmp_path / "joined")
    assert list((tmp_path / "joined").iterdir()) == []
