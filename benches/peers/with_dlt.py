"""What dlt does of the workload: pages are extracted and normalised into typed Parquet. Joins, comparison and bodies are left to whoever
comes after it, so its number is of less work than the others'."""

import os

os.environ["NORMALIZE__WORKERS"] = "2"
os.environ["EXTRACT__WORKERS"] = "2"
os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
os.environ["RUNTIME__LOG_LEVEL"] = "CRITICAL"

import tempfile

import dlt
import orjson

from workload import WANTED, run


def work(folder, out, form):
    @dlt.resource(name="contact", primary_key="contactid", max_table_nesting=0)
    def contacts():
        for page in sorted(folder.glob("pages/*.json")):
            rows = orjson.loads(page.read_bytes())["value"]
            yield [{name: row[name] for name in WANTED} for row in rows]

    with tempfile.TemporaryDirectory() as home:
        pipeline = dlt.pipeline("peer", destination="duckdb", dataset_name="peer", pipelines_dir=home)
        pipeline.extract(contacts())
        info = pipeline.normalize()
        counts = pipeline.last_trace.last_normalize_info.row_counts
    out.touch()
    return {"normalised": counts["contact"]}


if __name__ == "__main__":
    run("dlt", dlt.__version__, work)
