"""How well an embedding model finds code by its description, beside all-MiniLM-L6-v2 and BM25: the same pools, one run.

    python -m benchmarks.retrieval --data DIR [--artifact DIR] [--limit N] [--output FILE]

DIR holds the sets of `codet5p evaluate` (CoSQA, CodeSearchNet Ruby, MBXP). MiniLM is as it was released: its own
tokenizer and 128 tokens. BM25 is bm25s over the words of texts and identifiers.
"""

import argparse
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bm25s
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from benchmarks.machine import ROOT, describe_machine
from benchmarks.minilm import MiniLmEmbedder
from codet5p.core.artifact import load_manifest
from codet5p.core.assembly import default_cache
from codet5p.lsp_server.engine.loading import load_encoder_engine
from codet5p.lsp_server.index.words import words_of
from codet5p.training.evaluation.ranking import ranks_of_gold, recall_at, reciprocal_ranks
from codet5p.training.evaluation.retrieval import RetrievalTask
from codet5p.training.evaluation.suites import SuiteOptions, cosqa_task, csn_ruby_task, mbxp_tasks

Scores = Callable[[RetrievalTask], NDArray[np.floating]]


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--artifact", type=Path, default=ROOT / "artifacts" / "embedding")
    parser.add_argument("--limit", type=int, default=None)
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks" / "results" / "retrieval.json")
    arguments = parser.parse_args()
    machine = describe_machine()
    options = SuiteOptions(data=arguments.data, limit=arguments.limit)
    tasks = [task for suite in (csn_ruby_task, mbxp_tasks, cosqa_task) for task in suite(options)]
    systems = {name: _measure(name, scores, tasks) for name, scores in _systems(arguments.artifact).items()}
    manifest = load_manifest(arguments.artifact)
    result = {"machine": machine, "artifact": f"{manifest.name} {manifest.revision}", "systems": systems}
    arguments.output.write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    for name, figures in systems.items():
        Console().print(name, {task: values["mrr"] for task, values in figures.items()})


def _systems(artifact: Path) -> dict[str, Scores]:
    ours = load_encoder_engine(artifact, default_cache(), num_threads=os.cpu_count() or 1)
    theirs = MiniLmEmbedder()
    return {
        "codet5p embedding": lambda task: ours.embed(task.queries) @ ours.embed(task.candidates).T,
        theirs.name: lambda task: theirs.embed(task.queries) @ theirs.embed(task.candidates).T,
        "BM25": _bm25_scores,
    }


def _bm25_scores(task: RetrievalTask) -> NDArray[np.floating]:
    retriever = bm25s.BM25()
    retriever.index([list(words_of(code)) for code in task.candidates], show_progress=False)
    return np.stack([retriever.get_scores(list(words_of(query))) for query in task.queries])


def _measure(name: str, scores: Scores, tasks: list[RetrievalTask]) -> dict[str, dict[str, Any]]:
    figures = {}
    for task in track(tasks, description=name, console=Console(stderr=True)):
        started = time.perf_counter()
        ranks_Q = ranks_of_gold(scores(task), np.asarray(task.gold, np.int64))
        figures[task.name] = {
            "mrr": round(100 * float(reciprocal_ranks(ranks_Q).mean()), 1),
            "recall_at_10": round(100 * recall_at(ranks_Q, 10), 1),
            "queries": len(task.queries),
            "candidates": len(task.candidates),
            "seconds": round(time.perf_counter() - started, 1),
        }
    languages = [values["mrr"] for task, values in figures.items() if task.startswith("retrieval_mbxp_")]
    figures["retrieval_mbxp_mean"] = {"mrr": round(float(np.mean(languages)), 1)}
    return figures


if __name__ == "__main__":
    main()
