"""What the engine works around in CTranslate2: when one of these tests fails, the engine may become simpler."""

import time
from threading import Thread
from typing import Any

import ctranslate2
import pytest

from codet5p.core.assembly import AssembledModels

PROMPT = [["d", "e", "f"]]


@pytest.fixture
def generator(float32_models: AssembledModels) -> ctranslate2.Generator:
    return ctranslate2.Generator(str(float32_models.completion))


def test_unloading_while_a_batch_is_active_is_silently_refused_and_works_soon_after(
    generator: ctranslate2.Generator,
) -> None:
    was_loaded: list[bool] = []

    def unload_meanwhile(_: Any) -> bool:
        thread = Thread(target=generator.unload_model)
        thread.start()
        thread.join(10)
        was_loaded.append(generator.model_is_loaded)
        return True

    generator.generate_batch(PROMPT, beam_size=1, max_length=4, end_token=[], callback=unload_meanwhile)
    assert was_loaded == [True]
    deadline = time.monotonic() + 1.0
    while generator.model_is_loaded and time.monotonic() < deadline:
        generator.unload_model()
        time.sleep(0.001)
    assert not generator.model_is_loaded
    generator.load_model()
    assert generator.model_is_loaded


def test_a_callback_stops_a_beam_of_one(generator: ctranslate2.Generator) -> None:
    options = {"beam_size": 1, "max_length": 8, "end_token": [], "include_prompt_in_result": False}
    stopped = generator.generate_batch(PROMPT, callback=lambda step: step.step >= 2, **options)
    assert len(stopped[0].sequences_ids[0]) == 3
    assert len(generator.generate_batch(PROMPT, **options)[0].sequences_ids[0]) == 8


def test_a_callback_is_refused_with_more_beams(generator: ctranslate2.Generator) -> None:
    with pytest.raises(ValueError, match="callback function is not compatible with beam_size > 1"):
        generator.generate_batch(PROMPT, beam_size=2, max_length=4, callback=lambda _: True)
