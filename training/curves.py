"""The curves of a run: one CSV row per report, and a picture of them."""

import csv
from collections.abc import Mapping
from pathlib import Path

__all__ = ["CurveLog", "plot_curves"]

_FILE = "curves.csv"


class CurveLog:
    """Appends to `curves.csv`; columns that turn up later widen the table."""

    def __init__(self, folder: Path, *, first_step: int) -> None:
        self.path = folder / _FILE
        self._rows = [row for row in _read(self.path) if float(row["step"]) <= first_step]
        folder.mkdir(parents=True, exist_ok=True)
        self._write()

    def add(self, values: Mapping[str, float | str]) -> None:
        """Append a row and write the table.

        Args:
            values: By column; `step` is one of them.
        """
        self._rows.append(
            {key: f"{value:.6g}" if isinstance(value, float) else str(value) for key, value in values.items()}
        )
        self._write()

    def _write(self) -> None:
        columns = list(dict.fromkeys(key for row in self._rows for key in row))
        with self.path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(self._rows)


def plot_curves(table: Path, picture: Path) -> None:
    """Draw the losses, the learning rate and the gradient norm over the steps.

    Args:
        table: `curves.csv` of a run.
        picture: PNG to write.
    """
    import matplotlib as mpl  # noqa: PLC0415 - slow to import, and needed once a run

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    rows = _read(table)
    columns = list(dict.fromkeys(key for row in rows for key in row))
    losses = [name for name in columns if name.startswith(("loss.", "validation."))]
    figure, panels = plt.subplots(1, 3, figsize=(15, 4.5), layout="constrained")
    for name in losses:
        _line(panels[0], rows, name, dashed=name.startswith("validation."))
    _line(panels[1], rows, "learning_rate", dashed=False)
    _line(panels[2], rows, "gradient_norm", dashed=False)
    for panel, title in zip(panels, ("loss, nats", "learning rate", "gradient norm"), strict=True):
        panel.set(xlabel="step", title=title)
        panel.grid(alpha=0.3)
    if losses:
        panels[0].legend(fontsize="small")
    figure.savefig(picture, dpi=120)
    plt.close(figure)


def _line(panel: object, rows: list[dict[str, str]], name: str, *, dashed: bool) -> None:
    points = [(float(row["step"]), float(row[name])) for row in rows if row.get(name)]
    panel.plot(  # type: ignore[attr-defined]
        [step for step, _ in points],
        [value for _, value in points],
        linestyle="--" if dashed else "-",
        marker="." if dashed else None,
        label=name.removeprefix("loss."),
    )


def _read(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
