import sqlite3
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest

from codet5p.lsp_server.features.search import SearchAnswer, Searcher, SearchQuery, SimilarQuery
from codet5p.lsp_server.index.config import IndexConfig, RankingConfig
from codet5p.lsp_server.index.indexer import update_index
from codet5p.lsp_server.index.reader import IndexReader
from codet5p.lsp_server.index.store import IndexWriter

_Folder = tuple[Path, Path]
_MakeFolder = Callable[..., _Folder]


@pytest.fixture
def make_folder(tmp_path: Path) -> _MakeFolder:
    def make(name: str, **files: str) -> _Folder:
        root, database = tmp_path / name, tmp_path / f"{name}.sqlite"
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, "utf-8")
        writer = IndexWriter.open(database)
        assert writer is not None
        with writer:
            update_index(writer, root, IndexConfig(), Event())
        return root, database

    return make


def ask(folders: list[_Folder], text: str, **options: object) -> SearchAnswer:
    searcher = Searcher(folders, RankingConfig())
    answer = searcher.search(SearchQuery(text=text, **options))  # type: ignore[arg-type]  # each test names its own
    searcher.close()
    return answer


def test_folders_are_searched_together_and_files_of_one_name_told_apart(make_folder: _MakeFolder) -> None:
    code = "def parse_header():\n    pass\n"
    folders = [make_folder("one", **{"a.py": code}), make_folder("two", **{"a.py": code})]
    answer = ask(folders, "parse header")
    assert [hit.file for hit in answer.hits] == [folders[0][0] / "a.py", folders[1][0] / "a.py"]
    assert answer.hits[0].score == answer.hits[1].score == 1.0
    assert (answer.indexed, answer.pending) == (2, 0)


@pytest.mark.parametrize(
    ("text", "options", "paths"),
    [
        ("header lang:go", {}, {"src/b.go"}),
        ("header", {"language": "python"}, {"src/a.py", "lib/c.py"}),
        ("header path:src/", {}, {"src/a.py", "src/b.go"}),
        ("header", {"path": "one/lib"}, {"lib/c.py"}),
        ("header path:*.py", {}, {"src/a.py", "lib/c.py"}),
        ("header kind:class", {}, {"lib/c.py"}),
        ("header lang:cobol", {}, set()),
        ("header path:[", {}, set()),
        ("header path:' kind:\" lang:;--", {}, set()),
    ],
)
def test_filters_hold(make_folder: _MakeFolder, text: str, options: dict[str, str], paths: set[str]) -> None:
    folder = make_folder(
        "one",
        **{
            "src/a.py": "def parse_header():\n    pass\n",
            "src/b.go": "package b\n\nfunc ParseHeader() {\n}\n",
            "lib/c.py": "class Header:\n    pass\n",
        },
    )
    assert {hit.path for hit in ask([folder], text, **options).hits} == paths


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "()*&^%",
        '"',
        'header"',
        "header AND",
        "header OR",
        "NOT header",
        "header NEAR/3 x",
        "name:header",
        "{name path}: header",
        "^header*",
        "'; DROP TABLE chunks; --",
        'header") UNION SELECT 1 --',
        "header\0x",
        "\ud800 header",
        "/etc/passwd ../../../header",
        "header " * 1500,
        "😀 header 𐐀",
    ],
)
def test_no_query_breaks_anything(make_folder: _MakeFolder, text: str) -> None:
    folder = make_folder("one", **{"a.py": "def parse_header():\n    pass\n"})
    for _ in range(2):
        hits = ask([folder], text).hits
        assert [hit.name for hit in hits] == (["parse_header"] if "header" in text else [])
    assert len(ask([folder], "parse_header").hits) == 1


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("configurat", ["load_configuration"]),
        ("configura", ["load_configuration"]),  # longer than what stemming leaves of the word
        ("con", ["load_configuration", "connect"]),
        ("socket con", ["connect", "load_configuration"]),
        ("con socket", ["connect"]),  # only the last word may still be typed
        ("socket", ["connect"]),
        ("cat", ["cat"]),  # a whole word is no beginning of others
        ("co", []),
        ("configuxyzabc", []),
        ("open_sock", ["connect"]),
    ],
)
def test_a_last_word_that_is_nowhere_is_looked_up_as_a_beginning(
    make_folder: _MakeFolder, text: str, names: list[str]
) -> None:
    folder = make_folder(
        "one",
        **{
            "a.py": "def load_configuration():\n    return 1\n",
            "b.py": "def connect():\n    return open_socket()\n",
            "c.py": "def cat():\n    return 2\n",
            "d.py": "def category():\n    return 3\n",
        },
    )
    assert sorted(hit.name for hit in ask([folder], text).hits) == sorted(names)


@pytest.mark.parametrize(("limit", "expected"), [(0, 0), (-5, 0), (2, 2), (10**9, 30)])
def test_the_limit_holds(make_folder: _MakeFolder, limit: int, expected: int) -> None:
    folder = make_folder("one", **{f"f{i}.py": "def header():\n    pass\n" for i in range(30)})
    assert len(ask([folder], "header", limit=limit).hits) == expected


