"""Tokens per second, utilisation and peak memory of training, per preset and objective, on the machine at hand.

    python -P benchmarks/training_throughput.py --preset laptop --seconds 20
    python -P benchmarks/training_throughput.py --preset tiny --micro-rows 4 --seconds 2      (a CPU)

Data is random tokens, so nothing but this package is needed. The rate of building batches is measured apart, in one
process: it must exceed what the device consumes. Utilisation is model operations over the measured rate of a large
bfloat16 matrix product, which is what this machine can reach, not what its data sheet says.
"""

import argparse
import json
import platform
import statistics
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from codet5p.model.config import laptop, t5_220m, t5_770m
from codet5p.model.transformer import CodeT5pModel
from codet5p.training.acceleration import make_accelerator, set_compiled, store_residual_in_bfloat16
from codet5p.training.batches import MicroBatch, StageBatches, StageData
from codet5p.training.config import CODE_OBJECTIVES, CodeRecipe, PairRecipe, RunRecipe, StageRecipe
from codet5p.training.flops import matrix_rate, training_flops
from codet5p.training.mixed_rows import MixedRows
from codet5p.training.objective_module import ObjectiveModule
from codet5p.training.objectives.task_tokens import TaskTokens
from codet5p.training.pair_table import PairTable, TokenRows
from codet5p.training.stage_run import StageRun
from codet5p.training.token_stream import TokenStream

SIZES = {
    "tiny": lambda: replace(
        laptop(vocab_size=1024, num_encoder_layers=1, num_decoder_layers=2),
        width=64,
        num_heads=2,
        num_key_value_heads=1,
        head_dim=32,
        feed_forward_width=128,
    ),
    "laptop": lambda: laptop(num_encoder_layers=6, num_decoder_layers=30),
    "t5_220m": lambda: t5_220m(vocab_size=32128),
    "t5_770m": lambda: t5_770m(vocab_size=32128),
}
PAIRS = {"contrastive": 1.0, "matching": 1.0, "text_to_code": 1.0, "code_to_text": 1.0}


def random_data(vocab_size: int) -> StageData:
    """Return a million random tokens in files of 500, and 4,096 random pairs."""
    rng = np.random.default_rng(0)
    special = vocab_size - 110
    tokens = TaskTokens(
        clm=special,
        cls=special + 1,
        match=special + 2,
        tdec=special + 3,
        cdec=special + 4,
        eos=special + 5,
        sentinels=tuple(range(special + 6, special + 106)),
    )
    ends = np.arange(500, 1_000_001, 500)
    stream = TokenStream([(rng.integers(0, special, 1_000_000).astype(np.uint16), ends)], tokens.eos)
    sides = []
    for longest in (100, 400):
        lengths = rng.integers(10, longest, 4096)
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        sides.append(TokenRows(rng.integers(0, special, offsets[-1]).astype(np.int32), offsets))
    words = (rng.random(vocab_size) < 0.5, rng.random(vocab_size) < 0.9)
    return StageData(
        code=((stream, 1.0),),
        pairs=PairTable(sides[0], sides[1], rng.integers(0, 2**60, (4096, 2))),
        pair_rows=MixedRows([4096], [1.0]),
        examples=None,
        example_rows=MixedRows([], []),
        tokens=tokens,
        word_tables=words,
        newline_table=rng.random(vocab_size) < 0.1,
    )


def stages(micro_rows: int) -> Iterator[tuple[str, StageRecipe]]:
    """Yield each code objective alone, all of them, and the pair objectives."""
    code = CodeRecipe(rows=micro_rows, micro_rows=micro_rows)
    for name, objectives in [
        *((objective, {objective: 1.0}) for objective in CODE_OBJECTIVES),
        ("stage 1", dict.fromkeys(CODE_OBJECTIVES, 1.0)),
    ]:
        yield name, StageRecipe(name=name, steps=10**6, objectives=objectives, code=code)
    rows = max(2, micro_rows)
    pairs = PairRecipe(rows=rows, micro_rows=rows, queue=rows * 64, text_widths=(128,), code_widths=(420,))
    yield "stage 2", StageRecipe(name="pairs", steps=10**6, objectives=PAIRS, pairs=pairs)


