"""Loads the pages of the `sync` benchmark with dlt into the same kinds of database.

Usage: dlt_peer.py FOLDER [POSTGRES_URL]   (FOLDER/pages/*.json: the pages that the product itself was given)

Prints one JSON object a line, as the product's own benchmark does. Peer figures have no target: they are what ours
are read beside. "merge" keeps one row for an order that comes twice, as the product does; "append" does not. dlt
brings rows into tables and checks no money: there are no documents, no ledger and no quarantine behind them. What is
timed is `pipeline.run`: extracting, normalising and loading; the import of the library is not.
"""

import json
import os
import pathlib
import sys
import tempfile
import time
import uuid
import warnings

warnings.simplefilter("ignore")
os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
os.environ["RUNTIME__LOG_LEVEL"] = "CRITICAL"

import dlt  # noqa: E402  (its settings are read when it is loaded)


def load(files, destination, disposition, folder):
    @dlt.resource(name="orders", primary_key="id", write_disposition=disposition)
    def orders():
        for file in files:
            yield json.loads(file.read_bytes())["data"]["orders"]["nodes"]

    pipeline = dlt.pipeline("peer", destination=destination, dataset_name="peer", pipelines_dir=folder)
    start = time.perf_counter()
    pipeline.run(orders())
    took = time.perf_counter() - start
    with pipeline.sql_client() as client:
        (rows,), = client.execute_sql("SELECT count(*) FROM " + client.make_qualified_table_name("orders"))
    return rows, took


def figure(database, disposition, rows, took):
    print(json.dumps({
        "bench": "sync",
        "figure": f"dlt {dlt.__version__}: prepared pages to tables, {database}, {disposition}",
        "value": rows / took,
        "unit": "orders/s",
        "note": f"one run; {rows:,} orders and three times as many lines",
    }, ensure_ascii=False), flush=True)


def in_postgres(url, work):
    """Runs `work` on a database of its own. dlt wants a password, even of a server that asks for none."""
    import psycopg2

    person, at, place = url.partition("@")
    url = url if ":" in person.partition("://")[2] else f"{person}:none{at}{place}"

    server = psycopg2.connect(url)
    server.autocommit = True
    name = f"dlt_{uuid.uuid4().hex}"
    server.cursor().execute(f"CREATE DATABASE {name}")
    try:
        return work(url.rsplit("/", 1)[0] + "/" + name)
    finally:
        server.cursor().execute(f"DROP DATABASE {name} WITH (FORCE)")
        server.close()


def main(folder, postgres_url):
    files = sorted((pathlib.Path(folder) / "pages").glob("*.json"))
    if not files:
        sys.exit(f"no pages below {folder}")
    for disposition in ("append", "merge"):
        with tempfile.TemporaryDirectory() as own:
            destination = dlt.destinations.sqlalchemy(f"sqlite:///{own}/peer.db")
            figure("SQLite", disposition, *load(files, destination, disposition, own))
        if postgres_url:
            with tempfile.TemporaryDirectory() as own:
                rows, took = in_postgres(
                    postgres_url,
                    lambda url: load(files, dlt.destinations.postgres(url), disposition, own),
                )
                figure("PostgreSQL", disposition, rows, took)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2] if len(sys.argv) == 3 else None)
