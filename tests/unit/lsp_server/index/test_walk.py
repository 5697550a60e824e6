import os
from pathlib import Path

import pytest

from codet5p.lsp_server.index.config import IndexConfig
from codet5p.lsp_server.index.walk import find_file, read_content, walk_workspace


def write(root: Path, **files: str) -> None:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content, "utf-8")


def found(root: Path, config: IndexConfig | None = None) -> set[str]:
    config = config or IndexConfig()
    paths = {file.path for file in walk_workspace(root, config)}
    assert {path for path in paths if find_file(root, path, config) is not None} == paths
    return paths


def test_only_code_is_found(tmp_path: Path) -> None:
    write(tmp_path, **{"a.py": "", "b.txt": "", "deep/er/c.go": "", "README": ""})
    assert found(tmp_path) == {"a.py", "deep/er/c.go"}


def test_ignore_files_of_every_level_hold_and_the_inner_one_decides(tmp_path: Path) -> None:
    write(
        tmp_path,
        **{
            ".gitignore": "build/\n*.gen.py\n/only_top.py\n",
            "build/a.py": "",
            "x.gen.py": "",
            "only_top.py": "",
            "sub/only_top.py": "",
            "sub/.gitignore": "!kept.gen.py\nlocal.py\n",
            "sub/kept.gen.py": "",
            "sub/other.gen.py": "",
            "sub/local.py": "",
            "local.py": "",
        },
    )
    assert found(tmp_path) == {"sub/only_top.py", "sub/kept.gen.py", "local.py"}
    assert find_file(tmp_path, "build/a.py", IndexConfig()) is None
    assert find_file(tmp_path, "sub/local.py", IndexConfig()) is None


def test_our_own_ignore_file_has_the_last_word(tmp_path: Path) -> None:
    write(tmp_path, **{".gitignore": "a.py\n", ".codet5pignore": "!a.py\nb.py\n", "a.py": "", "b.py": "", "c.py": ""})
    assert found(tmp_path) == {"a.py", "c.py"}


def test_a_folder_inside_a_repository_obeys_the_rules_above_it(tmp_path: Path) -> None:
    write(
        tmp_path,
        **{".git/HEAD": "", ".gitignore": "/packages/app/out/\n*.tmp.py\n", "packages/.gitignore": "notes/\n"},
    )
    app = tmp_path / "packages" / "app"
    write(app, **{"out/a.py": "", "b.tmp.py": "", "notes/c.py": "", "d.py": ""})
    assert found(app) == {"d.py"}


def test_an_ignored_folder_that_is_opened_itself_is_not_empty(tmp_path: Path) -> None:
    write(tmp_path, **{".git/HEAD": "", ".gitignore": "build/\n", "build/app/a.py": ""})
    assert found(tmp_path) == set()
    assert found(tmp_path / "build" / "app") == {"a.py"}


def test_what_git_excludes_privately_is_left_out_and_a_submodule_is_taken_in(tmp_path: Path) -> None:
    write(tmp_path, **{".git/info/exclude": "private.py\n", "private.py": "", "lib/.git": "gitdir: x", "lib/a.py": ""})
    assert found(tmp_path) == {"lib/a.py"}


@pytest.mark.parametrize("name", [".env", ".env.local", "id_rsa", "server.key", "secrets.sql", "credentials.sql"])
def test_files_with_secrets_are_never_found(tmp_path: Path, name: str) -> None:
    write(tmp_path, **{name: "password = 1", "a.py": ""})
    assert found(tmp_path) == {"a.py"}


def test_links_are_not_followed_whether_they_loop_or_lead_outside(tmp_path: Path) -> None:
    write(tmp_path, **{"outside/secret.py": "", "root/a.py": ""})
    root = tmp_path / "root"
    (root / "loop").symlink_to(root, target_is_directory=True)
    (root / "out").symlink_to(tmp_path / "outside", target_is_directory=True)
    (root / "link.py").symlink_to(tmp_path / "outside" / "secret.py")
    assert found(root) == {"a.py"}
    for path in ("link.py", "out/secret.py", "loop/a.py", "../outside/secret.py"):
        assert find_file(root, path, IndexConfig()) is None
    assert read_content(root, "link.py", IndexConfig()) is None


def test_a_file_over_the_limit_is_left_out(tmp_path: Path) -> None:
    write(tmp_path, **{"a.py": "x" * 50, "b.py": "x" * 51})
    assert found(tmp_path, IndexConfig(max_file_bytes=50)) == {"a.py"}


def test_a_name_that_is_not_text_is_passed_over(tmp_path: Path) -> None:
    write(tmp_path, **{"a.py": ""})
    with open(os.fsencode(tmp_path) + b"/\xff.py", "w", encoding="utf-8"):  # noqa: PTH123 - a name in bytes
        pass
    assert found(tmp_path) == {"a.py"}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"x = 1\n", "x = 1\n"),
        (b"\xef\xbb\xbfx\n", "x\n"),
        (b"caf\xe9\n", "caf\ufffd\n"),
        (b"a\0b", None),
        (b"x" * 400, None),
    ],
)
def test_content_is_text_or_nothing(tmp_path: Path, content: bytes, text: str | None) -> None:
    (tmp_path / "a.py").write_bytes(content)
    read = read_content(tmp_path, "a.py", IndexConfig())
    assert (read.text if read is not None else None) == text


def test_a_vanished_file_and_a_folder_have_no_content(tmp_path: Path) -> None:
    (tmp_path / "folder.py").mkdir()
    assert read_content(tmp_path, "gone.py", IndexConfig()) is None
    assert read_content(tmp_path, "folder.py", IndexConfig()) is None
    assert found(tmp_path) == set()


def test_a_pipe_is_neither_found_nor_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    assert found(tmp_path) == set()
