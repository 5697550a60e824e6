"""The report's pages and plots from given figures."""

from pathlib import Path
from typing import Any

from codet5p.training.corpus.report_pages import html_page, markdown_page
from codet5p.training.corpus.report_plots import draw_plots

ROW: dict[str, Any] = {
    "mb": 2.0,
    "pairs": 30,
    "document_lengths": {"64": 3, "128": 5},
    "summary_lengths": {"4": 9},
    "drops": {"files": 20, "generated": 5, "test": 3},
    "largest_packages": {"npm:a": 0.1},
}
FIGURES: dict[str, Any] = {
    "total": {"mb": 2.0, "tokens": 5e6, "pairs": 30},
    "languages": {"go": ROW},
    "archives": 3,
    "archives_used": 2,
    "corpus_sha256": "c" * 64,
    "manifest_sha256": "m" * 64,
    "evaluation_sha256": "e" * 64,
    "tokenizer_sha256": "",
    "seed": 0,
    "transport_mb": 0.5,
    "addresses": 7,
}
SECTIONS = [("What <is> in it", ("language", "MB"), [["go", "2.0"], ["a & b", "1.0"]])]


def test_the_markdown_page_has_summary_tables_and_plots() -> None:
    page = markdown_page(FIGURES, SECTIONS, [Path("sizes.svg")])
    assert (
        "2 MB of source code in 1 languages, 5 million lexical tokens, 30 text-code pairs, from 2 of 3 downloads."
        in page
    )
    assert "| language | MB |\n| --- | ---: |\n| go | 2.0 |" in page
    assert "![sizes](sizes.svg)" in page


def test_the_html_page_escapes_and_needs_no_other_file(tmp_path: Path) -> None:
    plots = draw_plots({"go": ROW}, tmp_path)
    page = html_page(FIGURES, SECTIONS, plots)
    assert "<h2>What &lt;is&gt; in it</h2>" in page
    assert "<td>a &amp; b</td>" in page
    assert page.count("<svg") == len(plots) == 3
    assert "<img" not in page


def test_the_same_figures_give_the_same_plots(tmp_path: Path) -> None:
    first = [path.read_bytes() for path in draw_plots({"go": ROW}, tmp_path)]
    assert [path.read_bytes() for path in draw_plots({"go": ROW}, tmp_path)] == first
