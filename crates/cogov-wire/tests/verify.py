"""Drives verification over HTTP and checks its receipts with code that shares nothing with cogov.

Usage: verify.py /path/to/demo.json      (needs cryptography and duckdb)

A receipt is a C2SP signed-note: text, an empty line, and a line `— <name> <base64 of key id and Ed25519 signature>`.
"""

import base64
import hashlib
import json
import pathlib
import sys
import urllib.error
import urllib.request

import duckdb
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

DEMO = json.load(open(sys.argv[1]))
BASE = DEMO["http"]
GRANT = "g-south-verify"


def call(path, body=None, account=None, text=False):
    headers = {"Content-Type": "application/json"}
    if account:
        token = next(a["token"] for a in DEMO["accounts"] if a["name"] == account)
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(BASE + path, data, headers)) as answer:
            read = answer.read()
            return answer.status, read.decode() if text else json.loads(read)
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def holder():
    return next(g["account"] for g in DEMO["grants"] if g["id"] == GRANT)


def ask(number, predicate="receives-assistance", account=None):
    body = {"predicate": predicate, "subject": {"identity_number": number}}
    return call(f"/api/v1/grants/{GRANT}/verify", body, account or holder())


def signed(note):
    """The text of a note whose signature by the ledger's key is right."""
    name, key_id, encoded = call("/ledger/key", text=True)[1].strip().split("+", 2)
    key = base64.b64decode(encoded)
    assert key[0] == 1 and len(key) == 33, "an Ed25519 key"
    text, _, signatures = note.partition("\n\n")
    text += "\n"
    for line in signatures.splitlines():
        dash, signer, signature = line.split(" ")
        signature = base64.b64decode(signature)
        if dash == "—" and signer == name and signature[:4].hex() == key_id:
            Ed25519PublicKey.from_public_bytes(key[1:]).verify(signature[4:], text.encode())
            return text
    raise InvalidSignature


def seal(salt, text):
    hash_ = hashlib.sha256()
    for part in (b"cogov.seal.v1", salt, text.encode()):
        hash_.update(len(part).to_bytes(8, "big") + part)
    return hash_.hexdigest()


def check_receipt(number, answer):
    lines = signed(answer["receipt"]).splitlines()
    assert lines[0] == "cogov.receipt/v1", lines
    facts = dict(line.split(" ", 1) for line in lines[1:])
    assert facts["answer"] == answer["answer"] and int(facts["decision"]) == answer["decision"]
    assert facts["grant"] == GRANT and facts["rulebook"] == answer["rulebook"]
    subject = json.dumps({"identity_number": number}, separators=(",", ":"), ensure_ascii=False)
    assert facts["subject"] == seal(bytes.fromhex(answer["subject_salt"]), subject), "about this person"
    assert facts["subject"] != seal(bytes.fromhex(answer["subject_salt"]), subject.replace(number, number + "0"))
    _, entry = call(f"/api/v1/ledger/entries/{answer['decision']}")
    leaf = json.dumps(entry["entry"])
    assert number not in leaf and '"yes"' not in leaf and '"no"' not in leaf, "the leaf tells neither"
    assert entry["entry"]["sealed"]["subject"] == facts["subject"]
    assert entry["leaf_hash"] == facts["leaf"], "the receipt is of this entry"
    changed = answer["receipt"].replace(f"answer {answer['answer']}", "answer maybe")
    try:
        signed(changed)
        raise AssertionError("a changed receipt is accepted")
    except InvalidSignature:
        pass
    status, checked = call("/api/v1/receipts/check", {"receipt": answer["receipt"],
                           "subject": {"identity_number": number}, "subject_salt": answer["subject_salt"]})
    assert status == 200 and checked["entry_fits"] and checked["about_subject"], checked
    status, refused = call("/api/v1/receipts/check", {"receipt": changed})
    assert status == 422 and refused["type"].endswith("not-genuine"), refused


def people():
    """Some identity numbers with the answer that an engine which knows nothing of cogov gives: 20 of each answer, and 20
    of other regions, whose answer is unknown whatever they receive."""
    objects = pathlib.Path(sys.argv[1]).parent / "objects" / "datasets"

    def table(dataset, name):
        return f"read_parquet('{next((objects / dataset).glob(name + '-*.parquet'))}')"

    persons, benefits = table("registry", "persons"), table("welfare", "benefits")
    here = f"""SELECT p.identity_number, CASE WHEN b.snap_ben > 0 OR b.ssi_ben > 0 OR b.housing_ben > 0 THEN 'yes'
        ELSE 'no' END AS answer FROM {persons} p JOIN {benefits} b USING (recid)
        WHERE p.fips = 48 AND b.fips = 48 ORDER BY hash(p.recid)"""
    found = []
    for answer in ("yes", "no"):
        found += duckdb.sql(f"SELECT * FROM ({here}) WHERE answer = '{answer}' LIMIT 20").fetchall()
    elsewhere = f"SELECT identity_number, 'unknown' FROM {persons} WHERE fips <> 48 ORDER BY hash(recid) LIMIT 15"
    return found + duckdb.sql(elsewhere).fetchall()


def main():
    asked, seen = people(), {}
    for number, expected in asked:
        status, answer = ask(number)
        assert status == 200, answer
        assert answer["answer"] == expected, (number, expected, answer)
        seen.setdefault(expected, (number, answer))
    status, nobody = ask("000000000000000000")
    assert status == 200 and nobody["answer"] == "unknown", nobody
    check_receipt("000000000000000000", nobody)
    for number, answer in seen.values():
        check_receipt(number, answer)
    status, refused = call(f"/api/v1/grants/{GRANT}/query", {"sql": "SELECT 1"}, holder())
    assert status == 403 and "/verify" in refused["reason"], refused
    status, missing = ask("1", account="lin")
    assert status == 404, missing
    status, wrong = call(f"/api/v1/grants/{GRANT}/verify", {"predicate": "lives-here", "subject": {}}, holder())
    assert status == 422 and wrong["field"] == "subject", wrong
    status, unknown = ask("1", predicate="no-such-question")
    assert status == 404, unknown
    print(f"verified {len(asked) + 1} persons, receipts of {len(seen) + 1} checked")


main()
