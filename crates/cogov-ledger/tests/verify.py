"""Verifies a ledger from its public bytes alone, with code that shares nothing with cogov.

Usage: verify.py http://127.0.0.1:8080      (needs cryptography; exits 1 with the first thing that is not whole)

Reads the key (signed-note verifier key, Ed25519), the checkpoint (C2SP tlog-checkpoint), every entry bundle and every
tile (C2SP tlog-tiles). Checks the signature, each leaf hash against its level-0 tile, each tile above against the one
below, and the root that the entries give (RFC 6962) against the checkpoint's.
"""

import base64
import hashlib
import sys
import urllib.error
import urllib.request

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

WIDTH = 256
ED25519 = 1


def fail(words):
    sys.exit(f"FAILED {words}")


def get(base, path):
    try:
        with urllib.request.urlopen(f"{base}/ledger/{path}") as response:
            return response.read()
    except urllib.error.HTTPError as error:
        # A part of a tile may be gone once the whole one is there; its first entries are the same.
        if error.code == 404 and ".p/" in path:
            return get(base, path.partition(".p/")[0])
        fail(f"/ledger/{path} answers {error.code}")


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


def leaves(base, size):
    hashes = []
    for number, name in tiles(size):
        path = f"tile/entries/{name}"
        width = min(WIDTH, size - number * WIDTH)
        entries = entries_of(get(base, path), path)
        if len(entries) not in (width, WIDTH):
            fail(f"{path} holds {len(entries)} entries")
        hashes += map(leaf_hash, entries[:width])
    return hashes


def level(base, height, hashes):
    """Checks the tiles of a level against the hashes that they must hold."""
    for number, name in tiles(len(hashes)):
        path = f"tile/{height}/{name}"
        tile = get(base, path)
        expected = hashes[number * WIDTH:(number + 1) * WIDTH]
        if len(tile) not in (32 * len(expected), 32 * WIDTH):
            fail(f"{path} has {len(tile)} bytes in place of {32 * len(expected)}")
        for place, hash_ in enumerate(expected):
            if tile[32 * place:32 * place + 32] != hash_:
                first = (number * WIDTH + place) * WIDTH**height
                fail(f"{path} does not fit what lies below it; the first entry beneath is {first}")


def main():
    base = sys.argv[1].rstrip("/")
    name, key_id, key = verifier(get(base, "key").decode())
    size, root = checkpoint(get(base, "checkpoint"), name, key_id, key)
    hashes = leaves(base, size)
    count, height, below = 0, 0, hashes
    while below:
        level(base, height, below)
        count += (len(below) + WIDTH - 1) // WIDTH
        whole = range(len(below) // WIDTH)
        below = [root_of(below[number * WIDTH:(number + 1) * WIDTH]) for number in whole]
        height += 1
    if root_of(hashes) != root:
        fail("the entries do not give the checkpoint's root")
    print(f"{name}: {size} entries, {count} tiles on {height} levels, root {base64.b64encode(root).decode()}: whole")


if __name__ == "__main__":
    main()
