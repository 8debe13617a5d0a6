"""Slow clients against a real server: the checks behind tools/slow."""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from certificates import Authority
from client import Client, Unanswered
from server import Daybook

CONNECTIONS = 200
# A slow request is over after 30 s, which is looked at twice a second; its connection must be gone by then.
CLOSED_SECONDS = 35
# How long another client may wait for its answer.
ANSWER_SECONDS = 5

# By then the tool has opened all of them.
OPENING_SECONDS = 3

MODES = {
    "H": ("slow heads", "/health", ["-H", "-i", "5"]),
    "B": ("slow bodies", "/api/v1/metrics/batch", ["-B", "-i", "5", "-s", "8192"]),
    # A small receive window, of which eight bytes are read every five seconds.
    "X": ("slow reading", "/health", ["-X", "-w", "8", "-y", "16", "-n", "5", "-z", "8", "-k", "8"]),
}


class Probe(threading.Thread):
    """Another client, on a new connection each time."""

    def __init__(self, make_client):
        super().__init__(daemon=True)
        self.make_client = make_client
        self.ended = threading.Event()
        self.answered = 0
        self.slowest = 0.0
        self.problems = []

    def run(self):
        while not self.ended.wait(0.2):
            client = self.make_client()
            began = time.monotonic()
            try:
                answer = client.request("GET", "/api/v1/metrics/commands?limit=1")
                if answer.status != 200:
                    self.problems.append(f"answered {answer.status}: {answer.text[:100]}")
            except Unanswered as error:
                self.problems.append(f"not answered: {error}")
            self.slowest = max(self.slowest, time.monotonic() - began)
            self.answered += 1
            client.close()

    def finish(self):
        self.ended.set()
        self.join()


def attack(mode, url, make_client):
    """What is wrong when one mode of the tool attacks."""
    name, path, flags = MODES[mode]
    command = ["slowhttptest", "-c", str(CONNECTIONS), "-r", "100", "-l", str(CLOSED_SECONDS + 30), "-p", "5", *flags,
               "-u", url + path]  # fmt: skip
    probe = Probe(make_client)
    probe.start()
    began = time.monotonic()
    tool = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    most, gone = watch(make_client, began)
    running = tool.poll() is None
    tool.terminate()
    text = re.sub(r"\x1b\[[0-9;]*m", "", tool.communicate()[0])
    probe.finish()
    problems = list(probe.problems[:5])
    if most < CONNECTIONS * 3 // 4:
        problems.append(f"slowhttptest was refused or did not run: it held {most} connections: {text.strip()[-300:]}")
    elif gone is None:
        problems.append(f"after {CLOSED_SECONDS} s there are still connections")
    if probe.answered < 10:
        problems.append(f"only {probe.answered} requests of the other client were made")
    if probe.slowest > ANSWER_SECONDS:
        problems.append(f"the other client waited {probe.slowest:.1f} s")
    print(
        f"{'FAILED ' if problems else 'passed '} {name}: {most} connections, gone after {gone or 0:.1f} s"
        f"{'' if running else ' (the tool had ended)'}; {probe.answered} requests of another client, "
        f"the slowest {probe.slowest * 1000:.0f} ms",
        flush=True,
    )
    for problem in problems:
        print(f"        {problem}", flush=True)
    return problems


def watch(make_client, began):
    """How many connections there were at most, and after how many seconds they were gone; None when they never were."""
    most = 0
    while time.monotonic() < began + OPENING_SECONDS + CLOSED_SECONDS:
        time.sleep(0.5)
        count = connections(make_client)
        most = max(most, count)
        if most >= CONNECTIONS * 3 // 4 and count <= 2:
            return most, time.monotonic() - began
    return most, None


def connections(make_client):
    client = make_client()
    text = client.request("GET", "/metrics").text
    client.close()
    return int(re.search(r"^daybook_connections (\d+)$", text, re.MULTILINE).group(1))


def main():
    parser = argparse.ArgumentParser(prog="tools/slow")
    parser.add_argument("--binary", default=".build/release/daybook")
    parser.add_argument("--tls", action="store_true", help="attack a server that speaks TLS")
    parser.add_argument("modes", nargs="*", choices=[*MODES, []], metavar="MODE")
    options = parser.parse_args()
    if not os.access(options.binary, os.X_OK):
        print(f"error: there is no binary {options.binary}; swift build -c release makes it", file=sys.stderr)
        return 2
    work = tempfile.mkdtemp(prefix="daybook-slow-")
    daybook = Daybook(os.path.abspath(options.binary), os.path.join(work, "store"))
    problems = []
    try:
        key = daybook.verb_json("init", "--data", daybook.directory, "--organization", "slow")["api_key"]
        authority = Authority(work) if options.tls else None
        if authority:
            daybook.serve_arguments = authority.serve_arguments("server")
        daybook.start()
        context = authority.context() if authority else None
        url = f"{'https' if options.tls else 'http'}://127.0.0.1:{daybook.port}"
        for mode in options.modes or MODES:
            problems += attack(mode, url, lambda: Client(daybook, key, context))
        code = daybook.stop()
        if code != 0:
            problems.append(f"the server ended with {code}")
            print(f"FAILED  {problems[-1]}; see {daybook.log_path}")
    finally:
        if daybook.process is not None:
            daybook.kill()
        if not problems:
            shutil.rmtree(work, ignore_errors=True)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
