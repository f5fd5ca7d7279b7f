"""The code in the documents works."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import millrace
import millrace.testing

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", ROOT.parents[2] / "docs" / "python.md"]


def code_of(document: Path) -> dict[str, Any]:
    """Runs the blocks of code of a document, one after another, and returns their names."""
    names: dict[str, Any] = {"__name__": "document", "millrace": millrace}
    text = document.read_text()
    for block in re.finditer(r"^```python[^\n]*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        line = text.count("\n", 0, block.start(1))
        exec(compile("\n" * line + block[1], document, "exec"), names)
    return names


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_the_tests_in_a_document_pass(document: Path) -> None:
    names = code_of(document)
    (results,) = millrace.testing.process(names["shout"], [millrace.Record("hello", key="k")])
    assert results.values == [b"HELLO"]
    tests = [name for name in names if name.startswith("test_")]
    for name in tests:
        names[name]()
    assert tests or document.name != "README.md"


def test_arrays() -> None:
    import numpy

    normalize = code_of(ROOT / "README.md")["normalize"]
    value = numpy.array([3, 0, 4, 0], "float32").tobytes()
    good, bad = millrace.testing.process(normalize, [millrace.Record(value), millrace.Record("x")])
    (written,) = good.values
    assert written is not None
    assert numpy.frombuffer(written, "float32") == pytest.approx([0.6, 0, 0.8, 0])
    assert bad.failure is not None
