"""Kills a node while people vote, and sees that no acknowledged vote is lost or doubled.

Usage: votes_kill.py path/to/cogov path/to/demo [rounds]      (a home of its own on free loopback ports)

In every round the people of the demo world vote over HTTP from many threads, the node is killed with SIGKILL in the
middle, and started again. Every vote that was answered with a receipt must then be in the record under that very
entry; coverage.py, which shares no code with cogov, checks the record against the ledger.
"""

import json
import pathlib
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
COVERAGE = HERE.parent.parent / "cogov-app" / "tests" / "coverage.py"


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def call(base, path, token=None, body=None):
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(base + path, data, headers), timeout=30) as response:
        return json.loads(response.read())


class Node:
    def __init__(self, binary, demo, home):
        self.command, self.home, self.port = [binary, "serve", "--demo", demo, "--home", home], home, free_port()
        self.base, self.process = f"http://127.0.0.1:{self.port}", None

    def start(self):
        pg = free_port()
        self.process = subprocess.Popen(
            [*self.command, "--http", f"127.0.0.1:{self.port}", "--pg", f"127.0.0.1:{pg}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(3000):
            try:
                urllib.request.urlopen(self.base + "/readyz", timeout=2).read()
                way_in = pathlib.Path(self.home, "demo.json")
                if way_in.exists() and json.loads(way_in.read_text())["http"] == self.base:
                    return json.loads(way_in.read_text())
            except (OSError, ValueError):
                pass
            time.sleep(0.1)
        sys.exit("FAILED the node does not start")

    def kill(self):
        if self.process is None:
            return
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def main():
    binary, demo = sys.argv[1:3]
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    with tempfile.TemporaryDirectory() as home:
        node = Node(binary, demo, home)
        try:
            torture(node, rounds)
        finally:
            node.kill()


def torture(node, rounds):
    people = node.start()["accounts"]
    cards = call(node.base, "/api/v1/consultations")["items"]
    name = next(card["consultation"]["id"] for card in cards if card["state"] == "open")
    path = f"/api/v1/consultations/{name}"
    found = call(node.base, f"{path}/contributions?kind=statement&limit=200")["items"]
    statements = [item["number"] for item in found]
    acknowledged, failures, lock = {}, [], threading.Lock()

    def vote(person):
        while not stop.is_set():
            said = {"statement": random.choice(statements), "vote": random.choice(["agree", "disagree", "pass"])}
            try:
                entry = call(node.base, f"{path}/votes", person["token"], said)["entry"]
            except urllib.error.HTTPError as error:
                if error.code != 429:
                    failures.append(f"{error.code}: {error.read()}")
                    return
                time.sleep(0.2)
                continue
            except (OSError, ValueError):
                return
            with lock:
                if entry in acknowledged:
                    failures.append(f"entry {entry} was handed out twice")
                acknowledged[entry] = (person["name"], said)

    for round_ in range(rounds):
        stop, before = threading.Event(), len(acknowledged)
        threads = [threading.Thread(target=vote, args=(person,)) for person in people]
        for thread in threads:
            thread.start()
        time.sleep(random.uniform(0.6, 2.0))
        node.kill()
        stop.set()
        for thread in threads:
            thread.join()
        if failures:
            sys.exit(f"FAILED {failures[0]}")
        if len(acknowledged) == before:
            sys.exit("FAILED hardly a vote was acknowledged: the round shows nothing")
        people = node.start()["accounts"]
        with urllib.request.urlopen(f"{node.base}{path}/record.jsonl") as response:
            lines = [json.loads(line) for line in response.read().decode().splitlines()]
        kept = {line["entry"]: json.loads(line["content"]) for line in lines if line["kind"] == "vote"}
        for entry, (_, said) in acknowledged.items():
            if entry not in kept or {k: kept[entry][k] for k in said} != said:
                sys.exit(f"FAILED the vote of entry {entry} was acknowledged and is lost")
        print(f"round {round_ + 1}: {len(acknowledged)} votes acknowledged so far, all kept")
    subprocess.run([sys.executable, COVERAGE, node.base], check=True)


if __name__ == "__main__":
    main()
