"""Turns the lines of a web server's access log into JSON.

A line such as

    192.0.2.7 - - [01/Dec/2026:08:15:30 +0000] "GET /shop?q=1 HTTP/1.1" 200 512

becomes {"host": "192.0.2.7", "time": "2026-12-01T08:15:30+00:00", ...}, under its host as the key.
Health checks are left out, and lines of another form are dead letters.
"""

from __future__ import annotations

import json
import re
from datetime import datetime

import millrace

LINE = re.compile(
    r"(?P<host>\S+) \S+ \S+ \[(?P<time>[^\]]+)\] "
    r'"(?P<method>[A-Z]+) (?P<path>[^ "]+)[^"]*" (?P<status>\d{3}) (?P<bytes>\d+|-)'
)


@millrace.processor
def parse(record: millrace.Record) -> millrace.Output | None:
    line = record.text()
    match = LINE.match(line)
    if match is None:
        raise millrace.Permanent(f"no line of an access log: {line[:100]!r}")
    if match["path"] == "/healthz":
        return None
    entry = {
        "host": match["host"],
        "time": datetime.strptime(match["time"], "%d/%b/%Y:%H:%M:%S %z").isoformat(),
        "method": match["method"],
        "path": match["path"],
        "status": int(match["status"]),
        "bytes": 0 if match["bytes"] == "-" else int(match["bytes"]),
    }
    return millrace.Output(json.dumps(entry), key=match["host"])


if __name__ == "__main__":
    parse.run()
