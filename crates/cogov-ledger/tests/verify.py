"""Verifies a ledger from its public bytes alone, with code that shares nothing with cogov.

Usage: verify.py http://127.0.0.1:8080 [--tamper N]     (needs cryptography; exits 1 with the first thing that is not whole)

Reads the key (signed-note verifier key, Ed25519), the checkpoint (C2SP tlog-checkpoint), every entry bundle and every
tile (C2SP tlog-tiles). Checks the signature, each leaf hash against its level-0 tile, each tile above against the one
below, and the root that the entries give (RFC 6962) against the checkpoint's.

With --tamper the ledger's files are read once and manipulated N times: entries deleted, edited, exchanged, dated back or
slipped in, by a stranger who can only change files, by one who makes every tile fit but has no key, and by the
operator, who has a key and signs whatever is there. The first two must be found from the files alone, the third from a
checkpoint or a receipt that somebody kept. The untouched copies in between must be found whole.
"""

import base64
import hashlib
import json
import random
import sys
import urllib.error
import urllib.request

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

WIDTH = 256
ED25519 = 1


class NotWhole(Exception):
    """The first thing that is not whole."""


def fail(words):
    raise NotWhole(words)


class Served:
    """A ledger's files as a server gives them."""

    def __init__(self, base):
        self.base = base.rstrip("/")

    def get(self, path):
        try:
            with urllib.request.urlopen(f"{self.base}/ledger/{path}") as response:
                return response.read()
        except urllib.error.HTTPError as error:
            # A part of a tile may be gone once the whole one is there; its first entries are the same.
            if error.code == 404 and ".p/" in path:
                return self.get(path.partition(".p/")[0])
            fail(f"/ledger/{path} answers {error.code}")


class Copied:
    """A copy of a ledger's files."""

    def __init__(self, files):
        self.files = files

    def get(self, path):
        return self.files[path] if path in self.files else fail(f"/ledger/{path} is missing")


