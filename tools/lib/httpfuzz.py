"""The fuzzer behind tools/fuzz-http."""

import argparse
import base64
import json
import os
import random
import re
import shutil
import socket
import struct
import sys
import tempfile
import threading
import time

from certificates import Authority
from client import Client
from http2fuzz import StreamTalk
from httpfuzz_cases import Grammar, Maker
from httpfuzz_judging import PAUSE, SECONDS_MAX, Failure, answers_of, is_answer
from server import Daybook

SAVED = "data/local/fuzz-http"
# How long a request that may be incomplete is waited for before our side ends.
PATIENCE = 0.4
CHECK_INTERVAL = 200
# Cases that may make keys and organizations: a run of hours must not fill the server's memory with them.
MAKER_INTERVAL = 20
# Seconds; a key gets some thirty tokens a minute.
RENEWAL_INTERVAL = 20
EVENT = '{"command_name":"fuzz","execution_time_ms":1,"status":"success"}'


class Worker(threading.Thread):
    def __init__(self, run, number):
        super().__init__(daemon=True)
        self.run_of_all = run
        self.number = number
        self.counts = {}

    def run(self):
        if self.run_of_all.context is not None:
            return self.run_streams()
        run = self.run_of_all
        case = 0
        while not run.is_over():
            maker_random = random.Random(f"{run.seed} {self.number} {case}")
            maker = Maker(run.grammar, maker_random, run.credentials, case % MAKER_INTERVAL == 0)
            data = b""
            try:
                data, method = maker.case()
                for status in self.send(data, method, maker_random):
                    self.counts[status] = self.counts.get(status, 0) + 1
                if case % CHECK_INTERVAL == 0:
                    self.check_health()
            except Exception as failure:
                # A fault of the fuzzer itself must not pass for a quiet run either.
                run.fail(self.number, case, data, repr(failure))
                return
            case += 1
        self.counts["cases"] = case

    def run_streams(self):
        run = self.run_of_all
        talk = StreamTalk(run, self.number, run.stream_context)
        case = 0
        while not run.is_over():
            name, pieces = "", []
            try:
                name, pieces, reads, how = talk.case(case, case % MAKER_INTERVAL == 0)
                for status in talk.send(name, pieces, reads, how):
                    self.counts[status] = self.counts.get(status, 0) + 1
                self.counts[name] = self.counts.get(name, 0) + 1
                if case % CHECK_INTERVAL == 0:
                    self.check_health()
            except Exception as failure:
                run.fail(self.number, case, b"".join(pieces), f"{name}: {failure!r}")
                return
            case += 1
        self.counts["cases"] = case

    def send(self, data, method, how):
        run = self.run_of_all
        connection = socket.socket()
        try:
            # Clients have many addresses, so that none of them is refused for the wrong keys of all.
            connection.bind((f"127.0.{how.randint(1, 200)}.{how.randint(1, 250)}", 0))
            connection.settimeout(SECONDS_MAX)
            try:
                connection.connect(("127.0.0.1", run.daybook.port))
            except OSError as error:
                raise Failure(f"no connection: {error}") from error
            return self.talk(connection, data, method, how)
        finally:
            connection.close()

    def talk(self, connection, data, method, how):
        pieces = [data]
        if how.random() < 0.15 and len(data) > 2:
            cut = sorted(how.sample(range(1, len(data)), min(len(data) - 1, how.randint(1, 4))))
            pieces = [data[start:end] for start, end in zip([0, *cut], [*cut, len(data)])]
        leaves = how.random()
        try:
            for piece in pieces:
                connection.sendall(piece)
                if len(pieces) > 1:
                    time.sleep(how.choice([0, 0.001, 0.005]))
            if leaves < 0.03:
                # Gone without a word.
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return []
            if leaves < 0.08:
                connection.shutdown(socket.SHUT_WR)
        except OSError:
            # The server ended the connection before it had read all: its answer is there all the same.
            pass
        return self.read(connection, method)

    def read(self, connection, method):
        """What comes until the one answer is whole, the server ends the connection, or it has nothing more to say."""
        began, received, has_ended = time.monotonic(), b"", False
        while not is_answer(received, method):
            connection.settimeout(SECONDS_MAX if has_ended else PAUSE if received else PATIENCE)
            try:
                piece = connection.recv(1 << 16)
            except TimeoutError:
                if has_ended:
                    raise Failure(f"no end of the connection within {SECONDS_MAX} s: {received[-200:]!r}") from None
                # It waits for more of a request, or for another one.
                try:
                    connection.shutdown(socket.SHUT_WR)
                except OSError:
                    pass
                has_ended = True
                continue
            except OSError:
                piece = b""
            if not piece:
                break
            received += piece
            if time.monotonic() - began > SECONDS_MAX + PATIENCE:
                raise Failure(f"an answer took longer than {SECONDS_MAX} s")
        return answers_of(received, is_whole=False)

    def check_health(self):
        run = self.run_of_all
        client = Client(run.daybook, run.watcher_key, run.context)
        began = time.monotonic()
        try:
            health = client.request("GET", "/health")
            stored = client.request("POST", "/api/v1/metrics/command-execution", EVENT)
        except Exception as error:
            raise Failure(f"a good request was not answered: {error}") from error
        finally:
            client.close()
        if health.status != 200 or health.json["status"] != "healthy" or stored.status != 201:
            raise Failure(f"after it: {health.status} {health.text[:200]} {stored.status} {stored.text[:200]}")
        if time.monotonic() - began > SECONDS_MAX:
            raise Failure("good requests took too long")


