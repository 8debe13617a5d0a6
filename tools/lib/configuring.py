"""How a server is configured: faults, origins, the log of its requests."""

import json
import os
import subprocess
import time

from client import Client

FAULTY = 'listen = "nowhere"\n[server]\nevent_lops = 2\n'
SOUND = "[server]\nevent_loops = 2\n[timeouts]\nquery_milliseconds = 3500\n"


def run(daybook, arguments, **variables):
    """Exit code and both outputs of a verb in an environment of its own."""
    environment = {"PATH": os.environ["PATH"], **variables}
    done = subprocess.run([daybook.binary, *arguments], capture_output=True, check=False, env=environment, text=True)
    return done.returncode, done.stdout, done.stderr


def check_verbs(results, daybook, folder):
    """`config check` tells everything at once, `config show` where each value comes from, `serve` does not start."""
    problems = []
    faulty, sound = os.path.join(folder, "faulty.toml"), os.path.join(folder, "sound.toml")
    for path, text in ((faulty, FAULTY), (sound, SOUND)):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    wanted = [f"{faulty}:1: listen must be", f"{faulty}:3: server.event_lops is no setting", "DAYBOOK_LISTN is no variable"]
    for verb in (["config", "check"], ["config", "show"], ["serve", "--data", daybook.directory]):
        code, _, errors = run(daybook, [*verb, "--config", faulty], DAYBOOK_LISTN="x")
        missing = [text for text in wanted if text not in errors]
        if code != 78 or missing:
            problems.append(f"{' '.join(verb)} ended with {code} and did not say {missing}: {errors}")
    if run(daybook, ["config", "check", "--file", sound])[0] != 0:
        problems.append("config check refuses a sound file")
    variables = {"DAYBOOK_CONFIG": sound, "DAYBOOK_LISTEN": "127.0.0.1:9", "DAYBOOK_SERVER_EVENT_LOOPS": "3"}
    _, shown, _ = run(daybook, ["config", "show", "--json", "--event-loops", "4"], **variables)
    settings = {setting["name"]: setting for setting in json.loads(shown)["settings"]}
    expected = {
        "server.event_loops": (4, "flag", "--event-loops"),
        "listen": ("127.0.0.1:9", "environment", "DAYBOOK_LISTEN"),
        "timeouts.query_milliseconds": (3500, "file", f"{sound}:4"),
        "server.connections": (4096, "default", None),
    }
    for name, (value, origin, place) in expected.items():
        found = settings[name]
        if (found["value"], found["origin"], found["place"]) != (value, origin, place):
            problems.append(f"config show says {found}")
    results.check("config check and show: faults, origins, exit codes", problems)


def check_log(results, daybook, organization, key):
    """The level changes while the server runs, and each request has its line from then on, without its query."""
    problems = []
    common = ["--data", daybook.directory]
    answer = daybook.verb_json("config", "set-log-level", "debug", *common)
    if answer != {"level": "debug", "previous_level": "info"}:
        problems.append(f"set-log-level says {answer}")
    client = Client(daybook, key)
    client.get("/api/v1/metrics/commands", limit=1, user_id="somebody-secret")
    client.close()
    shown = daybook.verb_json("config", "show", "--running", *common)
    level = [setting["value"] for setting in shown["settings"] if setting["name"] == "log.level"]
    if level != ["debug"]:
        problems.append(f"config show --running says {level}")
    daybook.verb("config", "set-log-level", "info", *common)
    deadline = time.monotonic() + 10
    while True:
        with open(daybook.log_path, encoding="utf-8") as file:
            text = file.read()
        lines = [line for line in text.splitlines() if "request_id=" in line]
        if lines or time.monotonic() > deadline:
            break
        time.sleep(0.05)
    parts = ["route=/api/v1/metrics/commands", "status=200", f"organization={organization}", "latency_microseconds="]
    if not any(all(part in line for part in parts) for line in lines):
        problems.append(f"no such line: {lines}")
    if "secret" in text or key in text:
        problems.append("the log holds a query or a key")
    results.check("the log level changes at run time, and requests have lines", problems)
