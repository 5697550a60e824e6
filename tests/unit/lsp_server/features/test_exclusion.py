import pytest

from codet5p.lsp_server.features.exclusion import is_excluded


@pytest.mark.parametrize(
    "path",
    [
        ".env", ".env.local", "prod.env", "server.pem", "tls.KEY", "id_rsa", "id_ed25519.pub", ".netrc", ".npmrc",
        ".pypirc", "credentials", "credentials.json", "secrets.yaml", "Secret.toml", "keys.kdbx", "app.tfvars",
        ".ssh/config", "home/.aws/config", ".kube/config", "a%20b/.env",
    ],
)  # fmt: skip
def test_files_that_look_like_secrets_are_left_alone(path: str) -> None:
    assert is_excluded(f"file:///home/me/{path}", ())


@pytest.mark.parametrize(
    "path",
    ["app.py", "environment.py", "keyboard.ts", "secrets_manager.go", "credentials_test.rb", "docs/env.md", "key"],
)
def test_ordinary_files_are_not(path: str) -> None:
    assert not is_excluded(f"file:///home/me/{path}", ())


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("*.sql", "db/dump.sql", True),
        ("*.SQL", "db/dump.Sql", True),
        ("private/*.json", "work/private/a.json", True),
        ("private/*.json", "work/public/a.json", False),
        ("generated/", "work/generated/deep/a.py", True),
        ("/home/me/work/", "work/a.py", True),
        ("/src/", "src/a.py", False),
    ],
)
def test_patterns_are_those_of_ignore_files_anywhere_in_the_path(pattern: str, path: str, expected: bool) -> None:
    assert is_excluded(f"file:///home/me/{path}", (pattern,)) is expected


def test_the_last_pattern_decides_and_can_allow_what_looks_like_a_secret() -> None:
    patterns = ("*.env", "!example.env", "*.key", "!id_rsa")
    assert not is_excluded("file:///w/example.env", patterns)
    assert not is_excluded("file:///w/id_rsa", patterns)
    assert is_excluded("file:///w/other.env", patterns)
    assert is_excluded("file:///w/id_ed25519", patterns)


@pytest.mark.parametrize("uri", ["untitled:Untitled-1", "", "file:///", "vscode-notebook-cell:/w/a.ipynb#x"])
def test_documents_without_a_file_are_not_excluded(uri: str) -> None:
    assert not is_excluded(uri, ("*.sql",))
