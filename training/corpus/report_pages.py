"""The report's figures as a Markdown page and as an HTML page that needs no other file."""

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["html_page", "markdown_page"]

_Section = tuple[str, Sequence[str], Sequence[Sequence[str]]]
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 75rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; margin: 1rem 0 2rem; font-size: 14px; }
th, td { padding: .25rem .7rem; border-bottom: 1px solid #ddd; text-align: right; font-variant-numeric: tabular-nums; }
th:first-child, td:first-child { text-align: left; }
thead th { border-bottom: 2px solid #888; }
figure { margin: 1rem 0; } svg { max-width: 100%; height: auto; }
@media (prefers-color-scheme: dark) { body { background: #1b1b1d; color: #ddd; } th, td { border-color: #444; }
  figure { background: #fff; padding: .5rem; } }
"""


def _summary(figures: Mapping[str, Any]) -> list[str]:
    total = figures["total"]
    kind = "tokens of the model's tokenizer" if figures["tokenizer_sha256"] else "lexical tokens"
    amounts = (
        f"{total['mb']:,.0f} MB of source code in {len(figures['languages'])} languages, "
        f"{total['tokens'] / 1e6:,.0f} million {kind}, {total['pairs']:,} text-code pairs, "
        f"from {figures['archives_used']:,} of {figures['archives']:,} downloads."
    )
    identity = (
        f"Corpus {figures['corpus_sha256'][:16]}, manifest {figures['manifest_sha256'][:16]}, evaluation data "
        f"{figures['evaluation_sha256'][:16]}, seed {figures['seed']}; {figures['transport_mb']:,.0f} MB compressed. "
        f"{figures['addresses']:,} e-mail addresses in file headers were replaced."
    )
    return [amounts, identity]


def markdown_page(figures: Mapping[str, Any], sections: Sequence[_Section], plots: Sequence[Path]) -> str:
    """Return the Markdown page.

    Args:
        figures: What `report.gather` returns.
        sections: Headings, columns and rows.
        plots: SVG files beside the page.

    Returns:
        The page.
    """
    parts = ["# The training corpus", *_summary(figures)]
    for title, columns, rows in sections:
        table = [columns, ["---", *["---:"] * (len(columns) - 1)], *rows]
        parts += [f"## {title}", "\n".join("| " + " | ".join(row) + " |" for row in table)]
    parts += ["## Plots", *(f"![{path.stem.replace('-', ' ')}]({path.name})" for path in plots)]
    return "\n\n".join(parts) + "\n"


def html_page(figures: Mapping[str, Any], sections: Sequence[_Section], plots: Sequence[Path]) -> str:
    """Return the HTML page, with the plots inside.

    Args:
        figures: What `report.gather` returns.
        sections: Headings, columns and rows.
        plots: SVG files.

    Returns:
        The page.
    """
    body = ["<h1>The training corpus</h1>", *(f"<p>{html.escape(line)}</p>" for line in _summary(figures))]
    for title, columns, rows in sections:
        body += [f"<h2>{html.escape(title)}</h2>", _table(columns, rows)]
    for path in plots:
        drawing = path.read_text("utf-8")
        body.append(f"<figure>{drawing[drawing.index('<svg') :]}</figure>")
    head = f'<meta charset="utf-8"><title>The training corpus</title><style>{_STYLE}</style>'
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body>\n' + "\n".join(body) + "\n</body></html>\n"


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{html.escape(name)}</th>" for name in columns)
    lines = ("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>\n" + "\n".join(lines) + "\n</tbody></table>"
