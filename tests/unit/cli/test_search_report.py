from pathlib import Path

from codet5p.cli.search_report import report_of
from codet5p.lsp_server.features.search import Hit, SearchAnswer
from codet5p.lsp_server.index.snippet import Snippet

_HIT = Hit(
    file=Path("/home/ann/a b.js"),
    path="a b.js",
    name="<b>name",
    kind="function",
    language="javascript",
    score=1.0,
    first_line=4,
    text="</pre><script>alert(1)</script>\nreturn 1",
    snippet=Snippet(first_line=0, lines=("</pre><script>alert(1)</script>", "return 1"), best=(1,)),
)


def test_a_hit_has_its_place_its_lines_and_a_link() -> None:
    page = report_of("one", SearchAnswer(hits=(_HIT,), indexed=3, pending=0))
    assert 'href="file:///home/ann/a%20b.js#L5"' in page
    assert "<p>1 hit, 3 files searched</p>" in page
    assert "<mark><span class=number>    6</span> return 1</mark>" in page


def test_code_and_questions_are_text_and_nothing_is_loaded() -> None:
    page = report_of("<img src=x>", SearchAnswer(hits=(_HIT,), indexed=1, pending=0))
    assert "<script>" not in page
    assert "<img" not in page
    assert "<b>" not in page
    assert "default-src 'none'" in page
    assert "http:" not in page.replace("http-equiv", "")


def test_without_hits_the_page_says_what_to_try() -> None:
    assert "try other words" in report_of("x", SearchAnswer(hits=(), indexed=1, pending=0))
