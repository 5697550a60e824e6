"""Two processes train as one does: the step's loss and weights do not depend on how many share it."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from codet5p.training.run_checkpoint import latest_checkpoint, load_run

ROOT = Path(__file__).parents[2]
STAGE = (
    "stages=[{name='all', steps=3, objectives={span_denoising=1.0, decoder_only_causal_lm=1.0, contrastive=1.0, "
    "matching=1.0, text_to_code=1.0, code_to_text=1.0}, "
    "code={rows=4, micro_rows=2, chunk_tokens=32, block_tokens=32}, "
    "pairs={rows=8, micro_rows=2, max_text_tokens=16, max_code_tokens=32, queue=16}}]"
)
OVERRIDES = ["tokenizer.vocabulary=300", STAGE]
SCRIPT = """
import json, sys
from pathlib import Path
from codet5p.training.config import load_recipe
from codet5p.training.trainer import run_training
recipe = load_recipe(Path(sys.argv[1]), sys.argv[2:])
print(json.dumps(run_training(recipe).losses))
"""
# Accelerate itself splits weights on GPUs only, so the script tells it to; the rest is the trainer as it is.
FSDP2_SCRIPT = """
import json, sys
from pathlib import Path
from accelerate import FullyShardedDataParallelPlugin
from accelerate.state import PartialState
from accelerate.utils import DistributedType
from torch.distributed.tensor import DTensor
from codet5p.training import acceleration, stage_run, trainer
from codet5p.training.config import load_recipe

make = acceleration.make_accelerator
prepared = []

def make_splitting(recipe):
    accelerator = make(recipe)
    PartialState._shared_state["distributed_type"] = DistributedType.FSDP
    accelerator.state.distributed_type = DistributedType.FSDP
    accelerator.state.fsdp_plugin = FullyShardedDataParallelPlugin(
        fsdp_version=2, auto_wrap_policy="transformer_based_wrap", cpu_ram_efficient_loading=False,
        transformer_cls_names_to_wrap=["EncoderLayer", "DecoderLayer"], reshard_after_forward=True,
        state_dict_type="FULL_STATE_DICT",
    )
    return accelerator

class Watched(stage_run.StageRun):
    def take_step(self, micro_batches):
        prepared.append(all(isinstance(weight, DTensor) for weight in self.wrapped.parameters()))
        return super().take_step(micro_batches)

trainer.make_accelerator, trainer.StageRun = make_splitting, Watched
recipe = load_recipe(Path(sys.argv[1]), sys.argv[2:])
losses = trainer.run_training(recipe).losses
assert prepared and all(prepared), "every weight is split"
print(json.dumps(losses))
"""
# Three steps of AdamW on a model split by FSDP2, or whole; only the first process of the split run writes.
SPLIT_SCRIPT = """
import sys
from pathlib import Path
import torch
from torch.distributed.fsdp import fully_shard
from codet5p.training.sharded_state import load_whole_optimizer_state, whole_optimizer_state, whole_weights

def train(is_split):
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(8, 6), torch.nn.Tanh(), torch.nn.Linear(6, 4))
    if is_split:
        mesh = torch.distributed.device_mesh.init_device_mesh("cpu", (2,))
        for layer in (module[0], module[2], module):
            fully_shard(layer, mesh=mesh)
    optimizer = torch.optim.AdamW(module.parameters(), lr=0.1)
    inputs = torch.randn(5, 8, generator=torch.Generator().manual_seed(1))
    for step in range(3):
        module(inputs).square().sum().backward()
        optimizer.step()
        optimizer.zero_grad()
        if step == 1 and not is_split:
            load_whole_optimizer_state(module, optimizer, whole_optimizer_state(module, optimizer))
    return {"weights": whole_weights(module), "optimizer": whole_optimizer_state(module, optimizer)}

folder = Path(sys.argv[1])
torch.distributed.init_process_group("gloo")
split = train(True)
is_first = torch.distributed.get_rank() == 0
torch.distributed.barrier()
torch.distributed.destroy_process_group()
if is_first:
    torch.save(split, folder / "split.pt")
    torch.save(train(False), folder / "alone.pt")
