"""Plain Bradley-Terry ratings that peers give for a file of votes of ours, as JSON.

    .venv-peers/bin/python benchmarks/peer_reads.py VOTES.parquet

round_trip.py runs it in the peers' environment. The file is read with pandas as any user of theirs
would; nothing of this project is imported. A fit whose name says "as shipped" has the peer's own
settings; the others have settings under which the peer fits the model that we fit.
"""

from __future__ import annotations

import ast
import json
import math
import sys
from collections.abc import Callable
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

FASTCHAT_FILE = "fastchat/serve/monitor/elo_analysis.py"
FASTCHAT_FUNCTION = "compute_elo_mle_with_tie"
# FastChat's ridge cannot be set: it is 1/2 on squared strengths in units of ln BASE, so that it
# vanishes, and the gradient at which the fit stops with it, as BASE grows.
POWERS = 3000
EXACT = {"ftol": 0.0, "gtol": 1e-9}


def read(path: str) -> pd.DataFrame:
    """The votes that count."""
    votes = pd.read_parquet(path)
    return votes[votes["excluded"].isna()] if "excluded" in votes else votes


def arena_rank(votes: pd.DataFrame, **settings: float) -> pd.Series:
    from arena_rank.models.bradley_terry import BradleyTerry
    from arena_rank.utils.data_utils import PairDataset

    data = PairDataset.from_pandas(votes)
    model = BradleyTerry(data.n_competitors, **settings)
    found = model.compute_ratings_and_cis(data)
    return pd.Series(np.asarray(found["ratings"]), data.competitors)


def evalica(votes: pd.DataFrame) -> pd.Series:
    from evalica import Winner, bradley_terry

    draws = {"tie": Winner.Draw, "both_bad": Winner.Draw}
    winners = votes["winner"].map({"model_a": Winner.X, "model_b": Winner.Y, **draws})
    return 400.0 * np.log10(bradley_terry(votes["model_a"], votes["model_b"], winners).scores)


def fastchat(votes: pd.DataFrame, powers: int = 1, *, renamed: bool = True) -> pd.Series:
    """renamed: with FastChat's word for both bad; it takes any it does not know for model_b's."""
    if renamed:
        winner = votes["winner"].astype(object).replace("both_bad", "tie (bothbad)")
        votes = votes.assign(winner=winner)
    return fastchat_function()(votes, SCALE=400 * powers, BASE=10**powers)


def fastchat_function() -> Callable[..., pd.Series]:
    """FastChat's function, compiled from the installed file as it stands.

    The file cannot be imported, not by its path either: through fastchat.model it asks for
    PyTorch and transformers, which the function does not use.
    """
    path = Path(str(distribution("fschat").locate_file(FASTCHAT_FILE)))
    module = ast.parse(path.read_text(encoding="utf-8"))
    module.body = [node for node in module.body if getattr(node, "name", "") == FASTCHAT_FUNCTION]
    names: dict[str, Any] = {"math": math, "np": np, "pd": pd}
    exec(compile(module, path, "exec"), names)
    found: Callable[..., pd.Series] = names[FASTCHAT_FUNCTION]
    return found


FITS: dict[str, Callable[[pd.DataFrame], pd.Series]] = {
    "arena-rank, stopped by its gradient alone": lambda votes: arena_rank(votes, **EXACT),
    "evalica": evalica,
    f"FastChat, both bad renamed, BASE=10**{POWERS}": lambda votes: fastchat(votes, POWERS),
    "arena-rank, as shipped": arena_rank,
    "FastChat, both bad renamed, as shipped": fastchat,
    "FastChat, nothing renamed, as shipped": lambda votes: fastchat(votes, renamed=False),
}


def main() -> None:
    votes = read(sys.argv[1])
    ratings = {what: fit(votes) for what, fit in FITS.items()}
    print(json.dumps({what: dict(zip(r.index, r, strict=True)) for what, r in ratings.items()}))


if __name__ == "__main__":
    main()