class Run:
    def __init__(self, daybook, options, keys, watcher_key, minutes, authority=None):
        self.daybook = daybook
        # Of TLS, where connections are encrypted and speak HTTP/2; health is asked over HTTP/1.1 there, too.
        self.context = authority.context() if authority else None
        self.stream_context = authority.context() if authority else None
        if authority:
            self.stream_context.set_alpn_protocols(["h2"])
        self.options = options
        self.seed = options.seed
        # Of an organization that no case can give a limit.
        self.watcher_key = watcher_key
        self.keys = keys
        self.renew_tokens()
        self.deadline = time.monotonic() + minutes * 60
        self.failures = []
        self.lock = threading.Lock()
        # Parsed by the library: the client makes decimals, which do not go back into JSON.
        self.grammar = Grammar(json.loads(Client(daybook, keys[0], self.context).request("GET", "/openapi.json").text))

    def renew_tokens(self):
        """Those of before have ended, or some case has revoked them."""
        key, other, limited = self.keys
        tokens = [token_of(self.daybook, name) for name in ("acme", "globex", "hooli")]
        self.credentials = [key] * 8 + [tokens[0]] * 5 + [other, tokens[1], limited, tokens[2], None] + mangled(tokens[0])
        self.renewed = time.monotonic()

    def is_over(self):
        return bool(self.failures) or time.monotonic() > self.deadline

    def fail(self, worker, case, data, failure):
        with self.lock:
            os.makedirs(SAVED, exist_ok=True)
            path = f"{SAVED}/{self.seed}-{worker}-{case}.bin"
            with open(path, "wb") as file:
                file.write(data)
            self.failures.append(f"{failure} (case {case} of connection {worker}, saved to {path})")

    def watch(self):
        """Until the end: the process lives and stays within its memory."""
        most = 0
        while not self.is_over():
            if self.daybook.process.poll() is not None:
                self.failures.append(f"the server ended with {self.daybook.process.returncode}")
                break
            most = max(most, memory(self.daybook.process.pid))
            if most > self.options.memory_mib * 1024:
                self.failures.append(f"the server has {most // 1024} MiB of anonymous memory")
            if time.monotonic() - self.renewed > RENEWAL_INTERVAL:
                self.renew_tokens()
            time.sleep(0.1)
        return most


