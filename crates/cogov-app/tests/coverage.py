"""Checks the open data of consultations against the ledger, with code that shares nothing with cogov.

Usage: coverage.py http://127.0.0.1:8080 [consultation]      (exits 1 with the first thing that does not fit)

For each consultation: every entry of it in the ledger is in the record and the other way round; every salted hash is
that of the published content (only hidden contributions withhold theirs, and only after a public act of moderation);
every vote stands under the participant who cast it, between opening and closing; votes.csv, the tallies in comments.csv
(merged statements too) and participants-votes.csv follow from the record; coverage.csv (contribution → answer → change
or reason) is computed again and equal.
"""

import csv
import hashlib
import io
import json
import sys
import time
import urllib.request

WIDTH = 256
KINDS = {"consultation", "participation", "contribution", "vote", "moderation", "answer", "conclusion"}
ACTS = {"consultation", "moderation", "answer", "conclusion"}


def fail(words):
    sys.exit(f"FAILED {words}")


def get(url):
    with urllib.request.urlopen(url) as response:
        return response.read()


def tile_name(number):
    parts = [f"{number % 1000:03}"]
    while number >= 1000:
        number //= 1000
        parts.append(f"x{number % 1000:03}")
    return "/".join(reversed(parts))


def leaves(base, least):
    """Every public entry, once the checkpoint covers `least` of them."""
    for _ in range(50):
        size = int(get(f"{base}/ledger/checkpoint").decode().split("\n")[1])
        if size >= least:
            break
        time.sleep(0.1)
    found = []
    for number in range((size + WIDTH - 1) // WIDTH):
        width = min(WIDTH, size - number * WIDTH)
        bundle = get(f"{base}/ledger/tile/entries/{tile_name(number)}" + (f".p/{width}" if width < WIDTH else ""))
        place = 0
        while place < len(bundle):
            length = int.from_bytes(bundle[place:place + 2], "big")
            found.append(json.loads(bundle[place + 2:place + 2 + length]))
            place += 2 + length
    return found[:size]


def seal(salt, text):
    digest = hashlib.sha256()
    for part in (b"cogov.seal.v1", bytes.fromhex(salt), text.encode()):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


def merged(own, others):
    """One person's vote on a statement into which others were merged, as the pages explain it."""
    if own in ("agree", "disagree"):
        return own
    said = list(others) + ([own] if own else [])
    return min(said, key=("agree", "disagree", "pass").index)


class Consultation:
    def __init__(self, base, name):
        self.name = name
        data = lambda file: get(f"{base}/api/v1/consultations/{name}/{file}").decode()
        self.records = [json.loads(line) for line in data("record.jsonl").splitlines()]
        self.votes, self.comments = rows(data("votes.csv")), rows(data("comments.csv"))
        self.matrix, self.coverage = rows(data("participants-votes.csv")), rows(data("coverage.csv"))

    def last(self):
        return max(record["entry"] for record in self.records)

    def check_record(self, ledger):
        """The record and the ledger hold the same entries, and each hash is that of its content."""
        ours = {i: leaf for i, leaf in enumerate(ledger)
                if leaf["kind"] in KINDS and leaf.get("facts", {}).get("consultation") == self.name}
        by_entry = {record["entry"]: record for record in self.records}
        if len(by_entry) != len(self.records):
            fail(f"{self.name}: an entry stands twice in the record")
        late = [i for i in ours if i > self.last()]
        # A joining that a crash kept from being noted is written again: the same words about the same key.
        joined = {r["participant"]: (r["class"], str(r["verified"]).lower()) for r in self.records if r["kind"] == "participation"}
        for i, leaf in list(ours.items()):
            if leaf["kind"] == "participation" and i not in by_entry:
                facts = leaf["facts"]
                if joined.get(facts["participant"]) == (facts["class"], facts["verified"]):
                    del ours[i]
        if set(ours) - set(late) != set(by_entry):
            fail(f"{self.name}: dropped {sorted(set(ours) - set(by_entry))[:5]}, invented {sorted(set(by_entry) - set(ours))[:5]}")
        self.keys = {record["number"]: record["participant"] for record in self.records if record["kind"] == "participation"}
        opening = next(json.loads(r["content"]) for r in self.records if r["kind"] == "act" and json.loads(r["content"])["act"] == "opened")
        self.hidden = self.moderation()[0]
        for entry, record in by_entry.items():
            leaf = ours[entry]
            kind = "act" if leaf["kind"] in ACTS else leaf["kind"]
            if kind != record["kind"]:
                fail(f"entry {entry} is a {leaf['kind']} and the record says {record['kind']}")
            if kind == "participation":
                continue
            if "content" in record:
                if leaf["sealed"]["content"] != seal(record["salt"], record["content"]):
                    fail(f"the content of entry {entry} is not what its hash commits to")
            elif kind != "contribution" or record["number"] not in self.hidden:
                fail(f"the content of entry {entry} is withheld, and no act of moderation says why")
            if kind in ("contribution", "vote"):
                if self.keys.get(record["participant"]) != leaf["facts"]["participant"]:
                    fail(f"entry {entry} stands under another participant")
                if not opening["opens"] <= leaf["at"] < opening["closes"]:
                    fail(f"entry {entry} was taken outside of the opening hours")
        numbered = [r["number"] for r in sorted(self.records, key=lambda r: r["entry"]) if r["kind"] == "contribution"]
        if numbered != list(range(len(numbered))):
            fail(f"{self.name}: the contributions are not numbered in the order of the ledger")

    def acts(self):
        return [json.loads(r["content"]) for r in sorted(self.records, key=lambda r: r["entry"]) if r["kind"] == "act"]

    def moderation(self):
        """What is hidden, and the statement for which each merged one counts."""
        hidden, into = set(), {}
        for act in self.acts():
            if act["act"] != "moderated":
                continue
            number, what = act["contribution"], act["moderation"]
            if what["do"] == "hide":
                hidden.add(number)
            elif what["do"] == "merge":
                into[number] = what["into"]
                for other, root in list(into.items()):
                    if root == number:
                        into[other] = what["into"]
            else:
                hidden.discard(number)
                into.pop(number, None)
        return hidden, into

    def check_votes(self):
        """votes.csv, the tallies and the matrix follow from the record."""
        sign = {"agree": "1", "disagree": "-1", "pass": "0"}
        cast = [(r["participant"], json.loads(r["content"])) for r in sorted(self.records, key=lambda r: r["entry"]) if r["kind"] == "vote"]
        told = [(row["voter-id"], row["comment-id"], row["vote"]) for row in self.votes]
        if told != [(str(p), str(v["statement"]), sign[v["vote"]]) for p, v in cast]:
            fail(f"{self.name}: votes.csv is not the record")
        _, into = self.moderation()
        last = {}
        for participant, vote in cast:
            last.setdefault(participant, {})[vote["statement"]] = vote["vote"]
        stances = {}
        for participant, votes in last.items():
            roots = {}
            for statement, vote in votes.items():
                roots.setdefault(into.get(statement, statement), {})[statement] = vote
            for root, said in roots.items():
                stances[participant, root] = merged(said.pop(root, None), said.values())
        for row in self.comments:
            number = int(row["comment-id"])
            for column, vote in (("agrees", "agree"), ("disagrees", "disagree")):
                count = sum(1 for (_, root), said in stances.items() if root == number and said == vote)
                if int(row[column]) != count:
                    fail(f"{self.name}: statement {number} has {row[column]} {column} and the record gives {count}")
        for row in self.matrix:
            for column, value in row.items():
                if column.isdigit() and value != "" and sign[stances[int(row["participant"]), int(column)]] != value:
                    fail(f"{self.name}: the matrix differs at {row['participant']}, {column}")
        return len(cast), len(stances)

    def check_coverage(self):
        """Which contribution was answered how, computed again."""
        hidden, into = self.moderation()
        answer_of, outcomes, count = {}, {}, 0
        for act in self.acts():
            if act["act"] != "answered":
                continue
            number = act.get("answer") or count + 1
            count = max(count, number)
            outcomes[number] = act["outcome"]
            answer_of = {c: a for c, a in answer_of.items() if a != number}
            answer_of.update({c: number for c in act["contributions"]})
        told = {int(row["contribution"]): row for row in self.coverage}
        open_count = 0
        for record in (r for r in self.records if r["kind"] == "contribution"):
            number = record["number"]
            if number in hidden:
                expected = ("moderation", "", "", "")
            else:
                answer = answer_of.get(into.get(number, number))
                covered = "nothing" if answer is None else "answer-of-merged" if number in into else "answer"
                outcome = outcomes.get(answer, {})
                expected = (covered, str(answer or ""), outcome.get("outcome", ""), outcome.get("clause", ""))
            row = told.pop(number)
            open_count += expected[0] == "nothing" and number not in into
            given = (row["covered-by"], row["answer"], row["outcome"], row["change-clause"])
            if given != expected:
                fail(f"{self.name}: contribution {number} is {expected} and coverage.csv says {given}")
        if told:
            fail(f"{self.name}: coverage.csv has contributions that nobody made: {sorted(told)[:5]}")
        if any(act["act"] == "concluded" for act in self.acts()) and open_count:
            fail(f"{self.name}: it was concluded with {open_count} contributions unanswered")
        return open_count


def main():
    base = sys.argv[1].rstrip("/")
    listed = json.loads(get(f"{base}/api/v1/consultations?limit=200"))["items"]
    names = sys.argv[2:] or [item["consultation"]["id"] for item in listed]
    found = [Consultation(base, name) for name in names]
    ledger = leaves(base, max((c.last() for c in found), default=-1) + 1)
    for consultation in found:
        consultation.check_record(ledger)
        cast, stances = consultation.check_votes()
        waiting = consultation.check_coverage()
        print(f"{consultation.name}: {len(consultation.records)} entries, {cast} votes cast, {stances} hold, {waiting} unanswered: fits the ledger")


if __name__ == "__main__":
    main()
