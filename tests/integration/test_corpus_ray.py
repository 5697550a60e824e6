"""The filter chain on two Ray workers gives what it gives in one process."""

import json
import os
import subprocess
import sys
from pathlib import Path

from codet5p.training.corpus.config import CorpusConfig
from codet5p.training.corpus.documents import filter_file
from codet5p.training.corpus.filter_pool import load_rules
from codet5p.training.corpus.ray_pipeline import document_row

# Ray starts processes that talk over sockets, and warns of its own accord: it gets a process of its own. Of its four
# slots two are for the workers and the others for reading and writing blocks.
PIPELINE = """
import json, sys
from pathlib import Path
import ray, ray.data
from codet5p.training.corpus.config import CorpusConfig
from codet5p.training.corpus.ray_pipeline import filter_with_ray

ray.init(num_cpus=4, include_dashboard=False, log_to_driver=False, object_store_memory=100_000_000)
ray.data.DataContext.get_current().enable_progress_bars = False
files = json.loads(Path(sys.argv[1]).read_text())
rows = ray.data.from_items([{"path": path, "content": text.encode()} for path, text in files])
config = CorpusConfig(manifest=Path("m"), cache=Path("c"))
documents = filter_with_ray(rows.repartition(4), config, ("python", "go"), workers=2).take_all()
for document in documents:
    document["signature"] = document["signature"].hex()
    document["shared_ngrams"] = document["shared_ngrams"].hex()
Path(sys.argv[2]).write_text(json.dumps(documents, default=int))
"""
PYTHON = '''\
def add_{0}(left, right):
    """Return the sum of the two numbers."""
    total = left + right
    return total * {0}


'''
GO = (
    "package a\n\n"
    + "// Add{0} returns the sum of both.\nfunc Add{0}(a, b int) int {{\n\tc := a + b\n\treturn c\n}}\n\n" * 4
)


def test_two_workers_give_the_same_documents(tmp_path: Path) -> None:
    files = [(f"m{number}.py", "".join(PYTHON.format(number * 100 + i) for i in range(30))) for number in range(20)]
    files += [(f"m{number}.go", GO.format(number)) for number in range(20)]
    files += [("long.py", "".join(PYTHON.format(i) for i in range(300))), ("no.rb", "x = 1"), ("tiny.py", "x = 1")]
    source, target = tmp_path / "files.json", tmp_path / "documents.json"
    source.write_text(json.dumps(files))
    environment = os.environ | {"RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"}
    subprocess.run([sys.executable, "-c", PIPELINE, str(source), str(target)], check=True, timeout=170, env=environment)
    config = CorpusConfig(manifest=Path("m"), cache=Path("c"))
    evaluation = load_rules(config).evaluation
    expected = [
        document_row(document)
        for path, text in files
        for document in filter_file(path, text.encode(), ("python", "go"), config, evaluation).documents
    ]
    for row in expected:
        row["signature"], row["shared_ngrams"] = row["signature"].hex(), row["shared_ngrams"].hex()
    assert len(expected) > 40

    def by_place(row: dict[str, object]) -> tuple[object, object]:
        return row["path"], row["part"]

    assert sorted(json.loads(target.read_text()), key=by_place) == sorted(expected, key=by_place)
