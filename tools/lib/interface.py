"""The check behind tools/schemathesis: a server on a temporary store, held against its own document."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import urllib.request

import jsonschema
import openapi_spec_validator

from server import Daybook

HERE = os.path.dirname(os.path.abspath(__file__))


def fetch(daybook, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{daybook.port}{path}", timeout=30) as answer:
        return json.load(answer)


def check_documents(daybook):
    """The document against the rules of OpenAPI 3.1, each schema against those of JSON Schema 2020-12."""
    document = fetch(daybook, "/openapi.json")
    openapi_spec_validator.validate(document)
    names = document["components"]["schemas"]
    for name in names:
        schema = fetch(daybook, f"/schemas/{name}.json")
        jsonschema.Draft202012Validator.check_schema(schema)
    operations = sum(len(item) for item in document["paths"].values())
    print(f"{len(document['paths'])} paths, {operations} operations and {len(names)} schemas are well-formed", flush=True)


def run(daybook, key, options):
    """The exit code of schemathesis."""
    command = [
        os.path.join(os.path.dirname(sys.executable), "st"), "run",
        f"http://127.0.0.1:{daybook.port}/openapi.json",
        "--header", f"Authorization: Bearer {key}",
        # The hooks have a check of their own in the place of one; the credential of this command is sent also where a
        # case leaves it out, and what happens without it another check looks at.
        "--checks", "all", "--exclude-checks", "positive_data_acceptance,missing_required_header",
        "--phases", "examples,coverage,fuzzing,stateful", "--mode", "all",
        "--seed", str(options.seed), "--max-examples", str(options.examples),
        "--max-response-time", "5", "--continue-on-failure",
    ]  # fmt: skip
    if options.seconds:
        command += ["--max-time", str(options.seconds)]
    environment = dict(os.environ, SCHEMATHESIS_HOOKS="schemathesis_hooks", PYTHONPATH=HERE)
    return subprocess.run(command, env=environment, cwd=daybook.directory + ".work", check=False).returncode


def main():
    parser = argparse.ArgumentParser(prog="tools/schemathesis")
    parser.add_argument("--binary", default=".build/release/daybook")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--examples", type=int, default=50)
    parser.add_argument("--seconds", type=int)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        daybook = Daybook(os.path.abspath(options.binary), os.path.join(work, "store"))
        os.mkdir(daybook.directory + ".work")
        made = daybook.verb_json("init", "--data", daybook.directory, "--organization", "acme")
        # Every request names an address of its own: wrong credentials are limited by address.
        daybook.serve_arguments = ["--set", "server.trusted_proxies=127.0.0.1"]
        daybook.start()
        try:
            check_documents(daybook)
            status = run(daybook, made["api_key"], options)
            limits = daybook.verb_json("limits", "show", "acme", "--data", daybook.directory)
            if limits["tier"] != "unlimited":
                print(f"the check has limited itself: {limits}", file=sys.stderr)
                status = 1
            if daybook.process.poll() is not None:
                print(f"the server ended with {daybook.process.returncode}", file=sys.stderr)
                status = 1
        finally:
            if daybook.process.poll() is None:
                code = daybook.stop()
        if status == 0 and code != 0:
            print(f"the server ended with {code} when it was stopped", file=sys.stderr)
            status = 1
        if status == 0:
            daybook.verb("verify", "--data", daybook.directory)
    sys.exit(status)


if __name__ == "__main__":
    main()
