#!/usr/bin/env python3
"""Times txn-reconcile-api, DuckDB and Polars on the same files under the same rules, and compares their results.

    python3 -m venv .cache/peers && .cache/peers/bin/pip install duckdb polars
    cargo build --release -p txn-reconcile-api
    cargo bench -p txn-reconcile-api -- generate DIR
    .cache/peers/bin/python crates/txn-reconcile-api/benches/peers/run.py DIR target/release/txn-reconcile-api

Each run is a process of its own that reads both CSV files; wall time and peak resident memory are those of the process.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
RUNS = int(os.environ.get("RUNS", "5"))


def duckdb_main(folder):
    import duckdb

    db = duckdb.connect()
    db.execute("SET threads TO 2")
    cents = "CAST(CAST({} AS DECIMAL(18,2)) * 100 AS BIGINT)"
    db.execute(f"""
        CREATE TABLE l AS SELECT row_number() OVER () AS id, reference, {cents.format('amount')} AS amount, currency,
            booking_date, batch
        FROM read_csv('{folder}/ledger.csv', header=true, columns={{'reference':'VARCHAR','amount':'VARCHAR',
            'currency':'VARCHAR','booking_date':'DATE','batch':'VARCHAR'}});
        CREATE TABLE r AS SELECT row_number() OVER () AS id, reference, {cents.format('amount')} AS amount,
            {cents.format('fee')} AS fee, currency, booking_date
        FROM read_csv('{folder}/processor.csv', header=true, columns={{'reference':'VARCHAR','amount':'VARCHAR',
            'fee':'VARCHAR','currency':'VARCHAR','booking_date':'DATE'}});
        CREATE TABLE m (pass VARCHAR, l BIGINT, r BIGINT);
    """)
    open_l = "(SELECT * FROM l WHERE id NOT IN (SELECT l FROM m))"
    open_r = "(SELECT * FROM r WHERE id NOT IN (SELECT r FROM m))"
    once = """QUALIFY row_number() OVER (PARTITION BY a.id ORDER BY abs(a.booking_date - b.booking_date), b.id) = 1
          AND row_number() OVER (PARTITION BY b.id ORDER BY abs(a.booking_date - b.booking_date), a.id) = 1"""
    db.execute(f"""INSERT INTO m SELECT 'exact', a.id, b.id FROM l a JOIN r b
        USING (reference, currency, amount, booking_date) {once}""")
    db.execute(f"""INSERT INTO m SELECT 'date', a.id, b.id FROM {open_l} a JOIN {open_r} b
        USING (reference, currency, amount) WHERE abs(a.booking_date - b.booking_date) <= 3 {once}""")
    db.execute(f"""INSERT INTO m SELECT 'fee', a.id, b.id FROM {open_l} a JOIN {open_r} b
        ON a.reference = b.reference AND a.currency = b.currency AND a.amount = b.amount + b.fee
        WHERE abs(a.booking_date - b.booking_date) <= 3 {once}""")
    db.execute(f"""INSERT INTO m
        WITH sums AS (SELECT batch, currency, sum(amount) AS amount FROM {open_l} WHERE batch IS NOT NULL AND batch <> ''
            GROUP BY ALL),
        hit AS (SELECT s.batch, s.currency, b.id FROM sums s JOIN {open_r} b
            ON s.batch = b.reference AND s.currency = b.currency AND s.amount = b.amount)
        SELECT 'payout', a.id, hit.id FROM {open_l} a JOIN hit USING (batch, currency)""")
    links = dict(db.execute("SELECT pass, count(*) FROM m GROUP BY ALL").fetchall())
    left = db.execute("SELECT count(*) FROM l WHERE id NOT IN (SELECT l FROM m)").fetchone()[0]
    right = db.execute("SELECT count(*) FROM r WHERE id NOT IN (SELECT r FROM m)").fetchone()[0]
    print(json.dumps({"links": links, "open_left": left, "open_right": right}))


def polars_main(folder):
    import polars as pl

    cents = lambda name: (pl.col(name).cast(pl.Decimal(18, 2)) * 100).cast(pl.Int64)
    text = {"reference": pl.String, "amount": pl.String, "fee": pl.String, "currency": pl.String, "batch": pl.String}
    l = pl.read_csv(f"{folder}/ledger.csv", schema_overrides=text, try_parse_dates=True).with_row_index("l")
    r = pl.read_csv(f"{folder}/processor.csv", schema_overrides=text, try_parse_dates=True).with_row_index("r")
    l = l.with_columns(cents("amount"))
    r = r.with_columns(cents("amount"), cents("fee"))
    links = {}

    def claim(name, pairs):
        nonlocal l, r
        # An entry is claimed once.
        pairs = pairs.unique("l", keep="first", maintain_order=True).unique("r", keep="first", maintain_order=True)
        links[name] = pairs.height
        l = l.join(pairs, on="l", how="anti")
        r = r.join(pairs, on="r", how="anti")

    near = (pl.col("booking_date") - pl.col("booking_date_right")).dt.total_days().abs()
    claim("exact", l.join(r, on=["reference", "currency", "amount", "booking_date"]).select("l", "r"))
    joined = l.join(r, on=["reference", "currency", "amount"]).filter(near <= 3).sort(near)
    claim("date", joined.select("l", "r"))
    gross = r.with_columns(amount=pl.col("amount") + pl.col("fee"))
    claim("fee", l.join(gross, on=["reference", "currency", "amount"]).filter(near <= 3).sort(near).select("l", "r"))
    batched = l.filter(pl.col("batch").is_not_null() & (pl.col("batch") != ""))
    sums = batched.group_by("batch", "currency").agg(pl.col("amount").sum())
    hits = sums.join(r, left_on=["batch", "currency", "amount"], right_on=["reference", "currency", "amount"])
    members = batched.join(hits.select("batch", "currency", "r"), on=["batch", "currency"])
    links["payout"] = members.height
    l = l.join(members, on="l", how="anti")
    r = r.join(members, on="r", how="anti")
    print(json.dumps({"links": links, "open_left": l.height, "open_right": r.height}))


def timed(command):
    """Best wall time in seconds and peak memory in MB over RUNS runs, with the output of the last."""
    best, peak, output = None, 0, ""
    for _ in range(RUNS):
        start = time.monotonic()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "POLARS_MAX_THREADS": "2"})
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        elapsed = time.monotonic() - start
        best = elapsed if best is None else min(best, elapsed)
        peak = max(peak, usage.ru_maxrss / 1024)
        assert process.returncode in (0, 1), f"{command} failed"
    return best, peak, output


def ours(output):
    summary = json.loads(output)
    links = {p["name"]: p["pairs"] for p in summary["passes"]}
    count = lambda side, what: sum(c[what]["count"] for c in summary["sides"][side]["currencies"].values())
    # The members of payouts are what the left side has matched beyond the pairs.
    links["payout"] = count("left", "matched") - sum(links.values())
    return {"links": links, "open_left": count("left", "open"), "open_right": count("right", "open")}


def main():
    if sys.argv[1] == "--duckdb":
        return duckdb_main(sys.argv[2])
    if sys.argv[1] == "--polars":
        return polars_main(sys.argv[2])
    folder, binary = sys.argv[1], sys.argv[2]
    files = [f"{folder}/ledger.csv", f"{folder}/processor.csv"]
    results = {}
    for name, command, read in [
        ("txn-reconcile-api", [binary, "reconcile", *files, "--rules", str(HERE / "rules.toml"), "--json"], ours),
        ("DuckDB", [sys.executable, __file__, "--duckdb", folder], json.loads),
        ("Polars", [sys.executable, __file__, "--polars", folder], json.loads),
    ]:
        seconds, megabytes, output = timed(command)
        results[name] = read(output)
        print(f"{name:<18} {seconds:6.2f} s {megabytes:7.0f} MB  {results[name]}")
    first, *others = results.values()
    same = all(other == first for other in others)
    print("all three agree" if same else "THE RESULTS DIFFER")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
