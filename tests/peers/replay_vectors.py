#!/usr/bin/env python3
"""Replays the portable vectors (vectors/apdu/*.json) against a card, knowing nothing but their schema
and the protocol of virtual readers: an independent check that they can be used without the program that
wrote them. Standard library only.

usage: replay_vectors.py VECTORS COMMAND...

COMMAND starts a card that listens; {holder}, {profile} and {clock} in it are filled in, and on standard error
it says "listening for a reader on HOST:PORT". Each conversation gets a card of its own.
The last line is `N passed, N failed`; the exit code says the same.
"""

import json
import os
import re
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PATIENCE = 60  # seconds; nothing here takes so long

OFF, ON, WARM_RESET, ATR = b"\x00", b"\x01", b"\x02", b"\x04"
POWER = {"off": OFF, "on": ON, "warm_reset": WARM_RESET}


class Card:
    """A card in a process of its own, and the reader's end of the connection to it."""

    def __init__(self, command):
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        address = None
        for line in self.process.stderr:
            found = re.search(r"listening for a reader on (\S+):(\d+)", line)
            if found:
                address = (found[1], int(found[2]))
                break
        if address is None:
            raise RuntimeError(f"the card did not start: {command}")
        # Whatever else it says must not fill the pipe.
        threading.Thread(target=self.process.stderr.read, daemon=True).start()
        self.socket = socket.create_connection(address, PATIENCE)
        self.socket.settimeout(PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.power(ON)

    def power(self, control):
        self.send(control)
        if control != OFF:  # a reader asks for the ATR after each reset
            self.send(ATR)
            self.receive()

    def transmit(self, command):
        self.send(command)
        return self.receive()

    def send(self, body):
        self.socket.sendall(len(body).to_bytes(2, "big") + body)

    def receive(self):
        return self.exactly(int.from_bytes(self.exactly(2), "big"))

    def exactly(self, length):
        data = b""
        while len(data) < length:
            part = self.socket.recv(length - len(data))
            if not part:
                raise RuntimeError("the card closed the connection")
            data += part
        return data

    def leave(self):
        self.socket.close()
        self.process.terminate()
        self.process.wait()


def expected(response, blobs):
    if isinstance(response, str):
        return bytes.fromhex(response)
    data = bytes.fromhex(blobs[response["blob"]])[response["from"] :][: response["length"]]
    return data + bytes.fromhex(response["sw"])


def difference(line, answer, blobs):
    """What is wrong with an answer; None when it is right."""
    wanted = expected(line["response"], blobs)
    if "random" in line.get("flags", []):
        right = len(answer) == len(wanted) and answer[-2:] == wanted[-2:]
    else:
        right = answer == wanted
    return None if right else f"> {line['command']}\n  wanted {wanted.hex()}\n  came   {answer.hex()}"


def replay(file, test, command):
    """Plays one conversation; returns what is wrong with it, or None."""
    fill = {"holder": test["holder"], "profile": file["profile"], "clock": file["clock"]}
    card = Card([part.format(**fill) for part in command])
    try:
        if "setup" in test:
            for apdu in test["setup"]:
                card.transmit(bytes.fromhex(apdu))
            card.power(OFF)
            card.power(ON)
        for number, line in enumerate(test["conversation"], 1):
            if "power" in line:
                card.power(POWER[line["power"]])
                continue
            wrong = difference(line, card.transmit(bytes.fromhex(line["command"])), file["blobs"])
            if wrong:
                return f"line {number}: {wrong}"
        return None
    finally:
        card.leave()


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    jobs = []
    for path in sorted(Path(sys.argv[1]).glob("*.json")):
        if path.name == "schema.json":
            continue
        file = json.loads(path.read_text(encoding="utf-8"))
        if file["numberOfTests"] != len(file["tests"]):
            sys.exit(f"{path}: {len(file['tests'])} tests, and it says {file['numberOfTests']}")
        jobs += [(file, test) for test in file["tests"]]

    def run(job):
        try:
            return job[1]["id"], replay(*job, sys.argv[2:])
        except (OSError, RuntimeError) as error:
            return job[1]["id"], str(error)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(run, jobs))
    failed = [(name, wrong) for name, wrong in results if wrong]
    for name, wrong in failed:
        print(f"FAIL {name}: {wrong}")
    print(f"{len(results) - len(failed)} passed, {len(failed)} failed")
    sys.exit(1 if failed or not results else 0)


if __name__ == "__main__":
    main()
