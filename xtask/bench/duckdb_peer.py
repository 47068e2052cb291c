"""Answers the questions of the `query` benchmark with DuckDB over the same Parquet files.

Usage: duckdb_peer.py FOLDER           (every *.parquet below it is one part of the ledger)
       duckdb_peer.py FOLDER --sizes   (of `scale`: each folder in it, named by its number of events, is a ledger)

Prints one JSON object a line, as the product's own benchmark does. Peer figures have no target: they are
what ours are read beside. "cold" is a new connection each time; "repeated" the same connection again.

The rows asked for are the same: the top 20 of each currency, and customers with an order that stands. Ours bring
totals and the number of all rows with them (for customers a second distinct count), the peer does not.
"""

import json
import pathlib
import statistics
import sys
import time

import duckdb

COLD_RUNS = 7
REPEATED_RUNS = 15
COLD_RUNS_BY_SIZE = 3


def questions(columns):
    # Dates are stored as days since 1970; a plain integer column must be made a date first.
    day = "event_date" if columns["event_date"] == "DATE" else "DATE '1970-01-01' + CAST(event_date AS INTEGER)"
    net = "SUM(gross_minor - discount_minor)"
    ordered = day.replace("event_date", "order_date")
    # An order stands while the units of these events are above zero.
    deciding = "('sale', 'edit_add', 'edit_remove', 'price_adjust', 'cancel')"
    return {
        "day × channel": f"""
            SELECT {day} AS day, connection_id, currency, {net}
            FROM events WHERE NOT test GROUP BY ALL ORDER BY day""",
        "top products of a year": f"""
            WITH newest AS (SELECT MAX(year({day})) AS year FROM events),
            sold AS (
                SELECT connection_id, product_key, currency, {net} AS net
                FROM events, newest WHERE NOT test AND year({day}) = newest.year
                GROUP BY ALL)
            SELECT * FROM sold
            QUALIFY row_number() OVER (PARTITION BY currency ORDER BY net DESC) <= 20
            ORDER BY currency, net DESC""",
        "distinct customers by month": f"""
            WITH standing AS (
                SELECT connection_id, customer_key, order_key, order_at, date_trunc('month', {ordered}) AS month
                FROM events
                WHERE NOT test AND has_order AND kind IN {deciding} AND customer_key IS NOT NULL
                GROUP BY ALL HAVING SUM(quantity_milli) > 0)
            SELECT month, COUNT(DISTINCT (connection_id, customer_key)) FROM standing
            GROUP BY ALL ORDER BY month""",
    }


def connect(files):
    connection = duckdb.connect()
    names = ", ".join("'" + str(file).replace("'", "''") + "'" for file in files)
    connection.execute(f"CREATE VIEW events AS SELECT * FROM read_parquet([{names}], union_by_name = true)")
    return connection


def measured_ms(connection, sql):
    start = time.perf_counter()
    rows = connection.execute(sql).fetchall()
    return (time.perf_counter() - start) * 1000.0, len(rows)


def figure(name, durations_ms, rows, events=None):
    line = {
        "figure": f"DuckDB {duckdb.__version__}: {name}",
        "value": statistics.median(durations_ms),
        "unit": "ms",
        "note": f"p50 of {len(durations_ms)}; {rows:,} rows",
    }
    if events is not None:
        line["events"] = events
    print(json.dumps(line, ensure_ascii=False), flush=True)


def by_size(folder):
    sizes = [child for child in pathlib.Path(folder).iterdir() if child.name.isdigit()]
    if not sizes:
        sys.exit(f"no ledgers below {folder}")
    for child in sorted(sizes, key=lambda child: int(child.name)):
        files = sorted((child / "peer").glob("*.parquet"))
        connection = connect(files)
        columns = {row[0]: row[1] for row in connection.execute("DESCRIBE events").fetchall()}
        connection.close()
        for name, sql in questions(columns).items():
            cold = []
            for _ in range(COLD_RUNS_BY_SIZE):
                fresh = connect(files)
                duration_ms, rows = measured_ms(fresh, sql)
                cold.append(duration_ms)
                fresh.close()
            figure(f"{name}, cold", cold, rows, int(child.name))


def main(folder):
    files = sorted(pathlib.Path(folder).rglob("*.parquet"))
    if not files:
        sys.exit(f"no Parquet files below {folder}")
    connection = connect(files)
    columns = {row[0]: row[1] for row in connection.execute("DESCRIBE events").fetchall()}
    for name, sql in questions(columns).items():
        cold = []
        for _ in range(COLD_RUNS):
            fresh = connect(files)
            duration_ms, rows = measured_ms(fresh, sql)
            cold.append(duration_ms)
            fresh.close()
        figure(f"{name}, cold", cold, rows)
        repeated = [measured_ms(connection, sql)[0] for _ in range(REPEATED_RUNS)]
        figure(f"{name}, repeated", repeated, rows)


if __name__ == "__main__":
    match sys.argv[1:]:
        case [folder]:
            main(folder)
        case [folder, "--sizes"]:
            by_size(folder)
        case _:
            sys.exit(__doc__)
