"""A household ledger: entries in a CSV file, totals by category, a report for a month."""

import csv
import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from pathlib import Path


@dataclass
class Entry:
    day: date
    category: str
    amount: float
    note: str = ""

    @property
    def is_expense(self) -> bool:
        return self.amount < 0


class Ledger:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: list[Entry] = []

    def load(self) -> None:
        self.entries.clear()
        with open(self.path, newline="") as file:
            reader = csv.DictReader(file)
            for row in reader:
                self.entries.append(
                    Entry(
                        day=date.fromisoformat(row["day"]),
                        category=row["category"],
                        amount=float(row["amount"]),
                        note=row["note"],
                    )
                )

    def save(self) -> None:
        with open(self.path, "w", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=["day", "category", "amount", "note"])
            writer.writeheader()
            for entry in self.entries:
                writer.writerow(
                    {
                        "day": entry.day.isoformat(),
                        "category": entry.category,
                        "amount": entry.amount,
                        "note": entry.note,
                    }
                )

    def totals(self) -> dict[str, float]:
        totals: dict[str, float] = defaultdict(float)
        for entry in self.entries:
            totals[entry.category] += entry.amount
        return dict(totals)

    def month(self, year: int, month: int) -> list[Entry]:
        return [entry for entry in self.entries if entry.day.year == year and entry.day.month == month]


def export_json(ledger: Ledger, path: Path) -> None:
    totals = ledger.totals()
    with open(path, "w") as file:
        json.dump(totals, file, indent=2)
