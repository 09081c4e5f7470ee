#!/bin/sh
# Reads the same files from a folder, an S3 server and an Azure Blob server, and wants the same plan of each. Outside of the test binary, as the
# servers are packages of others: moto (PyPI) and azurite (npm), installed into a folder of their own and started here.
# Usage: tests/stores/run.sh FERRY, with the binary to try.
set -eu
ferry=$(realpath "$1")
here=$(dirname "$(realpath "$0")")
work=$(mktemp -d)
trap 'kill $(cat "$work"/*.pid) 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"
. "$here/servers.sh"
"$ferry" sandbox --rows 2000 --limits-scale 1000 --write-export export --write-project project > sandbox.log 2>&1 & echo $! > sandbox.pid
until grep -q Serving sandbox.log 2> /dev/null; do sleep 1; done

cat > upload.py <<'P'
import os

from acme import azure, s3

for folder, _, files in os.walk("export"):
    for name in files:
        path = os.path.join(folder, name)
        with open(path, "rb") as file:
            content = file.read()
        s3.put_object(Bucket="acme", Key=path, Body=content)
        azure.get_blob_client("acme", path).upload_blob(content)
P
PYTHONPATH=. venv/bin/python upload.py

set -a; . project/secrets.env; set +a
export AWS_ENDPOINT=http://127.0.0.1:5999 AWS_ACCESS_KEY_ID=a AWS_SECRET_ACCESS_KEY=b AWS_REGION=us-east-1 AZURE_STORAGE_USE_EMULATOR=true
for url in "file://$work/export" s3://acme/export az://acme/export; do
    cat > project/lake.ferry <<Q
CREATE CONNECTION lake TO FILES URL '$url' FORMAT SYNAPSE LINK;
CREATE JOB "J" AS UPSERT INTO gainsight."Opportunity__gc" KEY ("Opportunity External Id")
SELECT c.contactid AS "Opportunity External Id", COALESCE(c.fullname, 'none') AS "Name", c.modifiedon AS "Last Activity"
FROM lake.contact AS c;
Q
    name=$(echo "$url" | cut -d: -f1)
    "$ferry" plan J --project project --home "home-$name" --out "plan-$name" > "$name.log" 2>&1 || { cat "$name.log"; exit 1; }
    echo "$url: $(grep 'rows read' "$name.log")"
    # Each change of each row, not only how many.
    cmp plan-file/changes.parquet "plan-$name/changes.parquet"
    cmp plan-file/fields.parquet "plan-$name/fields.parquet"
done
echo "the same plan from all three"
