"""Runs the server under strace, to inject faults into its system calls or to read their order."""

import os
import re
import signal
import subprocess
import time

from server import Daybook

# `1234 name(arguments) = result`, or one of the two halves of a call during which other threads ran.
WHOLE = re.compile(r"^(\d+)\s+(\w+)\((.*)\)\s+= (-?\d+)(.*)$", re.DOTALL)
STARTED = re.compile(r"^(\d+)\s+(\w+)\((.*) <unfinished \.\.\.>$", re.DOTALL)
RESUMED = re.compile(r"^(\d+)\s+<\.\.\. (\w+) resumed>(.*)\)\s+= (-?\d+)(.*)$", re.DOTALL)


class StraceMissing(Exception):
    pass


def require_strace():
    done = subprocess.run(["strace", "-f", "-o", "/dev/null", "true"], capture_output=True, check=False)
    if done.returncode != 0:
        text = done.stderr.decode("utf-8", "replace").strip()
        raise StraceMissing(f"strace cannot trace here, so this check proves NOTHING on this machine: {text}")


class TracedDaybook(Daybook):
    """`options` are strace's own, such as `-e inject=fdatasync:error=EIO:when=20`."""

    def __init__(self, binary, directory, options, seconds=30):
        super().__init__(binary, directory)
        self.options = options
        self.trace_path = directory + ".trace"
        self.start_seconds = seconds

    def command(self):
        return ["strace", "-f", "-qq", "-o", self.trace_path, *self.options, *super().command()]

    def server_pid(self):
        """The child of strace."""
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        with open(path, encoding="ascii") as file:
            return int(file.read().split()[0])

    def kill(self):
        os.kill(self.server_pid(), signal.SIGKILL)
        self.process.wait()
        self.process = None

    def calls(self):
        """(position where it began, position where it ended, thread, name, arguments, result), by their ends."""
        found = []
        pending = {}
        with open(self.trace_path, encoding="utf-8", errors="replace") as file:
            for position, line in enumerate(file):
                line = line.rstrip("\n")
                if match := STARTED.match(line):
                    pending[match.group(1)] = (position, match.group(3))
                elif match := RESUMED.match(line):
                    began, arguments = pending.pop(match.group(1), (position, ""))
                    found.append(
                        (began, position, match.group(1), match.group(2), arguments + match.group(3), int(match.group(4)))
                    )
                elif match := WHOLE.match(line):
                    found.append(
                        (position, position, match.group(1), match.group(2), match.group(3), int(match.group(4)))
                    )
        return found

    def wait_for_call(self, pattern, seconds):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with open(self.trace_path, encoding="utf-8", errors="replace") as file:
                if re.search(pattern, file.read()):
                    return True
            time.sleep(0.05)
        return False
