"""Runs the real binary: the server as a child process, the other verbs as commands."""

import hashlib
import json
import os
import signal
import socket
import subprocess
import time


class VerbFailed(Exception):
    pass


class Daybook:
    def __init__(self, binary, directory):
        self.binary = binary
        self.directory = directory
        self.process = None
        self.port = None
        self.log_path = directory + ".log"
        # Further arguments of `daybook serve`.
        self.serve_arguments = []

    def verb(self, *arguments):
        """Standard output of a verb that must succeed."""
        done = subprocess.run([self.binary, *arguments], capture_output=True, check=False)
        if done.returncode != 0:
            text = done.stderr.decode("utf-8", "replace").strip()
            raise VerbFailed(f"daybook {' '.join(arguments)} ended with {done.returncode}: {text}")
        return done.stdout.decode("utf-8")

    def verb_json(self, *arguments):
        text = self.verb(*arguments, "--json")
        lines = text.strip().split("\n")
        if len(lines) != 1:
            raise VerbFailed(f"daybook {' '.join(arguments)} --json printed {len(lines)} lines instead of one")
        return json.loads(lines[0])

    def command(self):
        listen = f"127.0.0.1:{self.port}"
        return [self.binary, "serve", "--data", self.directory, "--listen", listen, *self.serve_arguments]

    def start(self, seconds=20):
        self.port = self.port or free_port()
        log = open(self.log_path, "ab")
        self.process = subprocess.Popen(self.command(), stdout=log, stderr=log)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise VerbFailed(f"daybook serve ended with {self.process.returncode}; see {self.log_path}")
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise VerbFailed(f"daybook serve does not listen after {seconds} s; see {self.log_path}")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process = None

    def stop(self, seconds=20):
        """A graceful end; the exit code."""
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return -1
        self.process = None
        return code

    def fingerprints(self):
        """SHA-256 of every file of the data directory; sockets are left out."""
        found = {}
        for root, _, names in os.walk(self.directory):
            for name in names:
                path = os.path.join(root, name)
                if not os.path.isfile(path):
                    continue
                with open(path, "rb") as file:
                    found[os.path.relpath(path, self.directory)] = hashlib.sha256(file.read()).hexdigest()
        return found


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
