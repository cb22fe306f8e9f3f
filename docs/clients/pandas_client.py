"""Boards and votes as data frames.

TILTYARD_URL=http://127.0.0.1:8000 TOKEN=... python docs/clients/pandas_client.py
"""

import io
import os

import httpx
import pandas as pd

URL = os.environ.get("TILTYARD_URL", "http://127.0.0.1:8000") + "/api/v1/"
HEADERS = {"Authorization": f"Token {os.environ['TOKEN']}"}


def parquet(path: str, **parameters: str) -> pd.DataFrame:
    """Parquet keeps the types that CSV and JSON lose."""
    response = httpx.get(URL + path, headers=HEADERS, params=parameters, timeout=600)
    response.raise_for_status()
    return pd.read_parquet(io.BytesIO(response.content))


board = parquet("boards/current.parquet")
print(board[["rank", "model_name", "rating", "rating_lower", "rating_upper"]].head())

# CSV is read by pandas itself, which sends the token along.
raw = pd.read_csv(URL + "boards/raw.csv", storage_options=HEADERS)
print(raw[["model_name", "rating"]].head())

# The votes that count, and how often each contestant was on the better side.
votes = parquet("votes.parquet", excluded="no")
sides = pd.concat(
    [
        votes.assign(model=votes["model_a"].astype(str), won=votes["winner"] == "model_a"),
        votes.assign(model=votes["model_b"].astype(str), won=votes["winner"] == "model_b"),
    ]
)
print(sides.groupby("model")["won"].agg(["size", "mean"]).sort_values("mean", ascending=False))
