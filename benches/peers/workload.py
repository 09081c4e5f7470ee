"""What all peers share: where the files lie, the fields of a record, and how they report."""

import json
import sys
import time
from pathlib import Path

# Fields of a record in the order of the job.
FIELDS = [
    "External_Contact_ID__gc",
    "First_Name__gc",
    "Last_Name__gc",
    "Name",
    "Email__gc",
    "Title__gc",
    "Phone__gc",
    "Location__gc",
    "Company__gc",
    "Owner__gc",
]
# Properties of a contact that are wanted, twelve of twenty.
WANTED = [
    "contactid",
    "firstname",
    "lastname",
    "emailaddress1",
    "jobtitle",
    "telephone1",
    "address1_city",
    "address1_country",
    "_parentcustomerid_value",
    "_ownerid_value",
    "statecode",
    "modifiedon",
]
RECORDS_PER_BODY = 50
THREADS = 2


def run(tool, version, work):
    """Does the work on a folder, into a file, in one of the forms in which the rows lie there (`pages` as they come from the service, or
    `lines`), and says how long it took and what came of it."""
    folder, out, form = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    since, cpu = time.perf_counter(), time.process_time()
    outcomes = work(folder, out, form)
    seconds, cpu = time.perf_counter() - since, time.process_time() - cpu
    report = {"tool": tool, "version": version, "seconds": seconds, "cpu": cpu, "rows": sum(outcomes.values())}
    print(json.dumps(report | {"outcomes": outcomes}))
