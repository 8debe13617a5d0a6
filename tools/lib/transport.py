"""TLS and HTTP/2 with other people's clients: the checks behind tools/tls."""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

from certificates import Authority
from checks import Results
from client import Client, Unanswered
from server import Daybook

EVENT = '{"command_name":"build","execution_time_ms":12.5,"status":"success"}'
PATH = "/api/v1/metrics/command-execution"
ACKNOWLEDGED = "daybook_events_acknowledged_total"


class Site:
    """A server with TLS, and what its clients need."""

    def __init__(self, binary, work):
        self.work = work
        self.authority = Authority(work)
        self.daybook = Daybook(binary, os.path.join(work, "store"))
        self.key = self.daybook.verb_json("init", "--data", self.daybook.directory, "--organization", "tls")["api_key"]
        self.certificate, self.private_key = self.authority.issue("server")
        self.event = os.path.join(work, "event.json")
        with open(self.event, "w", encoding="ascii") as file:
            file.write(EVENT)

    def start(self, *settings):
        pairs = [f"tls.certificate={self.certificate}", f"tls.key={self.private_key}", *settings]
        self.daybook.serve_arguments = [argument for pair in pairs for argument in ("--set", pair)]
        self.daybook.start()

    @property
    def url(self):
        return f"https://127.0.0.1:{self.daybook.port}"

    def client(self):
        return Client(self.daybook, self.key, self.authority.context())

    def s_client(self, *arguments):
        return run("openssl", "s_client", "-connect", f"127.0.0.1:{self.daybook.port}", "-CAfile",
                   self.authority.certificate, "-verify_return_error", *arguments)  # fmt: skip

    def curl(self, path, *arguments):
        return run("curl", "-sS", "--max-time", "10", "--cacert", self.authority.certificate, "-o", os.devnull, "-w",
                   "%{http_version} %{http_code}", *arguments, self.url + path)  # fmt: skip

    def load(self, count, *arguments):
        """h2load of single events over HTTP/2."""
        return run("h2load", "-n", str(count), "-c", "10", "-m", "20", "-d", self.event, "-H",
                   f"authorization: Bearer {self.key}", "-H", "content-type: application/json", *arguments,
                   self.url + PATH)  # fmt: skip

    def serial(self):
        """Of the certificate that a new connection gets."""
        shown = self.s_client("-showcerts")
        pem = re.search(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", shown.stdout, re.DOTALL)
        if pem is None:
            return None
        named = subprocess.run(["openssl", "x509", "-noout", "-serial"], input=pem.group(0), capture_output=True,
                               check=True, text=True)  # fmt: skip
        return named.stdout.strip()

    def metric(self, name):
        found = re.search(rf"^{name} (-?\d+)$", self.client().request("GET", "/metrics").text, re.MULTILINE)
        return int(found.group(1)) if found else None


def run(*command):
    return subprocess.run(command, capture_output=True, check=False, text=True, stdin=subprocess.DEVNULL, timeout=60)


def check_versions(results, site):
    problems = []
    for version, is_spoken in (("-tls1_1", False), ("-tls1_2", True), ("-tls1_3", True)):
        if (site.s_client(version).returncode == 0) != is_spoken:
            problems.append(f"openssl s_client {version} says otherwise")
    weak = site.s_client("-tls1_2", "-cipher", "AES128-SHA:AES256-GCM-SHA384:ECDHE-ECDSA-AES128-SHA@SECLEVEL=0")
    if weak.returncode == 0:
        problems.append("a cipher without forward secrecy or authenticated encryption is taken")
    results.check("versions and ciphers, with openssl s_client", problems)


def check_protocols(results, site):
    problems = []
    for offered, agreed in (("h2,http/1.1", "h2"), ("http/1.1", "http/1.1")):
        if f"ALPN protocol: {agreed}" not in site.s_client("-alpn", offered).stdout:
            problems.append(f"ALPN with {offered} does not agree on {agreed}")
    for flag, version in (("--http1.1", "1.1"), ("--http2", "2")):
        done = site.curl("/health", flag)
        if done.stdout != f"{version} 200":
            problems.append(f"curl {flag} says {done.stdout} {done.stderr}")
        done = site.curl(PATH, flag, "-H", f"Authorization: Bearer {site.key}", "-H", "Content-Type: application/json",
                         "-d", EVENT)  # fmt: skip
        if done.stdout != f"{version} 201":
            problems.append(f"curl {flag} with an event says {done.stdout} {done.stderr}")
    plain = run("curl", "-sS", "--max-time", "5", f"http://127.0.0.1:{site.daybook.port}/health")
    if plain.returncode in (0, 28):
        problems.append(f"plain HTTP on the TLS port ends with {plain.returncode}: {plain.stdout}{plain.stderr}")
    results.check("ALPN and both protocols, with curl", problems)


def check_load(results, site):
    before = site.metric(ACKNOWLEDGED)
    done = site.load(5_000)
    stored = site.metric(ACKNOWLEDGED) - before
    problems = []
    if "5000 succeeded, 0 failed, 0 errored" not in done.stdout or "status codes: 5000 2xx" not in done.stdout:
        problems.append(f"h2load says: {done.stdout[-600:]}{done.stderr[-200:]}")
    if stored != 5_000:
        problems.append(f"{stored} events are stored")
    results.check("5,000 events over HTTP/2, with h2load", problems)


def check_reload(results, site):
    """New files at SIGHUP while clients with old and new connections go on."""
    problems = []
    ended = threading.Event()

    def go_on(keeps):
        client = site.client()
        while not ended.is_set():
            try:
                if client.request("POST", PATH, EVENT).status != 201:
                    problems.append("a request was not stored")
            except Unanswered as error:
                problems.append(f"a request was not answered: {error}")
            if not keeps:
                client.close()

    threads = [threading.Thread(target=go_on, args=(keeps,)) for keeps in (True, True, False, False)]
    for thread in threads:
        thread.start()
    serials = [site.serial()]
    for _ in range(5):
        site.authority.issue("server")
        site.daybook.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 5
        while site.serial() == serials[-1] and time.monotonic() < deadline:
            time.sleep(0.05)
        serials.append(site.serial())
    with open(site.certificate, "w", encoding="ascii") as file:
        file.write("garbage")
    site.daybook.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + 5
    while site.metric("daybook_tls_reload_failed") != 1 and time.monotonic() < deadline:
        time.sleep(0.05)
    if site.metric("daybook_tls_reload_failed") != 1 or site.serial() != serials[-1]:
        problems.append("a file that cannot be used is used, or not told")
    site.authority.issue("server")
    site.daybook.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + 5
    while site.metric("daybook_tls_reload_failed") != 0 and time.monotonic() < deadline:
        time.sleep(0.05)
    ended.set()
    for thread in threads:
        thread.join()
    if len(set(serials)) != 6:
        problems.append(f"not every reload brought a new certificate: {serials}")
    if not 0 < site.metric("daybook_tls_certificate_expiry_seconds") <= 2 * 86_400:
        problems.append("the metric of the expiry is wrong")
    results.check("six reloads and a bad file under load: no request lost", problems)


def check_drain(results, site):
    """SIGTERM under load: what is answered is stored, and the server ends with 0."""
    before = site.metric(ACKNOWLEDGED)
    load = subprocess.Popen(
        ["h2load", "-D", "5", "-c", "10", "-m", "20", "-d", site.event, "-H", f"authorization: Bearer {site.key}", "-H",
         "content-type: application/json", site.url + PATH],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)  # fmt: skip
    deadline = time.monotonic() + 30
    while site.metric(ACKNOWLEDGED) < before + 500 and load.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    code = site.daybook.stop()
    text = load.communicate()[0]
    problems = [f"the server ended with {code}"] if code != 0 else []
    if not re.search(r"status codes: [1-9]\d* 2xx, 0 3xx, 0 4xx, 0 5xx", text):
        problems.append(f"h2load says: {text[-600:]}")
    results.check("SIGTERM under load over HTTP/2: answered and ended", problems)


def check_clients(results, site):
    site.start("tls.client_certificates=required", f"tls.client_ca={site.authority.certificate}")
    certificate, key = site.authority.issue("client")
    foreign = Authority(site.work, "foreign")
    other, other_key = foreign.issue("other")
    problems = []
    for arguments, is_let_in in (
        (["--cert", certificate, "--key", key], True), ([], False), (["--cert", other, "--key", other_key], False)
    ):  # fmt: skip
        for flag in ("--http1.1", "--http2"):
            done = site.curl("/health", flag, *arguments)
            if (done.returncode == 0) != is_let_in:
                problems.append(f"curl {flag} {' '.join(arguments)} says {done.stdout} {done.stderr}")
    code = site.daybook.stop()
    if code != 0:
        problems.append(f"the server ended with {code}")
    results.check("required client certificates, with curl", problems)


def main():
    parser = argparse.ArgumentParser(prog="tools/tls")
    parser.add_argument("--binary", default=".build/release/daybook")
    options = parser.parse_args()
    if not os.access(options.binary, os.X_OK):
        print(f"error: there is no binary {options.binary}; swift build -c release makes it", file=sys.stderr)
        return 2
    work = tempfile.mkdtemp(prefix="daybook-tls-")
    results = Results()
    site = Site(os.path.abspath(options.binary), work)
    try:
        site.start()
        for check in (check_versions, check_protocols, check_load, check_reload, check_drain, check_clients):
            check(results, site)
    finally:
        if site.daybook.process is not None:
            site.daybook.kill()
    print(f"tools/tls: {results.passed} passed, {results.failed} failed")
    if results.failed == 0:
        shutil.rmtree(work, ignore_errors=True)
    else:
        print(f"the store and the log are in {work}")
    return 0 if results.failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
