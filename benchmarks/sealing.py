"""How long it takes to seal, export and read votes cast here, from PostgreSQL.

    DATABASE_URL=postgres://... python benchmarks/sealing.py --votes 2000000

makes a database of its own on that server (its user must be a superuser: the bulk loading
switches foreign keys off), fills it, measures, and drops it. `--keep NAME` leaves the database
there, and finds it filled the next time.
"""

import argparse
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

ROOT = Path(__file__).resolve().parent.parent

FILL = """
SET session_replication_role = replica;
SET synchronous_commit = off;
INSERT INTO catalog_contestant
    (id, slug, name, licence, parameters, status, aliases, simulated, accepts_images, created_at)
SELECT i, 'c' || i, 'contestant-' || i, '', '', 'active', '[]', false, false, now()
FROM generate_series(1, {contestants}) i;
INSERT INTO catalog_revision
    (id, contestant_id, number, name, stage, family, kind, endpoint, key_env, remote_model,
     system_prompt, decoding, identity, created_at)
SELECT i, i, 1, 'contestant-' || i, '', 'c' || i, 'openai', '', '', '', '', '{{}}',
       encode(sha256(i::text::bytea), 'hex'), now()
FROM generate_series(1, {contestants}) i;
INSERT INTO voters_voter (id, key, pseudonym, network_hash, network_key, consent, created_at)
SELECT i, md5('k' || i), md5('p' || i), '', '', '', now() FROM generate_series(1, {voters}) i;
CREATE TEMPORARY TABLE drawn AS
SELECT i, md5('b' || i)::uuid AS battle, 1 + (voters * random() ^ 2)::int % voters AS voter,
       a, 1 + (a + floor(random() * ({contestants} - 1))::int) % {contestants} AS b,
       now() - random() * interval '300 days' AS at, random() AS luck
FROM (SELECT i, {voters} AS voters, 1 + floor({contestants} * random() ^ 2)::int AS a
      FROM generate_series(1, {votes}) i) AS pairs;
INSERT INTO battles_battle
    (id, voter_id, revision_a_id, revision_b_id, mode, state, pacing, categories, language,
     draw_probability, owner, attempt, created_at, ended_at)
SELECT battle, voter, a, b, 'anonymous', 'voted', 'equal',
       jsonb_build_object('code', random() < 0.3, 'creative_writing', random() < 0.1,
                          'if', random() < 0.2, 'long_prompt', random() < 0.05,
                          'math', random() < 0.1, 'short_prompt', random() < 0.5),
       'en', 0.01, 'bench', 1, at, at
FROM drawn;
INSERT INTO battles_turn (id, battle_id, number, first_attempt, prompt, salt, created_at)
SELECT i, battle, 1, 1, 'Question ' || i || ': ' || md5(i::text), md5('s' || i), at FROM drawn;
INSERT INTO battles_answer
    (turn_id, side, attempt, text, reasoning, requests, finish_reason, first_token_seconds,
     duration_seconds,
     prompt_tokens, completion_tokens, tokens, headers, lists, bold, code, emoji,
     identity_claims, error_kind, error_detail)
SELECT i, side, 1, repeat(md5(i || side) || ' ', {characters} / 33), '', 1, 'stop', random(),
       random() * 9, 20, 300, (100 * exp(random() * 2))::int, (random() * 4)::int,
       (random() * 9)::int, (random() * 9)::int, (random() * 2)::int, (random() * 2)::int,
       '[]', '', ''
FROM drawn, (VALUES ('a'), ('b')) AS sides (side);
INSERT INTO battles_vote
    (id, battle_id, voter_id, turn_id, outcome, idempotency_key, created_at)
SELECT i, battle, voter, i,
       CASE WHEN luck < 0.2 THEN 'tie' WHEN luck < 0.6 THEN 'model_a' ELSE 'model_b' END,
       md5(i::text), at
FROM drawn;
DROP TABLE drawn;
"""


def main() -> None:
    options = arguments()
    server = os.environ.get("DATABASE_URL", "")
    if not server.startswith("postgres"):
        sys.exit("Name a PostgreSQL server: DATABASE_URL=postgres://user:password@host/postgres")
    with (
        own_database(server, options.keep) as (url, new),
        tempfile.TemporaryDirectory(dir=options.folder) as folder,
    ):
        os.environ |= {"DATABASE_URL": url, "TILTYARD_VAR": folder, "SECRET_KEY": "benchmark"}
        os.environ["DJANGO_SETTINGS_MODULE"] = "arena.config.settings"
        sys.path.insert(0, str(ROOT))
        if new:
            fill(url, options)
        measure(Path(folder), options.votes)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--votes", type=int, default=2_000_000)
    parser.add_argument("--voters", type=int, default=200_000)
    parser.add_argument("--contestants", type=int, default=300)
    parser.add_argument("--characters", type=int, default=660, help="of an answer")
    parser.add_argument("--keep", metavar="NAME", help="name of a database to keep")
    parser.add_argument("--folder", default=None, help="where the files are made")
    return parser.parse_args()


@contextmanager
def own_database(server: str, keep: str | None) -> Iterator[tuple[str, bool]]:
    """The address of a database of our own, and whether it was made now."""
    name = keep or f"tiltyard_bench_{os.getpid()}"
    with psycopg.connect(server, autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        new = known.fetchone() is None
        if new:
            connection.execute(f'CREATE DATABASE "{name}"')
    try:
        yield urlunsplit(urlsplit(server)._replace(path=f"/{name}")), new
    finally:
        if not keep:
            with psycopg.connect(server, autocommit=True) as connection:
                connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def fill(url: str, options: argparse.Namespace) -> None:
    start = time.perf_counter()
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(FILL.format(**vars(options)).encode())
        for table in ("vote", "turn", "answer"):
            connection.execute(
                f"SELECT setval(pg_get_serial_sequence('battles_{table}', 'id'), "
                f"(SELECT max(id) FROM battles_{table}))".encode()
            )
        connection.execute("VACUUM ANALYZE")
    print(f"{options.votes:,} votes made in {time.perf_counter() - start:.0f} s")


def measure(folder: Path, votes: int) -> None:
    import django

    django.setup()
    from arena.integrity.chain import chain_verify
    from arena.integrity.models import Segment
    from arena.integrity.sealing import votes_seal
    from arena.integrity.selectors import votes_all
    from arena.integrity.services import votes_export
    from arena.leaderboard.models import Draft
    from arena.leaderboard.services import refit

    Segment.objects.all()._raw_delete("default")
    Draft.objects.all().delete()
    timed("seal", votes_seal)
    for kind in ("segments", "texts"):
        size = sum(path.stat().st_size for path in (folder / kind).iterdir())
        print(f"  {kind}: {size / 1e6:,.0f} MB")
    timed("read for a fit, first", votes_all)
    timed("read for a fit, again", votes_all)
    timed("refit, reading included", refit)
    timed("export as Parquet", lambda: votes_export(path=folder / "all.parquet"))
    timed("verify the chain", chain_verify)
    rows = sum(Segment.objects.values_list("rows", flat=True))
    print("every vote is there once" if rows == votes else f"WRONG: {rows:,} votes sealed")
    shutil.rmtree(folder / "segments")


def timed(what: str, work: Callable[[], object]) -> None:
    start = time.perf_counter()
    work()
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{what}: {seconds:.1f} s, peak memory so far {peak:,.0f} MB", flush=True)


if __name__ == "__main__":
    main()
