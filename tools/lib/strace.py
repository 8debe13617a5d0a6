"""Attaches strace to a running server, to inject faults into its system calls or to read their order."""

import re
import subprocess
import time

# `1234 name(arguments) = result`, or one of the two halves of a call during which other threads ran.
WHOLE = re.compile(r"^(\d+)\s+(\w+)\((.*)\)\s+= (-?\d+)(.*)$", re.DOTALL)
STARTED = re.compile(r"^(\d+)\s+(\w+)\((.*) <unfinished \.\.\.>$", re.DOTALL)
RESUMED = re.compile(r"^(\d+)\s+<\.\.\. (\w+) resumed>(.*)\)\s+= (-?\d+)(.*)$", re.DOTALL)


class StraceMissing(Exception):
    pass


class Tracer:
    """`options` are strace's own, such as `-e inject=fdatasync:error=EIO:when=20`; counts begin now, for each thread."""

    def __init__(self, process_id, path, options, seconds=20):
        self.path = path
        self.message_path = path + ".messages"
        with open(self.message_path, "wb") as messages:
            self.process = subprocess.Popen(
                ["strace", "-f", "-p", str(process_id), "-o", path, *options], stdout=messages, stderr=messages
            )
        deadline = time.monotonic() + seconds
        while "attached" not in self.messages():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise StraceMissing(
                    f"strace cannot trace here, so this check proves NOTHING on this machine: {self.messages()}"
                )
            time.sleep(0.02)

    def messages(self):
        with open(self.message_path, encoding="utf-8", errors="replace") as file:
            return file.read().strip()

    def wait(self, seconds=20):
        """It ends by itself when the traced process has ended."""
        self.process.wait(seconds)

    def calls(self):
        """(position where it began, position where it ended, thread, name, arguments, result), by their ends."""
        found = []
        pending = {}
        with open(self.path, encoding="utf-8", errors="replace") as file:
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
