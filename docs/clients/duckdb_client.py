"""The sealed votes of the latest publication, queried where they lie: Parquet files.

No database server, no export: the segments are fetched once, since they never
change, or read from the arena's own folder where FILES names it.

    TILTYARD_URL=http://127.0.0.1:8000 TOKEN=... python docs/clients/duckdb_client.py
    FILES='var/segments/*.parquet' python docs/clients/duckdb_client.py
"""

import os
import tempfile
from pathlib import Path

import duckdb
import httpx

URL = os.environ.get("TILTYARD_URL", "http://127.0.0.1:8000")


def fetched(folder: Path) -> str:
    """Every segment that the latest publication rests on, under its own name."""
    headers = {"Authorization": f"Token {os.environ['TOKEN']}"}
    api = httpx.Client(base_url=URL, headers=headers, timeout=600)
    latest = api.get("/api/v1/snapshots/", params={"limit": "1"}).raise_for_status().json()
    document = api.get(latest["results"][0]["document"]).raise_for_status().json()
    for segment in document["segments"]:
        file = f"{segment['sha256']}.parquet"
        with api.stream("GET", f"/api/v1/segments/{file}") as response:
            response.raise_for_status()
            with (folder / file).open("wb") as out:
                out.writelines(response.iter_bytes())
    return f"{folder}/*.parquet"


with tempfile.TemporaryDirectory() as folder:
    files = os.environ.get("FILES") or fetched(Path(folder))
    # Segments have the columns that their votes have: union_by_name joins them.
    duckdb.sql(f"CREATE TABLE votes AS SELECT * FROM read_parquet('{files}', union_by_name = true)")

print(duckdb.sql("SELECT winner, count(*) AS votes FROM votes GROUP BY winner ORDER BY votes DESC"))
print(
    duckdb.sql(
        """
        SELECT model, count(*) AS battles, round(avg(score), 3) AS score
        FROM (
            SELECT model_a AS model,
                   CASE winner WHEN 'model_a' THEN 1 WHEN 'model_b' THEN 0 ELSE 0.5 END AS score
            FROM votes
            UNION ALL
            SELECT model_b,
                   CASE winner WHEN 'model_b' THEN 1 WHEN 'model_a' THEN 0 ELSE 0.5 END
            FROM votes
        )
        GROUP BY model ORDER BY score DESC
        """
    )
)
