"""Finds the bench binary in what `cargo bench --no-run --message-format=json` says."""

import json
import sys

for line in sys.stdin:
    said = json.loads(line)
    if said.get("executable") and said["target"]["kind"] == ["bench"]:
        print(said["executable"])
