from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
from small_artifact import SMALL, write_artifact

from codet5p.core.errors import EngineError
from codet5p.core.tokenizer import Tokenizer
from codet5p.lsp_server.engine.loading import load_sequence_engine
from codet5p.lsp_server.engine.sequence_engine import MatchLimits, SearchOptions, SequenceEngine

CODE = "def value():\n    return self.value\n"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> SequenceEngine:
    folder = tmp_path_factory.mktemp("generate")
    write_artifact(folder / "artifact", SMALL, modes=("generate", "match"))
    return load_sequence_engine(folder / "artifact", folder / "cache", num_threads=1)


@pytest.mark.parametrize("num_beams", [1, 4])
def test_writing_ends_at_the_token_limit(engine: SequenceEngine, num_beams: int) -> None:
    options = SearchOptions(num_beams=num_beams, max_new_tokens=5)
    written = engine.generate(CODE, "[TDec]", options, Event())
    assert written is not None
    assert len(written.ids) <= 5
    assert written.text == engine.tokenizer.decode(written.ids)
    assert written.score < 0


def test_a_beam_that_is_wider_finds_nothing_less_likely(engine: SequenceEngine) -> None:
    greedy, beams = (
        engine.generate(CODE, "[CDec]", SearchOptions(num_beams=num_beams, max_new_tokens=8), Event())
        for num_beams in (1, 8)
    )
    assert greedy is not None
    assert beams is not None
    assert beams.score >= greedy.score - 1e-5


@pytest.mark.parametrize("num_beams", [1, 2])
def test_a_stop_before_the_start_gives_nothing(engine: SequenceEngine, num_beams: int) -> None:
    stop = Event()
    stop.set()
    assert engine.infill("a", "b", SearchOptions(num_beams=num_beams), stop) is None


def test_a_stop_on_the_way_gives_nothing(engine: SequenceEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    stop, steps = Event(), []

    class Stopping:
        """Sets the event at the second step, as another thread would."""

        def translate_batch(self, *arguments: Any, callback: Any, **options: Any) -> Any:
            def step(result: Any) -> bool:
                steps.append(result.token_id)
                if len(steps) == 2:
                    stop.set()
                return bool(callback(result))

            return translator.translate_batch(*arguments, callback=step, **options)

    translator = engine._translator
    monkeypatch.setattr(engine, "_translator", Stopping())
    assert engine.generate(CODE, "[TDec]", SearchOptions(max_new_tokens=50), stop) is None
    assert len(steps) == 2


def test_sources_are_cut_to_the_limit(engine: SequenceEngine) -> None:
    options = SearchOptions(max_source_tokens=9, max_new_tokens=8)
    cut = engine.generate("A" * 8, "[TDec]", options, Event())
    assert engine.generate("A" * 8 + "B" * 50, "[TDec]", options, Event()) == cut
    filled = engine.infill("A" * 4, "B" * 4, options, Event())
    assert engine.infill("C" * 9 + "A" * 4, "B" * 4 + "C" * 9, options, Event()) == filled


def test_each_candidate_is_judged_by_itself(engine: SequenceEngine) -> None:
    codes = [CODE, "x", "", CODE * 20]
    together = engine.match("return the value", codes, MatchLimits(batch_rows=3))
    alone = [engine.match("return the value", [code], MatchLimits())[0] for code in codes]
    np.testing.assert_allclose(together, alone, atol=1e-4)
    assert together.dtype == np.float32
    assert together.std() > 0.01


@pytest.mark.parametrize(
    "make",
    [
        lambda: SearchOptions(num_beams=0),
        lambda: SearchOptions(max_new_tokens=0),
        lambda: SearchOptions(max_source_tokens=1),
        lambda: MatchLimits(max_text_tokens=1),
        lambda: MatchLimits(max_code_tokens=1),
        lambda: MatchLimits(batch_rows=0),
    ],
)
def test_options_without_room_are_refused(make: Any) -> None:
    with pytest.raises(ValueError, match="must be at least"):
        make()


def test_a_folder_without_a_model_is_an_error_with_the_remedy(tmp_path: Path, tokenizer: Tokenizer) -> None:
    with pytest.raises(EngineError, match=r"^cannot load the model .*; see codet5p doctor$"):
        SequenceEngine(tmp_path, tokenizer, can_match=True, num_threads=1)
