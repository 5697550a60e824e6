from pathlib import Path

import pytest

from codet5p.core.errors import DataError
from codet5p.training.transport import join_parts, pack, split_file, unpack


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


def test_files_and_folders_travel_together(tmp_path: Path) -> None:
    (tmp_path / "run" / "model").mkdir(parents=True)
    (tmp_path / "run" / "model" / "weights").write_bytes(bytes(range(256)) * 40)
    (tmp_path / "curves.csv").write_text("step\n1\n", "utf-8")
    parts = pack([tmp_path / "run", tmp_path / "curves.csv"], tmp_path / "parts", part_bytes=4000)
    assert max(part.stat().st_size for part in parts) <= 4000
    assert len(parts) > 2
    unpacked = unpack(tmp_path / "parts", tmp_path / "there")
    assert unpacked == [tmp_path / "there" / "run", tmp_path / "there" / "curves.csv"]
    assert (tmp_path / "there" / "run" / "model" / "weights").read_bytes() == bytes(range(256)) * 40
    assert sorted(path.name for path in (tmp_path / "there").iterdir()) == ["curves.csv", "run"]


def test_packing_anew_leaves_no_part_of_before(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(bytes(5000))
    before = pack([tmp_path / "x"], tmp_path / "parts", part_bytes=1000)
    after = pack([tmp_path / "x"], tmp_path / "parts", part_bytes=100_000)
    assert len(before) > len(after) == 1
    assert sorted(path.name for path in (tmp_path / "parts").iterdir()) == ["part-0000", "parts.json"]


@pytest.mark.parametrize(
    ("names", "message"), [(["nowhere"], "nowhere: it does not exist"), (["a/x", "b/x"], "have the same name")]
)
def test_what_cannot_be_packed_is_said_before_anything_is_written(
    names: list[str], message: str, tmp_path: Path
) -> None:
    for name in ("a/x", "b/x"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(DataError, match=message):
        pack([tmp_path / name for name in names], tmp_path / "parts")
    assert not (tmp_path / "parts").exists()


def test_parts_of_something_else_are_no_archive(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abcdef")
    split_file(tmp_path / "x", tmp_path / "parts", part_bytes=2)
    with pytest.raises(DataError, match="holds no archive of transport pack"):
        unpack(tmp_path / "parts", tmp_path / "there")
