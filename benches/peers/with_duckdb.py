"""The workload in DuckDB: one query over pages or lines, joins with grouped lookups, and the bodies by string aggregation."""

import duckdb

from workload import FIELDS, RECORDS_PER_BODY, THREADS, WANTED, run

TYPES = {name: "VARCHAR" for name in WANTED} | {"statecode": "BIGINT", "modifiedon": "TIMESTAMPTZ"}


def quoted(field):
    return f"""',"{field}":' || coalesce(to_json(n."{field}")::VARCHAR, 'null')"""


def record():
    """A new record with all its fields; of one that is there what differs."""
    all_fields = " || ".join(quoted(field) for field in FIELDS)
    changed = " || ".join(
        f"""CASE WHEN n."{field}" IS DISTINCT FROM t."{field}" THEN {quoted(field)} ELSE '' END""" for field in FIELDS
    )
    # The first field has a comma too many where no GSID stands before it.
    return f"""'{{' || CASE WHEN t.Gsid IS NULL THEN substr({all_fields}, 2) ELSE '"Gsid":"' || t.Gsid || '"' || {changed} END || '}}'"""


def contacts(folder, form):
    """The rows: of lines as they are, of pages each page being one document with a list of them."""
    if form == "lines":
        columns = ", ".join(f"'{name}': '{kind}'" for name, kind in TYPES.items())
        return f"read_ndjson('{folder}/lines/*.ndjson', columns = {{{columns}}})"
    # Its own reader of JSON takes thirty times as long as this for documents of some megabytes.
    row = ", ".join(f'"{name}": "{kind}"' for name, kind in TYPES.items())
    pages = f"""from_json(content, '{{"value": [{{{row}}}]}}').value"""
    return f"(SELECT unnest({pages}, recursive := true) FROM read_text('{folder}/pages/*.json'))"


def changes(folder, form):
    differs = " OR ".join(f'n."{field}" IS DISTINCT FROM t."{field}"' for field in FIELDS)
    return f"""
CREATE TEMP TABLE changes AS
WITH companies AS (
  SELECT External_Account_ID_gainsight123__gc AS key, count(*) AS found, min(Gsid) AS gsid
  FROM read_parquet('{folder}/companies.parquet') GROUP BY key
), users AS (
  SELECT Dynamics_User_ID__gc AS key, min(Gsid) AS gsid FROM read_parquet('{folder}/users.parquet') GROUP BY key
), n AS (
  SELECT
    c.statecode = 0 AS is_active,
    coalesce(co.found, 0) AS companies_found,
    c.contactid AS External_Contact_ID__gc,
    trim(c.firstname) AS First_Name__gc,
    trim(c.lastname) AS Last_Name__gc,
    trim(c.firstname) || ' ' || trim(c.lastname) AS Name,
    lower(trim(c.emailaddress1)) AS Email__gc,
    trim(c.jobtitle) AS Title__gc,
    trim(c.telephone1) AS Phone__gc,
    trim(c.address1_city) || ', ' || c.address1_country AS Location__gc,
    co.gsid AS Company__gc,
    u.gsid AS Owner__gc
  FROM {contacts(folder, form)} AS c
  LEFT JOIN companies AS co ON co.key = c._parentcustomerid_value
  LEFT JOIN users AS u ON u.key = c._ownerid_value
), decided AS (
  SELECT
    CASE
      WHEN NOT n.is_active THEN 'filtered'
      WHEN n.companies_found = 0 THEN 'rejected'
      WHEN n.companies_found > 1 THEN 'error'
      WHEN t.Gsid IS NULL THEN 'inserted'
      WHEN {differs} THEN 'updated'
      ELSE 'unchanged'
    END AS outcome,
    CASE
      WHEN NOT n.is_active OR n.companies_found <> 1 THEN NULL
      WHEN t.Gsid IS NULL OR {differs} THEN {record()}
    END AS record
  FROM n LEFT JOIN read_parquet('{folder}/target.parquet') AS t USING (External_Contact_ID__gc)
)
SELECT outcome, record FROM decided"""


def bodies(out):
    return f"""
COPY (
  SELECT '{{"records":[' || string_agg(record, ',') || ']}}' AS body
  FROM (SELECT record, (row_number() OVER () - 1) // {RECORDS_PER_BODY} AS body FROM changes WHERE record IS NOT NULL)
  GROUP BY body
) TO '{out}' (FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\x01')"""


def work(folder, out, form):
    connection = duckdb.connect(config={"threads": THREADS, "preserve_insertion_order": False})
    connection.execute(changes(folder, form))
    connection.execute(bodies(out))
    return dict(connection.execute("SELECT outcome, count(*) FROM changes GROUP BY outcome").fetchall())


if __name__ == "__main__":
    run("DuckDB", duckdb.__version__, work)
