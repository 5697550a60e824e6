"""Our retrieval metrics against those of sentence-transformers, each computed by its own model and its own code."""

from pathlib import Path

import pytest
from exported_models import decided_model
from fakes import small_tokenizer
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.evaluation import InformationRetrievalEvaluator
from small_artifact import SMALL

from codet5p.export.sentence_transformers import write_sentence_transformers
from codet5p.model.checkpoint import save_checkpoint
from codet5p.training.evaluation.retrieval import RetrievalTask, evaluate_retrieval
from codet5p.training.evaluation.torch_model import TorchModel

TOKENIZER = small_tokenizer()
COUNT = 30


def test_the_evaluator_of_sentence_transformers_agrees(tmp_path: Path) -> None:
    model = decided_model(SMALL)
    save_checkpoint(tmp_path / "checkpoint", model, tokenizer_json=TOKENIZER._tokenizer.to_str(), extra={})
    write_sentence_transformers(tmp_path / "checkpoint", tmp_path / "folder")
    # A random model ranks by chance, so the right candidate stands at every depth.
    queries = [f"read value {number} of the file" for number in range(COUNT)]
    codes = [f"def value_{number}(file):\n    return file.read()[{number * 7}]\n" for number in range(COUNT)]
    task = RetrievalTask(name="t", queries=tuple(queries), candidates=tuple(codes), gold=tuple(range(COUNT)))
    ours = evaluate_retrieval(TorchModel(model, TOKENIZER), task).metrics
    evaluator = InformationRetrievalEvaluator(
        {f"q{number}": text for number, text in enumerate(queries)},
        {f"c{number}": text for number, text in enumerate(codes)},
        {f"q{number}": {f"c{number}"} for number in range(COUNT)},
        mrr_at_k=[COUNT],
        accuracy_at_k=[1, 5, 10],
        precision_recall_at_k=[1],
        ndcg_at_k=[1],
        map_at_k=[1],
        write_csv=False,
        show_progress_bar=False,
    )
    theirs = evaluator(SentenceTransformer(str(tmp_path / "folder"), device="cpu"))
    assert ours["mrr"] == pytest.approx(100 * theirs[f"cosine_mrr@{COUNT}"], abs=1e-6)
    assert 5 < ours["mrr"] < 95
    for k in (1, 5, 10):
        assert ours[f"recall_at_{k}"] == pytest.approx(100 * theirs[f"cosine_accuracy@{k}"], abs=1e-6)
