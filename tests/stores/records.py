"""Prints the records of a Gainsight sandbox, sorted, without what it decides by chance: ids, and when and by whom a record was written."""
import json
import os
import sys
import urllib.request

BY_CHANCE = {"Gsid", "CreatedDate", "CreatedBy", "ModifiedDate", "ModifiedBy"}
OBJECTS = ["GsUser", "Company", "Person", "Company_Person"]


def page(base, name, fields, offset):
    body = json.dumps({"select": fields, "limit": 5000, "offset": offset}).encode()
    key = os.environ["FERRY_SECRET_GAINSIGHT_ACCESS_KEY"]
    headers = {"Content-Type": "application/json", "accesskey": key}
    request = urllib.request.Request(f"{base}/v1/data/objects/query/{name}", body, headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)["data"]["records"]


def fields_of(base, name):
    key = os.environ["FERRY_SECRET_GAINSIGHT_ACCESS_KEY"]
    request = urllib.request.Request(f"{base}/v1/meta/services/objects/{name}/describe?idd=true", headers={"accesskey": key})
    with urllib.request.urlopen(request, timeout=60) as answer:
        described = json.load(answer)["data"][0]
    return [one["fieldName"] for one in described["fields"] if one["meta"].get("dataType") not in ("LOOKUP", "GSID")]


def records_of(base, name):
    fields, found = ["Gsid"] + [field for field in fields_of(base, name) if field not in BY_CHANCE], []
    while True:
        records = page(base, name, fields, len(found))
        found += records
        if len(records) < 5000:
            return found


known = {}
for name in OBJECTS:
    lines = []
    for record in records_of(sys.argv[1], name):
        # A record that another points at is named by what it holds.
        kept = {key: known.get(value, value) for key, value in record.items() if key not in BY_CHANCE}
        lines.append(json.dumps(kept, sort_keys=True))
        known[record["Gsid"]] = f"{name} {kept.get('Email') or kept.get('Name')}"
    for line in sorted(lines):
        print(name, line)
