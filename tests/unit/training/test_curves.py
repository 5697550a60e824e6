import csv
from pathlib import Path

from codet5p.training.curves import CurveLog, plot_curves
from codet5p.training.progress import describe


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_columns_that_turn_up_later_widen_the_table(tmp_path: Path) -> None:
    log = CurveLog(tmp_path, first_step=0)
    log.add({"step": 1.0, "loss.a": 2.5})
    log.add({"step": 2.0, "loss.b": 1.0})
    assert read(log.path) == [
        {"step": "1", "loss.a": "2.5", "loss.b": ""},
        {"step": "2", "loss.a": "", "loss.b": "1"},
    ]


def test_resuming_forgets_rows_behind_the_checkpoint(tmp_path: Path) -> None:
    log = CurveLog(tmp_path, first_step=0)
    for step in (5.0, 10.0, 15.0):
        log.add({"step": step, "loss.a": 1.0})
    assert [row["step"] for row in read(CurveLog(tmp_path, first_step=10).path)] == ["5", "10"]


def test_the_curves_become_a_picture(tmp_path: Path) -> None:
    log = CurveLog(tmp_path, first_step=0)
    for step in range(3):
        log.add({"step": float(step), "loss.a": 3.0 - step, "learning_rate": 0.1, "gradient_norm": 1.0})
    log.add({"step": 3.0, "validation.a": 1.5})
    plot_curves(log.path, tmp_path / "curves.png")
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_a_report_names_losses_and_skipped_steps() -> None:
    measured = {
        "loss.matching": 0.5,
        "learning_rate": 1e-4,
        "gradient_norm": 2.0,
        "tokens_per_second": 1234.0,
        "skipped_steps": 2.0,
    }
    assert describe(measured) == "matching 0.500  lr 1.0e-04  gradient 2.00  1,234 tokens/s  skipped 2"
