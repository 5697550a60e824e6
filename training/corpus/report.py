"""The corpus report: what is in, what was left out and why, as JSON, Markdown and one self-contained HTML page."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from codet5p.core.errors import DataError
from codet5p.training.corpus.report_pages import html_page, markdown_page
from codet5p.training.corpus.report_plots import draw_plots
from codet5p.training.corpus.storage import read_index

__all__ = ["Section", "gather", "write_report"]

Section = tuple[str, Sequence[str], Sequence[Sequence[str]]]
"""A heading, column names and rows."""


def write_report(corpus: Path, out: Path) -> Path:
    """Write `report.json`, `report.md` and `report.html` about the corpus in `corpus` to `out`.

    Args:
        corpus: A finished corpus; token counts are included if it was tokenised.
        out: Where the pages go; created if needed. The page's plots are beside `report.md` as SVG files.

    Returns:
        The HTML page.

    Raises:
        DataError: If `corpus` holds no finished corpus.
    """
    figures = gather(corpus)
    out.mkdir(parents=True, exist_ok=True)
    (out / "report.json").write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    plots = draw_plots(figures["languages"], out)
    sections = _sections(figures)
    (out / "report.md").write_text(markdown_page(figures, sections, plots), "utf-8")
    page = out / "report.html"
    page.write_text(html_page(figures, sections, plots), "utf-8")
    return page


def gather(corpus: Path) -> dict[str, Any]:
    """Return everything that the report says, JSON-ready.

    Args:
        corpus: A finished corpus.

    Returns:
        `total`, `languages` (each with `mb`, `tokens`, `pairs`, `packages` and more), `failures` and the hashes that
        name the corpus. Without tokenised shards `tokens` are lexical tokens, and `tokenizer_sha256` is empty.

    Raises:
        DataError: If `corpus` holds no finished corpus.
    """
    index = read_index(corpus)
    try:
        languages = json.loads((corpus / "statistics.json").read_text("utf-8"))
        packages = json.loads((corpus / "packages.json").read_text("utf-8"))
    except (OSError, ValueError):
        raise DataError(f"{corpus} is not finished; run codet5p corpus build again") from None
    tokenizer = _add_tokens(languages, corpus / "tokens" / "tokens.json")
    keys = ("mb", "tokens", "documents", "packages", "pairs", "functions")
    return {
        "total": {key: round(sum(row[key] for row in languages.values()), 1) for key in keys},
        "languages": languages,
        "failures": _failures(packages),
        "left_out": [
            {key: package[key] for key in ("kind", "name", "failure")} for package in packages if package["failure"]
        ],
        "addresses": sum(package["addresses"] for package in packages),
        "corpus_sha256": index["sha256"],
        "manifest_sha256": index["manifest_sha256"],
        "evaluation_sha256": index["evaluation_sha256"],
        "tokenizer_sha256": tokenizer,
        "seed": index["seed"],
        "archives": index["packages"],
        "archives_used": index["packages_used"],
        "transport_mb": round(sum(entry["bytes"] for entry in index["files"].values()) / 1e6, 1),
    }


def _add_tokens(languages: dict[str, dict[str, Any]], path: Path) -> str:
    """Add `tokens` and `tokens_per_byte` to each language and return the tokenizer's hash, if there is one."""
    if not path.is_file():
        for row in languages.values():
            row["tokens"] = row["lexical_tokens"]
            row["tokens_per_byte"] = round(row["tokens"] / (row["mb"] * 1e6), 4)
        return ""
    index = json.loads(path.read_text("utf-8"))
    for language, row in languages.items():
        shards = [shard for name, shard in index["shards"].items() if name.rsplit("-", 2)[0] == language]
        row["tokens"] = sum(shard["tokens"] for shard in shards)
        row["tokens_per_byte"] = round(row["tokens"] / max(1, sum(shard["text_bytes"] for shard in shards)), 4)
    return str(index["tokenizer_sha256"])


def _failures(packages: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    reasons = (package["failure"].split(":")[0][:80] for package in packages if package["failure"])
    return dict(Counter(reasons).most_common(20))


def _sections(figures: Mapping[str, Any]) -> list[Section]:
    languages: Mapping[str, Mapping[str, Any]] = figures["languages"]
    return [_overview(figures), _concentration(languages), _drops(languages), _licences(languages), _failed(figures)]


def _overview(figures: Mapping[str, Any]) -> Section:
    columns = (
        *("language", "MB", "documents", "packages", "tokens (M)", "tokens/byte", "functions", "pairs"),
        *("validation MB", "equal code"),
    )
    rows = [
        [
            *(language, f"{row['mb']:.1f}", f"{row['documents']:,}", f"{row['packages']:,}"),
            *(f"{row['tokens'] / 1e6:.1f}", f"{row['tokens_per_byte']:.3f}", f"{row['functions']:,}"),
            *(f"{row['pairs']:,}", f"{row['validation_mb']:.1f}", f"{row['duplicate_pairs']:,}"),
        ]
        for language, row in figures["languages"].items()
    ]
    total = figures["total"]
    sums = ["all", f"{total['mb']:.1f}", f"{total['documents']:,}", f"{total['packages']:,}"]
    rest = [f"{total['tokens'] / 1e6:.1f}", "", f"{total['functions']:,}", f"{total['pairs']:,}", "", ""]
    return "What is in it", columns, [*rows, sums + rest]


def _concentration(languages: Mapping[str, Mapping[str, Any]]) -> Section:
    rows = [
        [
            language,
            ", ".join(f"{name} {share:.1%}" for name, share in list(row["largest_packages"].items())[:3]),
            ", ".join(f"{name} {share:.1%}" for name, share in list(row["largest_archives"].items())[:2]),
        ]
        for language, row in languages.items()
    ]
    return "Largest packages, and largest downloads they come from", ("language", "packages", "downloads"), rows


def _drops(languages: Mapping[str, Mapping[str, Any]]) -> Section:
    totals: Counter[str] = Counter()
    for row in languages.values():
        totals.update(row["drops"])
    reasons = ["files", *(reason for reason, _ in totals.most_common() if reason != "files")]
    rows = [[reason, *(f"{row['drops'].get(reason, 0):,}" for row in languages.values())] for reason in reasons]
    return "What was looked at and left out (files, pieces of files, or pairs)", ("reason", *languages), rows


def _licences(languages: Mapping[str, Mapping[str, Any]]) -> Section:
    totals: Counter[str] = Counter()
    for row in languages.values():
        totals.update(row["licences_mb"])
    rows = [[name, f"{size:.1f}"] for name, size in totals.most_common(40)]
    return "Licences, as the manifest has them", ("licence", "MB"), rows


def _failed(figures: Mapping[str, Any]) -> Section:
    rows = [[reason, f"{count:,}"] for reason, count in figures["failures"].items()]
    return "Packages left out as a whole", ("reason", "packages"), rows