def memory(pid):
    """Anonymous memory in KiB."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(re.search(r"RssAnon:\s+([0-9]+)", file.read()).group(1))


def descriptors(pid):
    """Sockets and the rest; files that readers keep open have a budget of their own."""
    found = []
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{name}")
        except FileNotFoundError:
            continue
        if not target.startswith("/"):
            found.append(target)
    return found


def check_descriptors(run, before):
    deadline = time.monotonic() + 10
    while len(descriptors(run.daybook.process.pid)) > before:
        if time.monotonic() > deadline:
            run.failures.append(f"{len(descriptors(run.daybook.process.pid)) - before} descriptors were not given back")
            return
        time.sleep(0.2)


def token_of(daybook, organization):
    """An access token of the first key of an organization."""
    keys = daybook.verb_json("key", "list", "--data", daybook.directory, "--organization", organization)["keys"]
    issued = daybook.verb_json("token", "issue", keys[0]["key_id"], "--data", daybook.directory, "--no-refresh")
    return issued["access_token"]


def mangled(token):
    """Tokens that are nearly good: a part less, another signature, another header, claims that nobody has signed."""
    head, claims, signature = token.split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"at+jwt"}').rstrip(b"=").decode()
    turned = signature[:-2] + signature[-1] + signature[-2]
    return [f"{head}.{claims}", f"{head}.{claims}.", f"{none}.{claims}.{signature}", f"{head}.{claims}.{turned}",
            f"{head}.{claims[:-4]}.{signature}", f"{token}.{signature}"]  # fmt: skip


def fuzz(daybook, options, minutes, authority=None):
    key = daybook.verb_json("init", "--data", daybook.directory, "--organization", "acme")["api_key"]
    other = daybook.verb_json("org", "create", "globex", "--data", daybook.directory)["api_key"]
    watcher = daybook.verb_json("org", "create", "initech", "--data", daybook.directory)["api_key"]
    # An organization that is refused much of what it asks.
    limited = daybook.verb_json("org", "create", "hooli", "--data", daybook.directory)["api_key"]
    daybook.verb(
        "limits", "set", "hooli", "--data", daybook.directory, "--requests-per-minute", "60", "--burst", "10",
        "--concurrent-batches", "1",
    )  # fmt: skip
    if authority:
        daybook.serve_arguments = authority.serve_arguments("server")
    daybook.start()
    run = Run(daybook, options, [key, other, limited], watcher, minutes, authority)
    before = len(descriptors(daybook.process.pid))
    protocol = "HTTP/2 over TLS" if authority else "HTTP/1.1"
    print(f"{protocol}: seed {run.seed}, {minutes:g} minutes, {len(run.grammar.operations)} operations", flush=True)
    workers = [Worker(run, number) for number in range(options.connections)]
    for worker in workers:
        worker.start()
    most = run.watch()
    for worker in workers:
        worker.join(30)
    counts = {}
    for worker in workers:
        for name, count in worker.counts.items():
            counts[name] = counts.get(name, 0) + count
    print(json.dumps({**dict(sorted(counts.items())), "memory_mib_max": round(most / 1024, 1)}))
    if daybook.process.poll() is None:
        check_descriptors(run, before)
        code = daybook.stop()
        if code != 0:
            run.failures.append(f"the server ended with {code} when it was stopped")
        daybook.verb("verify", "--data", daybook.directory)
    if run.failures:
        os.makedirs(SAVED, exist_ok=True)
        shutil.copy(daybook.log_path, f"{SAVED}/{run.seed}.log")
    with open(daybook.log_path, encoding="utf-8", errors="replace") as log:
        run.failures += [f"in the log: {line.strip()}" for line in log if " error " in line or "Fatal" in line][:5]
    return run.failures


def replay(daybook, path):
    key = daybook.verb_json("init", "--data", daybook.directory, "--organization", "acme")["api_key"]
    daybook.start()
    with open(path, "rb") as file:
        data = re.sub(rb"dbk_[A-Za-z0-9_-]{49}|eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*", key.encode(), file.read())
    connection = socket.create_connection(("127.0.0.1", daybook.port), timeout=SECONDS_MAX)
    connection.sendall(data)
    connection.shutdown(socket.SHUT_WR)
    while piece := connection.recv(1 << 16):
        sys.stdout.buffer.write(piece)
    return [] if daybook.stop() == 0 else ["the server did not end cleanly"]


def main():
    parser = argparse.ArgumentParser(prog="tools/fuzz-http")
    parser.add_argument("--binary", default=".build/release/daybook")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big"))
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--memory-mib", type=int, default=96)
    parser.add_argument("--protocol", choices=["http1", "http2", "both"], default="both")
    parser.add_argument("--replay")
    options = parser.parse_args()
    protocols = ["http1", "http2"] if options.protocol == "both" else [options.protocol]
    failures = []
    for protocol in ["http1"] if options.replay else protocols:
        with tempfile.TemporaryDirectory() as work:
            daybook = Daybook(os.path.abspath(options.binary), os.path.join(work, "store"))
            try:
                if options.replay:
                    failures = replay(daybook, options.replay)
                else:
                    authority = Authority(work) if protocol == "http2" else None
                    failures += fuzz(daybook, options, options.minutes / len(protocols), authority)
            finally:
                if daybook.process is not None and daybook.process.poll() is None:
                    daybook.kill()
    for failure in failures:
        print(f"FAILED: {failure}", file=sys.stderr)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
