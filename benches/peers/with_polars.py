"""The workload in Polars: one lazy plan on the streaming engine; the bodies by orjson."""

import os
from concurrent.futures import ThreadPoolExecutor

os.environ.setdefault("POLARS_MAX_THREADS", "2")

import orjson
import polars as pl

from workload import FIELDS, RECORDS_PER_BODY, THREADS, WANTED, run

SCHEMA = {name: pl.String for name in WANTED} | {"statecode": pl.Int64}


def trimmed(name):
    return pl.col(name).str.strip_chars(" ")


def contacts(folder, form):
    """The rows: of lines as they are, of pages each page being a document with a list of them."""
    if form == "lines":
        return pl.scan_ndjson(f"{folder}/lines/*.ndjson", schema=SCHEMA)

    def rows(page):
        return pl.read_json(page, schema={"value": pl.List(pl.Struct(SCHEMA))}).explode("value").unnest("value")

    # The lazy reader takes twice as long for documents of some megabytes.
    with ThreadPoolExecutor(THREADS) as pool:
        return pl.concat(pool.map(rows, sorted(folder.glob("pages/*.json")))).lazy()


def plan(folder, form):
    companies = (
        pl.scan_parquet(f"{folder}/companies.parquet")
        .group_by(pl.col("External_Account_ID_gainsight123__gc").alias("_parentcustomerid_value"))
        .agg(pl.len().alias("companies_found"), pl.col("Gsid").min().alias("Company__gc"))
    )
    users = (
        pl.scan_parquet(f"{folder}/users.parquet")
        .group_by(pl.col("Dynamics_User_ID__gc").alias("_ownerid_value"))
        .agg(pl.col("Gsid").min().alias("Owner__gc"))
    )
    target = pl.scan_parquet(f"{folder}/target.parquet").select(
        pl.col("Gsid"), *(pl.col(field).alias(f"old {field}") for field in FIELDS)
    )
    mapped = (
        contacts(folder, form).join(companies, on="_parentcustomerid_value", how="left")
        .join(users, on="_ownerid_value", how="left")
        .select(
            (pl.col("statecode") == 0).alias("is_active"),
            pl.col("companies_found").fill_null(0),
            pl.col("contactid").alias("External_Contact_ID__gc"),
            trimmed("firstname").alias("First_Name__gc"),
            trimmed("lastname").alias("Last_Name__gc"),
            (trimmed("firstname") + " " + trimmed("lastname")).alias("Name"),
            trimmed("emailaddress1").str.to_lowercase().alias("Email__gc"),
            trimmed("jobtitle").alias("Title__gc"),
            trimmed("telephone1").alias("Phone__gc"),
            (trimmed("address1_city") + ", " + pl.col("address1_country")).alias("Location__gc"),
            "Company__gc",
            "Owner__gc",
        )
    )
    rows = mapped.join(
        target, left_on="External_Contact_ID__gc", right_on="old External_Contact_ID__gc", how="left", coalesce=False
    )
    differs = pl.any_horizontal(pl.col(field).ne_missing(pl.col(f"old {field}")) for field in FIELDS)
    outcome = (
        pl.when(~pl.col("is_active")).then(pl.lit("filtered"))
        .when(pl.col("companies_found") == 0).then(pl.lit("rejected"))
        .when(pl.col("companies_found") > 1).then(pl.lit("error"))
        .when(pl.col("Gsid").is_null()).then(pl.lit("inserted"))
        .when(differs).then(pl.lit("updated"))
        .otherwise(pl.lit("unchanged"))
    )
    return rows.with_columns(outcome.alias("outcome"))


def updates(rows):
    """Of each record that is there what differs, as JSON."""
    of = {name: place for place, name in enumerate(rows.columns)}
    pairs = [(field, of[field], of[f"old {field}"]) for field in FIELDS]
    gsid = of["Gsid"]
    for row in rows.iter_rows():
        record = {"Gsid": row[gsid]}
        for field, new, old in pairs:
            if row[new] != row[old]:
                record[field] = row[new]
        yield orjson.dumps(record).decode()


def work(folder, out, form):
    rows = plan(folder, form)
    counts = rows.group_by("outcome").agg(pl.len())
    # A new record goes out with all its fields, which Polars writes as JSON itself.
    inserted = rows.filter(pl.col("outcome") == "inserted").select(pl.struct(FIELDS).struct.json_encode())
    updated = rows.filter(pl.col("outcome") == "updated").select(
        "Gsid", *FIELDS, *(f"old {field}" for field in FIELDS)
    )
    counts, inserted, updated = pl.collect_all([counts, inserted, updated], engine="streaming")
    records = inserted.to_series().to_list() + list(updates(updated))
    with open(out, "w", encoding="utf-8") as file:
        for at in range(0, len(records), RECORDS_PER_BODY):
            file.write('{"records":[' + ",".join(records[at : at + RECORDS_PER_BODY]) + "]}\n")
    return dict(counts.iter_rows())


if __name__ == "__main__":
    run("Polars", pl.__version__, work)
