"""Whether new and updated docstrings are safe, and whether their facts are those that people write, on real code.

    python -m benchmarks.docstring_safety FOLDER... [--per-language 300] [--output FILE]

For functions without documentation one is inserted in every style of the language: without it the file must be byte
for byte what it was, it must parse as well, and the text must be found again and need no update. For documented
functions an update must keep the file parsing and leave nothing to update.

Agreement counts, over functions whose documentation lists facts: whether it lists the parameters of the signature,
which of its exceptions the syntax shows and the other way round, whether it describes a result where one is returned,
and how often a type or default written in it is that of the code.
"""

import argparse
import json
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track

from benchmarks.machine import ROOT, describe_machine
from codet5p.core.syntax import Function, extract_functions, language_of_path
from codet5p.lsp_server.features.docstring.comment import read_comment
from codet5p.lsp_server.features.docstring.facts import Facts, read_facts
from codet5p.lsp_server.features.docstring.insert import can_insert, write_documentation
from codet5p.lsp_server.features.docstring.layout import Layout, Style, bare_name
from codet5p.lsp_server.features.docstring.styles import STYLES, style_of_text
from codet5p.lsp_server.features.docstring.type_agreement import disagrees
from codet5p.lsp_server.features.docstring.update import apply_updates, find_update, parses_as_well

_SENTENCE = 'Does "this" & <that> \\ with *stars* */ and 100%.'
_LARGEST_FILE = 60_000
_FUNCTIONS_A_FILE = 8
_SEED = 0

_Report = Callable[[str], None]


def main() -> None:
    """Measure, print what broke, and write the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--per-language", type=int, default=300)
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks" / "results" / "docstring_safety.json")
    arguments = parser.parse_args()
    console = Console(stderr=True)
    result: dict[str, Any] = {"machine": describe_machine(), "languages": {}}
    for language, paths in sorted(_files(arguments.folders).items()):
        counts: Counter[str] = Counter()
        functions = list(_sample(paths, language, arguments.per_language))
        for path, text, function in track(functions, language, console=console):
            counts["functions"] += 1
            _check(text, function, path, counts, console)
        result["languages"][language] = dict(sorted(counts.items()))
    arguments.output.write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    Console().print_json(data=result["languages"])


def _files(folders: Sequence[Path]) -> dict[str, list[Path]]:
    paths: defaultdict[str, list[Path]] = defaultdict(list)
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            language = language_of_path(path.name)
            if language is not None and path.is_file() and path.stat().st_size <= _LARGEST_FILE:
                paths[language].append(path)
    return paths


def _sample(paths: Sequence[Path], language: str, most: int) -> Iterator[tuple[Path, str, Function]]:
    """Yield a fixed sample of functions, at most eight of a file."""
    drawing, given = random.Random(_SEED), 0
    for path in drawing.sample(paths, len(paths)):
        try:
            text = path.read_bytes().decode("utf-8")
        except UnicodeDecodeError:
            continue
        functions = extract_functions(text, language, path.name)
        for function in drawing.sample(functions, min(len(functions), _FUNCTIONS_A_FILE)):
            if given >= most:
                return
            given += 1
            yield path, text, function


def _check(text: str, function: Function, path: Path, counts: Counter[str], console: Console) -> None:
    def broken(what: str) -> None:
        counts[f"broken: {what}"] += 1
        console.print(f"{what}: {path}:{function.lines[0] + 1} {function.qualified_name}", markup=False)

    comment = read_comment(text, function)
    if comment is not None:
        style = style_of_text(comment.contents, function.language)
        if style is not None:
            facts = read_facts(text, function, path.name)
            counts.update(_agreement(style.parse(comment.contents), facts, function.language))
        _check_update(text, function, path, counts, broken)
    elif can_insert(text, function):
        for style in STYLES[function.language]:
            counts["inserted"] += 1
            _check_insertion(text, function, style, path, broken)
    else:
        counts["without a line of its own"] += 1


def _check_insertion(text: str, function: Function, style: Style, path: Path, broken: _Report) -> None:
    language = function.language
    update = write_documentation(text, function, style, _SENTENCE, path.name)
    new = apply_updates(text, [update])
    if new[: update.start] + new[update.start + len(update.text) :] != text:
        broken("other code was changed")
    if not parses_as_well(text, new, language, path.name):
        broken("it does not parse")
        return
    place = extract_functions(text, language, path.name).index(function)
    again = extract_functions(new, language, path.name)[place]
    comment = read_comment(new, again)
    if comment is None or new[comment.start : comment.end].strip() != update.text.strip():
        broken("the text is not found again")
    elif find_update(new, again, path.name) is not None:
        broken("the new text needs an update")


def _check_update(text: str, function: Function, path: Path, counts: Counter[str], broken: _Report) -> None:
    counts["documented"] += 1
    update = find_update(text, function, path.name)
    if update is None:
        return
    counts["updated"] += 1
    new = apply_updates(text, [update])
    if not parses_as_well(text, new, function.language, path.name):
        broken("the update does not parse")
        return
    place = extract_functions(text, function.language, path.name).index(function)
    if find_update(new, extract_functions(new, function.language, path.name)[place], path.name) is not None:
        broken("the update needs an update")


def _agreement(layout: Layout, facts: Facts, language: str) -> Counter[str]:
    """Return how often the facts of a documentation text are those of the syntax."""
    counts: Counter[str] = Counter()
    if not facts.is_certain:
        return counts
    documented = {name for entry in layout.of_kind("parameter") for name in entry.names}
    if documented:
        wanted = {bare_name(fact.name) for fact in facts.parameters if fact.wants_documentation}
        named = {bare_name(fact.name) for fact in facts.parameters}
        counts["parameters listed"] += 1
        counts["parameters agree"] += wanted <= documented <= named
    raised = {_last(name) for entry in layout.of_kind("raises") for name in entry.names}
    if raised:
        found = {_last(name) for name in facts.raises}
        counts.update({"exceptions documented": len(raised), "exceptions found": len(found)})
        counts["exceptions both"] += len(raised & found)
    if facts.returns_value is not None and (documented or layout.of_kind("returns", "yields")):
        counts["results judged"] += 1
        counts["results agree"] += facts.returns_value == bool(layout.of_kind("returns", "yields"))
    counts.update(_values(layout, facts, language))
    return counts


def _values(layout: Layout, facts: Facts, language: str) -> Counter[str]:
    counts: Counter[str] = Counter()
    by_name = {bare_name(fact.name): fact for fact in facts.parameters}
    for entry in layout.of_kind("parameter"):
        fact = by_name.get(entry.names[0]) if len(entry.names) == 1 else None
        if fact is not None and entry.default:
            counts["defaults written"] += 1
            counts["defaults agree"] += entry.default.strip("`\"' ") == fact.default.strip("`\"' ")
        if fact is not None and entry.annotation and fact.annotation:
            counts["types written"] += 1
            counts["types agree"] += not disagrees(entry.annotation, fact.annotation, language, frozenset())
    return counts


def _last(name: str) -> str:
    return name.replace("\\", ".").replace("::", ".").rpartition(".")[2]


if __name__ == "__main__":
    main()
