"""How many threads to compute with: measured on this machine, once for each model.

More threads help a long prompt and can hurt a single step, where they mostly wait for each other; which wins depends on
the processor, so neither the number of cores nor a table is asked.
"""

import contextlib
import json
import os
import platform
import statistics
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import ctranslate2

from codet5p.core.errors import EngineError
from codet5p.core.tokenizer import Tokenizer
from codet5p.lsp_server.engine.memory import release_free_memory

__all__ = ["Timing", "calibrated_threads", "candidate_threads", "measure"]

_PROMPT_TOKENS = 128
_TAIL_TOKENS = 16
_STEPS = 8
_REPEATS = 3
_CLEAR_GAIN = 0.2


@dataclass(frozen=True, kw_only=True, slots=True)
class Timing:
    """Speed of the model with a number of threads.

    Attributes:
        num_threads: Threads of one computation.
        prompt_ms_per_token: Processing a prompt of 128 tokens, in milliseconds a token.
        step_ms: Generating one token, in milliseconds.
        line_ms: A typical request, in milliseconds: a tail of 16 tokens and 8 new ones behind a kept prompt.
    """

    num_threads: int
    prompt_ms_per_token: float
    step_ms: float
    line_ms: float


def calibrated_threads(model: Path, tokenizer: Tokenizer, *, is_forced: bool = False) -> int:
    """Return the number of threads to use, from an earlier measurement where there is one.

    Args:
        model: Folder of an assembled model; the result is kept beside it.
        tokenizer: The model's tokenizer.
        is_forced: Measure also where other programs keep the computer busy, which says little about a quiet hour.

    Returns:
        1 to 4; 1 on a busy computer, which is then measured at a later start.
    """
    record = model.parent / "threads.json"
    machine = f"{platform.machine()} {platform.processor()} {os.cpu_count()}"
    try:
        known = json.loads(record.read_text("utf-8"))
        if known["machine"] == machine:
            return int(known["num_threads"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # not measured yet, or unreadable: measure
    if not is_forced and _is_busy():
        return 1
    timings = [measure(model, tokenizer, num_threads) for num_threads in candidate_threads()]
    release_free_memory()  # the measured models are gone, their memory would stay
    best = _choose(timings)
    content = {"machine": machine, "num_threads": best.num_threads, "timings": [asdict(timing) for timing in timings]}
    with contextlib.suppress(OSError):  # measured again next time
        record.write_text(json.dumps(content, indent=2), "utf-8")
    return best.num_threads


def _is_busy() -> bool:
    cores = os.cpu_count() or 1
    return hasattr(os, "getloadavg") and os.getloadavg()[0] > cores


def _choose(timings: list[Timing]) -> Timing:
    """Return the timing to go by: more threads only where they win clearly.

    On a busy computer threads that wait for each other cost far more than they ever gain: a line that takes 0.4 s with
    either one or two threads took 25 s with two while other programs used both cores.
    """
    best, *others = timings
    for timing in others:
        if timing.line_ms < (1 - _CLEAR_GAIN) * best.line_ms:
            best = timing
    return best


def candidate_threads() -> list[int]:
    """Return the numbers of threads worth measuring: powers of two up to 4 and the cores this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return [count for count in (1, 2, 4) if count <= cores]


def measure(model: Path, tokenizer: Tokenizer, num_threads: int) -> Timing:
    """Return the speed of a model; takes about two seconds.

    Args:
        model: Folder of an assembled model.
        tokenizer: The model's tokenizer.
        num_threads: Threads of one computation.

    Returns:
        Medians of three runs.

    Raises:
        EngineError: If the model cannot be loaded.
    """
    try:
        generator = ctranslate2.Generator(str(model), device="cpu", intra_threads=num_threads)
    except (RuntimeError, ValueError) as error:
        raise EngineError(f"cannot load the model {model}: {error}; see codet5p doctor") from None
    ordinary = [token for token, stands_for in zip(tokenizer.tokens, tokenizer.token_bytes, strict=True) if stands_for]
    prompt, tail = ordinary[:_PROMPT_TOKENS], ordinary[_PROMPT_TOKENS : _PROMPT_TOKENS + _TAIL_TOKENS]

    def seconds(tokens: list[str], steps: int, static_prompt: list[str] | None = None) -> float:
        durations = []
        for _ in range(_REPEATS):
            start = time.perf_counter()
            generator.generate_batch(
                [tokens],
                static_prompt=static_prompt,
                beam_size=1,
                min_length=steps,
                max_length=steps,
                include_prompt_in_result=False,
            )
            durations.append(time.perf_counter() - start)
        return statistics.median(durations)

    prompt_seconds = seconds(prompt, 1)
    seconds(tail, 1, prompt)
    short, long = seconds(tail, 1, prompt), seconds(tail, _STEPS, prompt)
    return Timing(
        num_threads=num_threads,
        prompt_ms_per_token=round(1000 * prompt_seconds / _PROMPT_TOKENS, 3),
        step_ms=round(1000 * (long - short) / (_STEPS - 1), 2),
        line_ms=round(1000 * long, 1),
    )
