"""The digest of bodies: all their records as canonical JSON lines, sorted, so that neither order nor batches matter."""

import hashlib
import sys

import orjson


def digest(path):
    lines = []
    with open(path, "rb") as file:
        for body in file:
            lines.extend(orjson.dumps(record, option=orjson.OPT_SORT_KEYS) for record in orjson.loads(body)["records"])
    lines.sort()
    return len(lines), hashlib.sha256(b"\n".join(lines)).hexdigest()


if __name__ == "__main__":
    for path in sys.argv[1:]:
        print(path, *digest(path))
