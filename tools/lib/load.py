"""Sends requests until each is acknowledged, and keeps book of what was acknowledged under which sequence."""

import threading
import time

from client import Client, Unanswered, dump
from expected import events_of


class Ledger:
    """The acknowledged events of one organization, by sequence."""

    def __init__(self, organization):
        self.organization = organization
        self.by_sequence = {}
        self.problems = []
        self.acknowledged_requests = 0
        self.resent_requests = 0
        self.acknowledgements = []

    def events(self):
        return [event for _, event in sorted(self.by_sequence.items())]

    def record(self, request, answer):
        method, path, body, key = request
        expected = events_of(method, path, body)
        data = answer.json["data"]
        first = data.get("first_sequence", data.get("sequence"))
        last = data.get("last_sequence", data.get("sequence"))
        if first is None or last - first + 1 != len(expected):
            self.problems.append(f"{method} {path} ({key}) stored sequences {first} to {last} for {len(expected)} events")
            return
        for offset, event in enumerate(expected):
            if first + offset in self.by_sequence:
                self.problems.append(f"sequence {first + offset} was given twice, again for {method} {path} ({key})")
            self.by_sequence[first + offset] = event
        self.acknowledged_requests += 1
        self.acknowledgements.append((request, first, last))


class Sender(threading.Thread):
    """Sends the requests of one organization in order, over one connection, each until it is acknowledged. A broken
    connection is not an answer: the same request goes out again, with the same idempotency key, and to whatever port the
    server has by then."""

    def __init__(self, server, key, requests, ledger, patience=60):
        super().__init__(daemon=True)
        self.client = Client(server, key)
        self.requests = requests
        self.ledger = ledger
        self.patience = patience

    def run(self):
        for request in self.requests:
            if not self.send(request):
                return
        self.client.close()

    def send(self, request):
        method, path, body, key = request
        text = body if isinstance(body, str) else dump(body)
        deadline = time.monotonic() + self.patience
        while True:
            try:
                answer = self.client.request(method, path, text, {"Idempotency-Key": key})
            except Unanswered as error:
                self.ledger.resent_requests += 1
                if time.monotonic() > deadline:
                    self.ledger.problems.append(f"{method} {path} ({key}) got no answer in {self.patience} s: {error}")
                    return False
                time.sleep(0.05)
                continue
            if answer.status == 503 and time.monotonic() < deadline:
                time.sleep(0.05)
                continue
            if answer.status not in (200, 201):
                self.ledger.problems.append(f"{method} {path} ({key}) answered {answer.status}: {answer.text[:300]}")
                return False
            self.ledger.record(request, answer)
            return True
