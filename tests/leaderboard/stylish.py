"""Votes whose writers differ in style, for boards that control for it."""

import csv
import math
import random
from pathlib import Path

NAMES = ("wren", "kite", "lark", "rook", "swift", "finch")
# Substance and usual length fall in opposite order, so that control turns the board round.
SUBSTANCE = dict(zip(NAMES, (0.6, 0.4, 0.2, 0.0, -0.2, -0.4), strict=True))
LENGTH = dict(zip(NAMES, (100, 150, 200, 260, 330, 420), strict=True))
METRICS = ("tokens", "bold", "code")


def stylish(folder: Path, votes: int = 1500, name: str = "stylish.csv") -> Path:
    """Six contestants, of which the worse write the longer answers and win by that."""
    chance = random.Random(5)
    path = folder / name
    columns = [f"{metric}_{side}" for metric in METRICS for side in "ab"]
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["model_a", "model_b", "winner", "voter", *columns])
        for number in range(votes):
            a, b = chance.sample(NAMES, 2)
            tokens = [round(LENGTH[n] * chance.lognormvariate(0, 0.5)) for n in (a, b)]
            bold = [chance.randint(0, 6) for _ in range(2)]
            code = [chance.randint(0, 1) for _ in range(2)]
            pull = 1.6 * (tokens[0] - tokens[1]) / sum(tokens)
            lead = SUBSTANCE[a] - SUBSTANCE[b] + pull
            is_a = chance.random() < 1 / (1 + math.exp(-lead))
            winner = "tie" if chance.random() < 0.15 else "model_a" if is_a else "model_b"
            writer.writerow([a, b, winner, f"v{number % 80}", *tokens, *bold, *code])
    return path
