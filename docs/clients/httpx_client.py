"""The board, the latest votes and a ledger with httpx.

TILTYARD_URL=http://127.0.0.1:8000 TOKEN=... python docs/clients/httpx_client.py
"""

import json
import os
import time
from collections import Counter

import httpx

api = httpx.Client(
    base_url=os.environ.get("TILTYARD_URL", "http://127.0.0.1:8000") + "/api/v1/",
    headers={"Authorization": f"Token {os.environ['TOKEN']}"},
    timeout=60,
)


def get(path: str, **parameters: str) -> httpx.Response:
    """A response, or what the problem says."""
    response = api.get(path, params=parameters)
    if response.is_error:
        raise SystemExit(response.json()["detail"])
    return response


# The default board. Its ETag spares sending it again while it says the same.
board = get("boards/current/")
for row in board.json()["standings"][:5]:
    print(f"{row['rank']:>3}  {row['contestant']:<30} {row['rating']:7.1f}")
again = api.get("boards/current/", headers={"If-None-Match": board.headers["ETag"]})
print("again:", again.status_code)

# Long lists come in pages: follow `next` until there is none.
digests, page = [], get("snapshots/").json()
while True:
    digests += [snapshot["digest"] for snapshot in page["results"]]
    if page["next"] is None:
        break
    page = api.get(page["next"]).json()
print(len(digests), "publications")

# Votes come as a stream, line by line, in memory that does not grow.
outcomes: Counter[str] = Counter()
with api.stream("GET", "votes.ndjson", params={"excluded": "no"}) as votes:
    for line in votes.iter_lines():
        outcomes[json.loads(line)["winner"]] += 1
print(dict(outcomes))

# What takes longer is a job: ask for it, then look until it has ended.
if len(digests) > 1:
    asked = api.post("ledgers/", json={"before": digests[1], "after": digests[0]})
    job = asked.raise_for_status().json()
    while job["state"] in ("queued", "running"):
        time.sleep(0.5)
        job = get(f"jobs/{job['id']}/").json()
    print("ledger:", job["state"], job["error"])
    for row in job["result"]["rows"][:5]:
        terms = {term["cause"]: term["rating"] for term in row["terms"]}
        print(f"{row['contestant']:<30} {terms}")