def leaf_hash(entry):
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(hashes):
    """The root over leaves or over whole subtrees of one size (RFC 6962, 2.1: a node without a sibling goes up)."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    while len(hashes) > 1:
        above = [node_hash(hashes[i], hashes[i + 1]) for i in range(0, len(hashes) - 1, 2)]
        hashes = above + hashes[2 * len(above):]
    return hashes[0]


def verifier(line):
    """Name, key id and public key of `<name>+<id>+<base64 of algorithm and key>`."""
    name, key_id, encoded = line.strip().split("+", 2)
    key = base64.b64decode(encoded, validate=True)
    if key[0] != ED25519 or len(key) != 33:
        fail("the key is no Ed25519 key")
    expected = hashlib.sha256(name.encode() + b"\n" + key).digest()[:4]
    if expected.hex() != key_id:
        fail("the key's id is not the hash of its name and key")
    return name, expected, Ed25519PublicKey.from_public_bytes(key[1:])


def checkpoint(note, name, key_id, key):
    """Size and root of a checkpoint that the key signed."""
    text, _, signatures = note.decode().rpartition("\n\n")
    text += "\n"
    for line in signatures.splitlines():
        dash, signer, encoded = line.split(" ")
        signature = base64.b64decode(encoded, validate=True)
        if dash != "—" or signer != name or signature[:4] != key_id:
            continue
        try:
            key.verify(signature[4:], text.encode())
        except InvalidSignature:
            fail("the checkpoint's signature is false")
        origin, size, root = text.splitlines()[:3]
        if origin != name:
            fail(f"the checkpoint is of {origin} and the key of {name}")
        if str(int(size)) != size:
            fail("the checkpoint's size is not written as a plain number")
        return int(size), base64.b64decode(root, validate=True)
    fail("no signature of the key stands beneath the checkpoint")


def tile_name(number):
    """`1234067` → `x001/x234/067`."""
    parts = [f"{number % 1000:03}"]
    while number >= 1000:
        number //= 1000
        parts.append(f"x{number % 1000:03}")
    return "/".join(reversed(parts))


def tiles(count):
    """Number and width of each tile that holds `count` hashes or entries."""
    for number in range((count + WIDTH - 1) // WIDTH):
        width = min(WIDTH, count - number * WIDTH)
        yield number, tile_name(number) + (f".p/{width}" if width < WIDTH else "")


def entries_of(bundle, path):
    """The entries of a bundle: each behind its length in two bytes, the larger first."""
    place, entries = 0, []
    while place < len(bundle):
        length = int.from_bytes(bundle[place:place + 2], "big")
        entry = bundle[place + 2:place + 2 + length]
        if place + 2 > len(bundle) or len(entry) != length:
            fail(f"{path} ends within an entry")
        entries.append(entry)
        place += 2 + length
    return entries


def leaves(ledger, size):
    entries = []
    for number, name in tiles(size):
        path = f"tile/entries/{name}"
        width = min(WIDTH, size - number * WIDTH)
        bundle = entries_of(ledger.get(path), path)
        if len(bundle) not in (width, WIDTH):
            fail(f"{path} holds {len(bundle)} entries")
        entries += bundle[:width]
    return entries


def level(ledger, height, hashes):
    """Checks the tiles of a level against the hashes that they must hold."""
    for number, name in tiles(len(hashes)):
        path = f"tile/{height}/{name}"
        tile = ledger.get(path)
        expected = hashes[number * WIDTH:(number + 1) * WIDTH]
        if len(tile) not in (32 * len(expected), 32 * WIDTH):
            fail(f"{path} has {len(tile)} bytes in place of {32 * len(expected)}")
        for place, hash_ in enumerate(expected):
            if tile[32 * place:32 * place + 32] != hash_:
                first = (number * WIDTH + place) * WIDTH**height
                fail(f"{path} does not fit what lies below it; the first entry beneath is {first}")


def levels(hashes):
    """The hashes of each level of tiles, the leaves first."""
    while hashes:
        yield hashes
        whole = range(len(hashes) // WIDTH)
        hashes = [root_of(hashes[number * WIDTH:(number + 1) * WIDTH]) for number in whole]


class Kept:
    """What somebody kept: a checkpoint's size and root, and receipts as an entry's place and hash."""

    def __init__(self, size, root, receipts):
        self.size, self.root, self.receipts = size, root, receipts

    def check(self, hashes):
        if len(hashes) < self.size:
            fail(f"the ledger has {len(hashes)} entries and had {self.size}")
        if root_of(hashes[:self.size]) != self.root:
            fail("the ledger does not go on from the checkpoint that was kept")
        for place, leaf in self.receipts:
            if hashes[place:place + 1] != [leaf]:
                fail(f"entry {place} is not the one of the receipt")


def verify(ledger, trusted, kept=None):
    """The entries and the number of tiles of a ledger of the trusted key; raises what is not whole."""
    name, key_id, key = verifier(trusted)
    size, root = checkpoint(ledger.get("checkpoint"), name, key_id, key)
    entries = leaves(ledger, size)
    hashes, count = [leaf_hash(entry) for entry in entries], 0
    for height, below in enumerate(levels(hashes)):
        level(ledger, height, below)
        count += (len(below) + WIDTH - 1) // WIDTH
    if root_of(hashes) != root:
        fail("the entries do not give the checkpoint's root")
    if kept:
        kept.check(hashes)
    return entries, count


class Operator:
    """Who runs a ledger of the same entries, with a key of their own."""

    def __init__(self, name):
        self.name, self.key = name, Ed25519PrivateKey.generate()
        public = bytes([ED25519]) + self.key.public_key().public_bytes_raw()
        self.id = hashlib.sha256(name.encode() + b"\n" + public).digest()[:4]
        self.trusted = f"{name}+{self.id.hex()}+{base64.b64encode(public).decode()}"

    def sign(self, size, root):
        text = f"{self.name}\n{size}\n{base64.b64encode(root).decode()}\n"
        signature = base64.b64encode(self.id + self.key.sign(text.encode())).decode()
        return f"{text}\n— {self.name} {signature}\n".encode()


def bundles(entries, size):
    """The files of the entries under the names that a ledger of this size has."""
    files = {}
    for number, name in tiles(size):
        part = entries[number * WIDTH:(number + 1) * WIDTH]
        files[f"tile/entries/{name}"] = b"".join(len(entry).to_bytes(2, "big") + entry for entry in part)
    return files


def written(entries, signed):
    """The files of a ledger in which every tile fits; `signed` gives its checkpoint."""
    files, hashes = bundles(entries, len(entries)), [leaf_hash(entry) for entry in entries]
    for height, below in enumerate(levels(hashes)):
        for number, name in tiles(len(below)):
            files[f"tile/{height}/{name}"] = b"".join(below[number * WIDTH:(number + 1) * WIDTH])
    files["checkpoint"] = signed(len(entries), root_of(hashes))
    return files


def dated_back(entry):
    leaf = json.loads(entry)
    leaf["at"] = "2001-01-01T00:00:00.000Z"
    return json.dumps(leaf, separators=(",", ":"), ensure_ascii=False).encode()


def manipulated(entries, way, dice):
    """The entries with one manipulation."""
    entries, at = list(entries), dice.randrange(len(entries))
    if way == "deleted":
        del entries[at]
    elif way == "edited":
        edited = bytearray(entries[at])
        edited[dice.randrange(len(edited))] ^= 1 << dice.randrange(8)
        entries[at] = bytes(edited)
    elif way == "exchanged":
        other = dice.choice([place for place, entry in enumerate(entries) if entry != entries[at]])
        entries[at], entries[other] = entries[other], entries[at]
    elif way == "dated back":
        entries[at] = dated_back(entries[at])
    else:
        entries.insert(at, dated_back(entries[at]))
    return entries


def tamper(entries, times):
    """Manipulates copies, and verifies each."""
    dice, operator = random.Random(20261124), Operator("tampered.example")
    honest = written(entries, operator.sign)
    hashes = [leaf_hash(entry) for entry in entries]
    # What a witness kept long ago and now, and what participants did: receipts of the first, the last and some between.
    half = len(entries) // 2
    old = Kept(half, root_of(hashes[:half]), [])
    new = Kept(len(entries), root_of(hashes), [])
    held = sorted({0, len(entries) - 1, *dice.sample(range(len(entries)), len(entries) // 4)})
    receipts = Kept(0, root_of([]), [(at, hashes[at]) for at in held])
    by_receipts = 0
    ways = ("deleted", "edited", "exchanged", "dated back", "slipped in")
    hands = ("by a stranger", "with fitting tiles", "by the operator")
    for number in range(times):
        way, hand = ways[number % len(ways)], hands[number // len(ways) % len(hands)]
        changed = manipulated(entries, way, dice)
        if hand == "by a stranger":
            files, against = honest | bundles(changed, len(entries)), None
        elif hand == "with fitting tiles":
            files, against = written(changed, lambda *_: honest["checkpoint"]), None
        else:
            files, against = written(changed, operator.sign), new
            verify(Copied(files), operator.trusted)  # Nobody who kept nothing can tell.
        try:
            verify(Copied(files), operator.trusted, against)
        except NotWhole:
            by_receipts += against is new and is_found(files, operator, receipts)
            if against is new and changed[:half] != entries[:half] and not is_found(files, operator, old):
                sys.exit(f"FAILED not found by an old checkpoint: manipulation {number}, an entry {way}")
            continue
        sys.exit(f"FAILED not found: manipulation {number}, an entry {way} {hand}")
    for copy in (entries, entries + [entries[0]]):
        for kept in (None, old, new, receipts):
            verify(Copied(written(copy, operator.sign)), operator.trusted, kept)
    if times >= 100 and not by_receipts:
        sys.exit("FAILED receipts alone find nothing")
    print(
        f"{times} manipulations in copies of {len(entries)} entries: all found, {by_receipts} of the operator's by receipts "
        "alone; the untouched and the grown copy: whole"
    )


def is_found(files, operator, kept):
    try:
        verify(Copied(files), operator.trusted, kept)
    except NotWhole:
        return True
    return False


def main():
    base, *options = sys.argv[1:] or sys.exit(__doc__)
    if options and (len(options) != 2 or options[0] != "--tamper" or int(options[1]) < 1):
        sys.exit(__doc__)
    ledger = Served(base)
    try:
        trusted = ledger.get("key").decode()
        entries, count = verify(ledger, trusted)
    except NotWhole as found:
        sys.exit(f"FAILED {found}")
    name, root = trusted.partition("+")[0], root_of([leaf_hash(entry) for entry in entries])
    print(f"{name}: {len(entries)} entries, {count} tiles, root {base64.b64encode(root).decode()}: whole")
    if options:
        tamper(entries, int(options[1]))


if __name__ == "__main__":
    main()
