"""The examples do what they say."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

from millrace import Record, testing

EXAMPLES = Path(__file__).parent.parent / "examples"


def test_access_log() -> None:
    parse = runpy.run_path(str(EXAMPLES / "access_log.py"))["parse"]
    prefix = "192.0.2.7 - - [01/Dec/2026:08:15:30 +0000]"
    page, check, other = testing.process(
        parse,
        [
            Record(f'{prefix} "GET /shop?q=1 HTTP/1.1" 200 512 "-" "curl"'),
            Record(f'{prefix} "GET /healthz HTTP/1.1" 200 -'),
            Record("something else"),
        ],
    )
    assert page.outputs[0].key == b"192.0.2.7"
    assert json.loads(page.values[0] or b"") == {
        "host": "192.0.2.7",
        "time": "2026-12-01T08:15:30+00:00",
        "method": "GET",
        "path": "/shop?q=1",
        "status": 200,
        "bytes": 512,
    }
    assert check.filtered
    assert other.failure is not None and other.failure.kind == testing.PERMANENT
