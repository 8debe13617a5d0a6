"""Runs the real binary: the server as a child process, the other verbs as commands."""

import hashlib
import json
import os
import select
import signal
import subprocess
import time
import urllib.parse


class VerbFailed(Exception):
    pass


class Daybook:
    def __init__(self, binary, directory):
        self.binary = binary
        self.directory = directory
        self.process = None
        # Another one after each start; None while no server runs.
        self.port = None
        self.log_path = directory + ".log"
        # Further arguments of `daybook serve`.
        self.serve_arguments = []
        # Those that the server may use; None for all.
        self.processors = None

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
        """Listens on a port that the system chooses: one that was free a moment ago may be somebody else's by now."""
        return [self.binary, "serve", "--data", self.directory, "--listen", "127.0.0.1:0", "--json",
                *self.serve_arguments]  # fmt: skip

    def start(self, seconds=60):
        """Returns as soon as the server has said where it listens."""
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=subprocess.PIPE, stderr=log, preexec_fn=self.keep_to_processors)
        url = json.loads(self.first_line(time.monotonic() + seconds))["url"]
        self.port = urllib.parse.urlsplit(url).port

    def keep_to_processors(self):
        if self.processors is not None:
            os.sched_setaffinity(0, self.processors)

    def first_line(self, deadline):
        """Of the server's standard output."""
        line = b""
        output = self.process.stdout.fileno()
        while not line.endswith(b"\n"):
            if not select.select([output], [], [], max(0, deadline - time.monotonic()))[0]:
                raise VerbFailed(f"daybook serve does not say where it listens; see {self.log_path}")
            piece = os.read(output, 4096)
            if not piece:
                raise VerbFailed(f"daybook serve ended with {self.process.wait()}; see {self.log_path}")
            line += piece
        return line

    def kill(self):
        self.port = None
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
        self.port = None
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
