"""What the first sentences of docstrings are worth: by the name alone, by a prompted decoder, by the trained model.

    python -m benchmarks.docstrings sentences DATA [--artifact DIR] [--limit 300] [--output FILE]
    python -m benchmarks.docstrings page FOLDER... [--artifact DIR] [--per-language 50] --page FILE

`sentences` scores against what people wrote (CodeSearchNet Ruby as CodeXGLUE cleaned it, `code`, `name` and `reference`
a row): smoothed BLEU-4, and the F1 of content words. BLEU alone deceives here: "is a bit of a hack" about everything
scores higher than the words of the name.

`page` writes sentences beside those of people, to be read. The model has a column where the artifact has one for text
about code.
"""

import argparse
import gzip
import json
import random
import re
import statistics
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.machine import ROOT, describe_machine
from codet5p.core.artifact import load_manifest, released_artifact
from codet5p.core.assembly import default_cache
from codet5p.core.syntax import Function, extract_functions, language_of_path
from codet5p.lsp_server.engine.ctranslate2_engine import CTranslate2Engine
from codet5p.lsp_server.engine.loading import load_engine, load_sequence_engine
from codet5p.lsp_server.engine.protocol import GenerationRequest
from codet5p.lsp_server.features.docstring.model_writer import ModelWriter
from codet5p.lsp_server.features.docstring.summary import subject_of, summary_by_model, summary_by_name
from codet5p.lsp_server.features.docstring.writer import Subject
from codet5p.lsp_server.index.words import split_identifier, stem
from codet5p.training.evaluation.text_scores import bleu_tokens, smoothed_bleu

_Writer = Callable[[str, Subject], str]
_SAMPLE_SEED = 0
_MOST_CODE_TOKENS = 220
_MOST_NEW_TOKENS = 32
_LARGEST_FILE = 150_000
_EXAMPLES = (
    ("def active_users(since)\n  users.select { |user| user.last_seen > since }\nend",
     "Returns the users that were seen after the given time."),
    ("def save!\n  raise InvalidRecord, errors unless valid?\n  store.write(id, attributes)\nend",
     "Saves the record, or raises an error if it is not valid."),
    ("def expired?\n  expires_at && expires_at < Time.now\nend", "Checks whether the expiry date has passed."),
    ("def parse_header(line)\n  key, value = line.split(':', 2)\n  [key.strip.downcase, value.to_s.strip]\nend",
     "Splits a header line into its name and its value."),
)  # fmt: skip
"""What the prompted decoder is shown first; its state is kept."""
_EMPTY_WORDS = frozenset(
    {
        "a", "an", "the", "of", "for", "to", "in", "on", "with", "and", "or", "is", "are", "be", "that", "this", "it",
        "its", "given", "whether", "if", "from", "by", "as", "at", "return", "get", "function", "method", "new", "list",
        "specified", "use", "used", "when", "not",
    }
)  # fmt: skip


def main() -> None:
    """Do what the first argument says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    sentences = commands.add_parser("sentences")
    sentences.add_argument("data", type=Path, help="JSON Lines, gzip, with code, name and reference")
    sentences.add_argument("--limit", type=int, help="a fixed sample of so many rows")
    sentences.add_argument("--output", type=Path, default=ROOT / "benchmarks" / "results" / "docstrings.json")
    page = commands.add_parser("page")
    page.add_argument("folders", type=Path, nargs="+", help="code with docstrings by people")
    page.add_argument("--per-language", type=int, default=50)
    page.add_argument("--page", type=Path, required=True, help="the Markdown file to write")
    for command in (sentences, page):
        command.add_argument("--artifact", type=Path, default=released_artifact())
    arguments = parser.parse_args()
    if arguments.command == "page":
        text = side_by_side(arguments.folders, arguments.artifact, arguments.per_language)
        arguments.page.write_text(text, "utf-8")
        return
    result = measure(arguments.data, arguments.artifact, arguments.limit)
    arguments.output.write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    print_table(result)


def measure(data: Path, artifact: Path, limit: int | None) -> dict[str, Any]:
    """Return the scores of every writer on the same rows."""
    with gzip.open(data, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    if limit is not None:
        rows = random.Random(_SAMPLE_SEED).sample(rows, limit)
    writers = {"words of the name": _words_of_name, "sentence of the name": _sentence_of_name, **_models(artifact)}
    return {
        "machine": describe_machine(),
        "artifact": load_manifest(artifact).revision,
        "rows": len(rows),
        "writers": {name: _scores(write, rows, name) for name, write in writers.items()},
    }


def print_table(result: dict[str, Any]) -> None:
    """Print one line a writer."""
    table = Table("", "BLEU-4", "content F1", "silent %", title=f"{result['rows']} functions")
    for name, scores in result["writers"].items():
        table.add_row(name, *(f"{scores[key]:.1f}" for key in ("bleu", "content_f1", "silent")))
    Console().print(table)


def content_f1(written: str, reference: str) -> float:
    """Return how well the content words of two texts agree, from 0 to 100: F1 of their stems, empty words left out."""
    ours, theirs = _content(written), _content(reference)
    shared = len(ours & theirs)
    return 200 * shared / (len(ours) + len(theirs)) if shared else 0.0


def _content(text: str) -> set[str]:
    words = re.findall(r"[a-z]+", text.lower())
    return {stem(word) for word in words if word not in _EMPTY_WORDS and stem(word) not in _EMPTY_WORDS}


def _scores(write: _Writer, rows: Sequence[dict[str, Any]], title: str) -> dict[str, Any]:
    """Return mean scores; where a writer is silent, the words of the name stand in, as in no text at all."""
    texts, silent = [], 0
    for row in track(rows, title, console=Console(stderr=True)):
        text = write(row["name"], _subject(row))
        silent += not text
        texts.append(text or _words_of_name(row["name"], _subject(row)))
    bleu = [
        smoothed_bleu(bleu_tokens(text), bleu_tokens(row["reference"])) for text, row in zip(texts, rows, strict=True)
    ]
    f1 = [content_f1(text, row["reference"]) for text, row in zip(texts, rows, strict=True)]
    return {
        "bleu": round(statistics.fmean(bleu), 2),
        "content_f1": round(statistics.fmean(f1), 2),
        "silent": round(100 * silent / len(rows), 1),
    }


def _subject(row: dict[str, Any]) -> Subject:
    functions = extract_functions(row["code"], "ruby")
    if not functions:
        return Subject(source=row["code"], language="ruby")
    container = ".".join(re.split(r"[.:]+", row["name"])[:-1])
    return subject_of(row["code"], replace(functions[0], container=container))


def _words_of_name(name: str, _subject: Subject) -> str:
    return " ".join(split_identifier(re.split(r"[.:]+", name)[-1]))


def _sentence_of_name(_name: str, subject: Subject) -> str:
    summary = summary_by_name(subject, ())
    return summary.text if summary is not None else ""


def _models(artifact: Path) -> dict[str, _Writer]:
    """Return the writers that the artifact's modes allow."""
    manifest = load_manifest(artifact)
    writers: dict[str, _Writer] = {}
    if "complete" in manifest.modes:
        engine = load_engine(artifact, default_cache()).engine
        for name, opening in (("prompted decoder", False), ("prompted decoder behind the name's sentence", True)):
            writers[name] = _Prompted(engine, continues_name=opening)
    if "generate" in manifest.modes:
        model = ModelWriter(lambda: load_sequence_engine(artifact, default_cache(), num_threads=1))
        writers["trained model"] = lambda _, subject: model.summarize(subject, Event()) or ""
    return writers


