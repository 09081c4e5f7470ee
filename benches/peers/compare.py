"""Runs Ferry and its peers on the same files, one after the other in each round, and says who took how long for the same bodies.

    compare.py DATA FERRY [--rounds 5] [--svg FILE] [--slow DATA]

DATA is a folder that `cargo bench -- data` wrote, FERRY the bench binary. dlt is so much slower that it gets a smaller folder, `--slow`.
Every process may use two cores. A table goes to the standard output, in Markdown.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from chart import draw

HERE = Path(__file__).parent
CORES = 2


def command(tool, form, data, out, ferry):
    if tool == "Ferry":
        return [ferry, "peer", str(data), str(out)]
    return [sys.executable, str(HERE / f"with_{tool.lower()}.py"), str(data), str(out), form]


def once(arguments):
    """What the process reports, and the most memory it had, in bytes."""
    settings = {**os.environ, "POLARS_MAX_THREADS": str(CORES), "TOKIO_WORKER_THREADS": str(CORES)}
    # The file is read after the process ended, so that it cannot block on a full pipe.
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(arguments, stdout=said, env=settings)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            sys.exit(f"{' '.join(arguments)} ended with {process.returncode}")
        said.seek(0)
        last = said.read().decode().strip().splitlines()[-1]
    return json.loads(last) | {"peak": used.ru_maxrss * 1024}


def digest(out):
    """Number and digest of the records, by a process of its own: the most memory of a child is never below its parent's."""
    said = subprocess.run([sys.executable, str(HERE / "digest.py"), str(out)], check=True, capture_output=True, text=True)
    _, records, sha = said.stdout.split()
    return int(records), sha


def expected(data):
    outcomes = json.loads((data / "manifest.json").read_text())["outcomes"]
    return {name: count for name, count in outcomes.items() if count}


def main():
    read = argparse.ArgumentParser()
    read.add_argument("data", type=Path)
    read.add_argument("ferry")
    read.add_argument("--rounds", type=int, default=5)
    read.add_argument("--svg", type=Path)
    read.add_argument("--slow", type=Path)
    given = read.parse_args()
    # Children have the cores of their parent.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    tools = [("Ferry", "pages"), ("DuckDB", "pages"), ("DuckDB", "lines"), ("Polars", "pages"), ("Polars", "lines")]
    runs = {tool: [] for tool in tools}
    digests = {}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(given.rounds):
            for tool in tools:
                out = Path(folder) / "bodies.ndjson"
                report = once(command(*tool, given.data, out, given.ferry))
                outcomes = {name: count for name, count in report["outcomes"].items() if count}
                if outcomes != expected(given.data):
                    sys.exit(f"{tool} came to {outcomes}, not to {expected(given.data)}")
                digests[tool] = digest(out)
                if len(set(digests.values())) > 1:
                    sys.exit(f"the records differ: {digests}")
                runs[tool].append(report)
                out.unlink()
        if given.slow:
            tools.append(("dlt", "pages"))
            # It takes a minute, and what it is compared with is a hundred times away: twice is enough.
            runs[tools[-1]] = [
                once(command("dlt", "pages", given.slow, Path(folder) / "nothing", given.ferry)) for _ in range(2)
            ]
    show(tools, runs, digests, given)


def show(tools, runs, digests, given):
    lines = []
    for tool in tools:
        reports = runs[tool]
        rate = statistics.median(report["rows"] / report["seconds"] for report in reports)
        peak = statistics.median(report["peak"] for report in reports)
        lines.append((tool, reports[0]["version"], reports[0]["rows"], rate, peak))
    ferry = lines[0][3]
    records, sha = next(iter(digests.values()))
    print(f"All gave the same {records:,} records (SHA-256 {sha[:16]}…) and the same outcomes.\n")
    print("| | reads | rows | rows/s | Ferry is | peak memory |\n|---|---|--:|--:|--:|--:|")
    for (tool, form), version, rows, rate, peak in lines:
        ratio = "" if tool == "Ferry" else f"{ferry / rate:.1f}×"
        print(f"| {tool} {version} | {form} | {rows:,} | {rate / 1e6:.3f} M | {ratio} | {peak / 1e6:,.0f} MB |")
    if given.svg:
        bars = [(f"{tool}, {form}", rate, peak) for (tool, form), _, _, rate, peak in lines]
        given.svg.write_text(draw(bars, f"{lines[0][2]:,} contacts to Gainsight bodies, two cores"))


if __name__ == "__main__":
    main()
