from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_worker import Worker


@pytest.fixture
def unbound(tmp_path: Path) -> Iterator[Worker]:
    """A worker that does not listen yet."""
    worker = Worker(tmp_path)
    yield worker
    worker.end()


@pytest.fixture
def worker(unbound: Worker) -> Worker:
    unbound.listen()
    return unbound