class _Prompted:
    """The decoder-only model, shown four examples and the code, then asked to go on behind `Summary:`."""

    def __init__(self, engine: CTranslate2Engine, *, continues_name: bool) -> None:
        self._engine = engine
        self._continues_name = continues_name
        encode = engine.tokenizer.encode
        start = engine.tokenizer.token_id("<|endoftext|>")
        examples = (f"Code:\n{code}\nSummary: {text}\n\n" for code, text in _EXAMPLES)
        self._static_ids = (start, *(token for example in examples for token in encode(example)))
        line_ends = (token for token, content in enumerate(engine.tokenizer.token_bytes) if b"\n" in content)
        self._end_ids = (*line_ends, start)

    def __call__(self, _name: str, subject: Subject) -> str:
        """Return the first sentence; nothing where it shall continue the name's sentence and there is none."""
        if self._continues_name and not subject.name_says:
            return ""
        opening = f" {subject.name_says}" if self._continues_name else ""
        encode = self._engine.tokenizer.encode
        code = encode(subject.source)[:_MOST_CODE_TOKENS]
        request = GenerationRequest(
            static_ids=self._static_ids,
            tail_ids=(*encode("Code:\n"), *code, *encode(f"\nSummary:{opening}")),
            required_prefix=b"",
            end_ids=self._end_ids,
            max_new_tokens=_MOST_NEW_TOKENS,
            time_limit_seconds=60,
        )
        generation = self._engine.generate(request, Event())
        assert generation is not None
        text = self._engine.tokenizer.decode(generation.ids).split("\n")[0]
        match = re.match(r".*?[.!?](?=\s|$)", text)
        return f"{opening}{match[0] if match else text}".strip()


def side_by_side(folders: Sequence[Path], artifact: Path, per_language: int) -> str:
    """Return a Markdown page with the sentences of people, of the name and of the model."""
    manifest = load_manifest(artifact)
    model = None
    if "generate" in manifest.modes:
        model = ModelWriter(lambda: load_sequence_engine(artifact, default_cache(), num_threads=1))
    lines = ["# First sentences of docstrings", "", f"Artifact {manifest.name}, revision {manifest.revision}.", ""]
    for language, found in sorted(_documented(folders, per_language).items()):
        lines += [f"## {language}", "", "| function | people | the name |" + " the model |" * (model is not None)]
        lines.append("|---" * (3 + (model is not None)) + "|")
        for function, subject in track(found, language, console=Console(stderr=True)):
            by_name = summary_by_name(subject, [function])
            cells = [f"`{function.qualified_name}`", _summary(function), by_name.text if by_name else ""]
            if model is not None:
                by_model = summary_by_model(subject, [function], model, Event())
                cells.append(by_model.text if by_model else "")
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        lines.append("")
    return "\n".join(lines)


def _documented(folders: Sequence[Path], per_language: int) -> dict[str, list[tuple[Function, Subject]]]:
    """Return a fixed sample of functions with documentation for each language, one a file."""
    paths = sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())
    random.Random(_SAMPLE_SEED).shuffle(paths)
    found: defaultdict[str, list[tuple[Function, Subject]]] = defaultdict(list)
    for path in paths:
        language = language_of_path(path.name)
        if language is None or len(found[language]) >= per_language or path.stat().st_size > _LARGEST_FILE:
            continue
        text = path.read_text("utf-8", errors="replace")
        functions = [one for one in extract_functions(text, language, path.name) if _summary(one)]
        if functions:
            chosen = random.Random(_SAMPLE_SEED).choice(functions)
            found[language].append((chosen, subject_of(text, chosen, path.name)))
    return {language: pairs for language, pairs in found.items() if pairs}


def _summary(function: Function) -> str:
    return function.documentation.summary if function.documentation is not None else ""


if __name__ == "__main__":
    main()
