"""The least of an HTTP client: one kept-alive connection, JSON in and out."""

import http.client
import json
import urllib.parse

from values import parse


class Unanswered(Exception):
    """The connection broke before the answer: the request may or may not have been stored."""


class Answer:
    def __init__(self, status, headers, text):
        self.status = status
        self.headers = headers
        self.text = text
        # An answer in lines is parsed line by line by whoever asked for it.
        is_document = text.startswith(("{", "[")) and "\n" not in text.strip()
        self.json = parse(text) if is_document else None


class Client:
    def __init__(self, server, key, context=None):
        """`server` has a `port`, which is another one after a restart; `context` is that of TLS."""
        self.server = server
        self.key = key
        self.context = context
        self.connection = None

    def request(self, method, path, body=None, headers=None):
        """`body` is JSON text or None."""
        sent = {"Authorization": f"Bearer {self.key}"}
        if body is not None:
            sent["Content-Type"] = "application/json"
            body = body.encode("utf-8")
        sent.update(headers or {})
        try:
            if self.connection is None:
                self.connection = self.connect()
            self.connection.request(method, path, body=body, headers=sent)
            response = self.connection.getresponse()
            text = response.read().decode("utf-8")
            if response.will_close:
                self.close()
            return Answer(response.status, response.headers, text)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Unanswered(str(error)) from error

    def connect(self):
        port = self.server.port
        if port is None:
            raise ConnectionRefusedError("no server runs")
        if self.context is None:
            return http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        return http.client.HTTPSConnection("127.0.0.1", port, timeout=30, context=self.context)

    def get(self, path, **parameters):
        """Raises unless the answer is 200; a parameter may be a list."""
        pairs = []
        for name, value in parameters.items():
            values = value if isinstance(value, list) else [value]
            pairs += [(name.replace("__", "."), item) for item in values]
        query = urllib.parse.urlencode(pairs)
        answer = self.request("GET", f"{path}?{query}" if query else path)
        if answer.status != 200:
            raise AssertionError(f"GET {path}?{query} answered {answer.status}: {answer.text[:500]}")
        return answer.json

    def all_items(self, path, **parameters):
        """Every page of a list or of an aggregated answer."""
        items = []
        while True:
            data = self.get(path, **parameters)["data"]
            items += data["items"]
            page = data["pagination"]
            if not page.get("has_more"):
                return items
            parameters["cursor"] = page["next_cursor"]

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def dump(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
