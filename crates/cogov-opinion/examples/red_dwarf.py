"""The peer of bench_opinion: red-dwarf on the votes of a file. Prints seconds from votes in memory to its result, the most memory
that the process had in bytes, and the number of groups."""

import csv
import resource
import sys
import time

from reddwarf.implementations.base import run_pipeline

with open(sys.argv[1], newline="") as file:
    votes = [
        {"participant_id": int(p), "statement_id": int(s), "vote": int(v), "modified": number}
        for number, (p, s, v) in enumerate(list(row) for row in csv.reader(file) if row[0] != "participant")
    ]
begun = time.perf_counter()
result = run_pipeline(votes=votes, random_state=1)
seconds = time.perf_counter() - begun
groups = result.participants_df["cluster_id"].nunique()
print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, groups)