"""


def write_source(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    body = "    total = left + right\n    return total + {0}\n"
    function = 'def add_{0}(left, right):\n    """Return the sum of both plus {0}."""\n' + body
    (folder / "sums.py").write_text("\n\n".join(function.format(number) for number in range(40)), "utf-8")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def launch(script: str, arguments: list[str], rank: int, world: int, port: int) -> subprocess.Popen[str]:
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "ACCELERATE_USE_CPU": "true",
        **({"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(world)} if world > 1 else {}),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
    }
    command = [sys.executable, "-P", "-c", script, *arguments]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def run(output: Path, world: int, script: str = SCRIPT, overrides: list[str] = OVERRIDES) -> dict[str, float]:
    port = free_port()
    source = output.parent / "source"
    write_source(source)
    data = [f"data.code.0.path={source}", f"data.pairs.0.path={source}"]
    arguments = [str(ROOT / "training" / "recipes" / "debug.toml"), f"output={output}", *data, *overrides]
    processes = [launch(script, arguments, rank, world, port) for rank in range(world)]
    printed = [process.communicate(timeout=170) for process in processes]
    for process, (_, errors) in zip(processes, printed, strict=True):
        assert process.returncode == 0, errors
    losses: dict[str, float] = json.loads(printed[0][0].splitlines()[-1])
    return losses


def weights(output: Path) -> dict[str, torch.Tensor]:
    checkpoint = latest_checkpoint(output / "checkpoints")
    assert checkpoint is not None
    return load_run(checkpoint)[0].state_dict()


EVERYTHING = (
    "span_denoising=1.0, decoder_only_causal_lm=1.0, contrastive=1.0, matching=1.0, text_to_code=1.0, code_to_text=1.0"
)
NO_PASS_USES_ALL = "decoder_only_causal_lm=1.0, contrastive=1.0"


@pytest.mark.parametrize("objectives", [EVERYTHING, NO_PASS_USES_ALL])
def test_two_processes_give_the_weights_of_one(tmp_path: Path, objectives: str) -> None:
    overrides = [*OVERRIDES, f"stages.0.objectives={{{objectives}}}"]
    alone, together = (run(tmp_path / name, world, overrides=overrides) for name, world in (("one", 1), ("two", 2)))
    assert together == pytest.approx(alone, rel=1e-3)
    one, two = weights(tmp_path / "one"), weights(tmp_path / "two")
    for name, tensor in one.items():
        torch.testing.assert_close(
            two[name], tensor, rtol=1e-3, atol=1e-4, msg=lambda text, name=name: f"{name}: {text}"
        )


def test_two_processes_that_split_the_weights_give_the_weights_of_one(tmp_path: Path) -> None:
    objectives = "{span_denoising=1.0, decoder_only_causal_lm=1.0, text_to_code=1.0, code_to_text=1.0}"
    overrides = [*OVERRIDES, f"stages.0.objectives={objectives}"]
    alone = run(tmp_path / "one", 1, overrides=overrides)
    assert run(tmp_path / "two", 2, FSDP2_SCRIPT, overrides) == pytest.approx(alone, rel=1e-3)
    one, two = weights(tmp_path / "one"), weights(tmp_path / "two")
    for name, tensor in one.items():
        torch.testing.assert_close(
            two[name], tensor, rtol=1e-3, atol=1e-4, msg=lambda text, name=name: f"{name}: {text}"
        )


def test_split_weights_and_optimizer_state_are_saved_whole(tmp_path: Path) -> None:
    port = free_port()
    processes = [launch(SPLIT_SCRIPT, [str(tmp_path)], rank, 2, port) for rank in range(2)]
    for process in processes:
        _, errors = process.communicate(timeout=170)
        assert process.returncode == 0, errors
    split = torch.load(tmp_path / "split.pt", weights_only=True)
    alone = torch.load(tmp_path / "alone.pt", weights_only=True)
    assert split["weights"].keys() == alone["weights"].keys()
    for name, tensor in alone["weights"].items():
        torch.testing.assert_close(split["weights"][name], tensor)
    for name, moments in alone["optimizer"]["state"].items():
        torch.testing.assert_close(split["optimizer"]["state"][name]["exp_avg"], moments["exp_avg"])