def test_a_folder_without_an_index_gives_nothing_and_hides_nothing(make_folder: _MakeFolder, tmp_path: Path) -> None:
    folder = make_folder("one", **{"a.py": "def header():\n    pass\n"})
    missing = (tmp_path / "gone", tmp_path / "gone.sqlite")
    broken = (tmp_path / "broken", tmp_path / "broken.sqlite")
    broken[1].write_bytes(b"nonsense" * 1000)
    assert [hit.name for hit in ask([missing, broken, folder], "header").hits] == ["header"]


def test_an_index_that_was_replaced_is_opened_anew(make_folder: _MakeFolder, tmp_path: Path) -> None:
    root, database = make_folder("one", **{"a.py": "def header():\n    pass\n"})
    searcher = Searcher([(root, database)], RankingConfig())
    assert len(searcher.search(SearchQuery(text="header")).hits) == 1
    whole = database.read_bytes()
    for content, num_hits in ((b"nonsense" * 1000, 0), (whole, 1), (None, 0)):
        (tmp_path / "kept").hardlink_to(database)  # or the system might give the new file the same number
        database.unlink()
        if content is not None:
            database.write_bytes(content)
        assert len(searcher.search(SearchQuery(text="header")).hits) == num_hits
        (tmp_path / "kept").unlink()
    searcher.close()


def test_what_breaks_in_the_middle_of_a_question_costs_one_answer(
    make_folder: _MakeFolder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    folder = make_folder("one", **{"a.py": "def header():\n    pass\n"})
    searcher = Searcher([folder], RankingConfig())
    with monkeypatch.context() as broken:
        broken.setattr(IndexReader, "texts", _fail)
        assert searcher.search(SearchQuery(text="header")).hits == ()
    assert "database disk image is malformed" in caplog.text
    assert len(searcher.search(SearchQuery(text="header")).hits) == 1
    searcher.close()


def _fail(*_: object) -> None:
    raise sqlite3.DatabaseError("database disk image is malformed")


def test_symbols_come_the_closest_first(make_folder: _MakeFolder) -> None:
    folder = make_folder(
        "one",
        **{
            "a.py": "\n\n\n".join(
                f"def {name}():\n    pass" for name in ("unparse_line", "parse_line_end", "parse_line")
            ),
            "tests/b.py": "def parse_line():\n    pass\n",
            "c.py": "def pick_lines():\n    pass\n",
        },
    )
    searcher = Searcher([folder], RankingConfig())
    found = [(hit.symbol.name, hit.symbol.path) for hit in searcher.symbols("parseLine", 10)]
    assert found == [
        ("parse_line", "a.py"),
        ("parse_line", "tests/b.py"),
        ("parse_line_end", "a.py"),
        ("unparse_line", "a.py"),
    ]
    assert [hit.symbol.name for hit in searcher.symbols("pklns", 10)] == ["pick_lines"]
    assert searcher.symbols("%", 10) == searcher.symbols("", 10)
    searcher.close()


def test_a_block_without_a_name_is_called_after_its_file(make_folder: _MakeFolder) -> None:
    folder = make_folder("one", **{"setup.py": 'configure("header")\nrun()\n'})
    (hit,) = ask([folder], "header").hits
    assert (hit.name, hit.kind) == ("setup.py", "block")


_COPY = (
    "def total_of_prices(prices):\n    total = 0\n    for price in prices:\n        total += price\n    return total\n"
)
_CLONE = _COPY.replace("price", "amount")
_OTHER = "def close_window(window):\n    window.hide()\n    window.destroy()\n"


def like(folders: list[_Folder], file: Path, line: int, text: str | None = None) -> list[str]:
    searcher = Searcher(folders, RankingConfig())
    answer = searcher.similar(SimilarQuery(file=file, line=line, text=text))
    searcher.close()
    return [f"{hit.path}:{hit.name}" for hit in answer.hits]


def test_code_like_a_function_is_found_in_all_folders_and_it_itself_left_out(make_folder: _MakeFolder) -> None:
    one = make_folder("one", **{"a.py": f"{_COPY}\n\n{_OTHER}"})
    two = make_folder("two", **{"b.py": _CLONE, "a.py": _COPY})
    found = like([one, two], one[0] / "a.py", 2)
    assert found[:2] == ["a.py:total_of_prices", "b.py:total_of_amounts"]


def test_what_is_typed_and_not_saved_counts_for_likeness(make_folder: _MakeFolder) -> None:
    folder = make_folder("one", **{"a.py": _OTHER, "b.py": _CLONE})
    assert like([folder], folder[0] / "a.py", 1, _COPY)[0] == "b.py:total_of_amounts"


@pytest.mark.parametrize(("path", "line"), [("a.py", 99), ("a.py", -1), ("gone.py", 1), ("../a.py", 1), ("", 0)])
def test_a_line_of_no_code_is_like_nothing(make_folder: _MakeFolder, path: str, line: int) -> None:
    folder = make_folder("one", **{"a.py": _COPY})
    assert like([folder], folder[0] / path, line) == []


def test_a_file_of_an_unknown_kind_is_like_nothing(make_folder: _MakeFolder) -> None:
    folder = make_folder("one", **{"a.py": _COPY})
    assert like([folder], folder[0] / "a.txt", 0, "total of prices") == []
