"""`make help` is how a newcomer finds the way around."""

import re
import subprocess

from source_files import ROOT

DOORS = {"help", "setup", "run", "check", "fix", "test", "e2e", "bench", "build", "clean"}


def makefile() -> str:
    return (ROOT / "Makefile").read_text("utf-8")


def test_help_shows_every_door_with_what_it_does() -> None:
    finished = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=30)
    shown = {line.split()[0]: line.split()[1:] for line in finished.stdout.splitlines() if not line.startswith("make")}
    assert set(shown) >= DOORS
    assert all(len(words) > 1 for words in shown.values())


def test_every_door_is_phony_so_that_no_file_of_its_name_shuts_it() -> None:
    phony = re.search(r"^\.PHONY: (.+)$", makefile(), re.MULTILINE)
    assert phony is not None
    documented = set(re.findall(r"^([a-z0-9-]+):.*##", makefile(), re.MULTILINE))
    assert documented <= set(phony[1].split())


def test_pipeline_and_door_run_the_same_targets() -> None:
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    used = set(re.findall(r"\bmake (?:-\S+ )*([a-z0-9]+)", script))
    assert used
    assert used <= DOORS