def measure(preset: str, stage: StageRecipe, arguments: argparse.Namespace, rate: float | None) -> dict[str, float]:
    """Return the measurements of one stage: median step, tokens per second, utilisation, memory, batch building."""
    accelerator = make_accelerator(
        RunRecipe(precision="bfloat16" if arguments.bfloat16 else "float32", cpu_threads=arguments.threads)
    )
    device = accelerator.device
    config = SIZES[preset]()
    data = random_data(config.vocab_size)
    model = CodeT5pModel(config).to(device)
    if arguments.bfloat16:
        store_residual_in_bfloat16(model)
    set_compiled(model, is_compiled=arguments.compile)
    module = ObjectiveModule(model, data.tokens, temperature=0.07).to(device)
    run = StageRun(stage, module, accelerator, seed=(0,))
    batches = StageBatches(stage, data, seed=(0,))
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)

    def step(number: int) -> tuple[float, list[MicroBatch]]:
        micro_batches = [batches[number * batches.per_step + place] for place in range(batches.per_step)]
        began = time.perf_counter()
        run.take_step(micro_batches)  # reads the gradient norm, so it ends when the device has
        return time.perf_counter() - began, micro_batches

    for number in range(arguments.warmup):
        step(number)
    seconds, tokens, flops, number = [], [], [], arguments.warmup
    while sum(seconds) < arguments.seconds:
        taken, micro_batches = step(number)
        seconds.append(taken)
        tokens.append(sum(micro.batch.num_tokens for micro in micro_batches))
        flops.append(sum(training_flops(config, micro.batch) for micro in micro_batches))
        number += 1
    began = time.perf_counter()
    built = sum(batches[place].batch.num_tokens for place in range(20))
    measured = {
        "steps": float(len(seconds)),
        "step_ms": 1000 * statistics.median(seconds),
        "tokens_per_second": sum(tokens) / sum(seconds),
        "tflops": sum(flops) / sum(seconds) / 1e12,
        "batches_tokens_per_second_one_process": built / (time.perf_counter() - began),
    }
    if rate is not None:
        measured["utilisation"] = sum(flops) / sum(seconds) / rate
    if device.type == "cuda":
        measured["peak_memory_gb"] = torch.cuda.max_memory_allocated(device) / 1e9
    run.close()
    return measured


def main() -> None:
    """Measure, print a table, and write JSON where asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", choices=sorted(SIZES), default="laptop")
    parser.add_argument("--micro-rows", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=10.0, help="measured time of each stage")
    parser.add_argument("--warmup", type=int, default=5, help="steps before it")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0 is torch's default")
    parser.add_argument("--compile", action=argparse.BooleanOptionalAction, default=torch.cuda.is_available())
    parser.add_argument("--bfloat16", action=argparse.BooleanOptionalAction, default=torch.cuda.is_available())
    parser.add_argument("--out", type=Path, help="JSON file to write")
    arguments = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    rate = matrix_rate(device)
    name = torch.cuda.get_device_name() if device.type == "cuda" else platform.processor() or platform.machine()
    print(f"{arguments.preset} on {name}, torch {torch.__version__}, matrix rate {(rate or 0) / 1e12:.0f} TFLOP/s")
    results = {}
    for stage_name, stage in stages(arguments.micro_rows):
        results[stage_name] = measure(arguments.preset, stage, arguments, rate)
        shown = "  ".join(f"{key} {value:,.4g}" for key, value in results[stage_name].items())
        print(f"{stage_name:24} {shown}", flush=True)
    if arguments.out is not None:
        facts = {"preset": arguments.preset, "device": name, "torch": torch.__version__, "matrix_rate": rate}
        arguments.out.write_text(json.dumps({**facts, "stages": results}, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
