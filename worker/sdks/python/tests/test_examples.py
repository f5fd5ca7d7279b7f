"""The examples do what they say."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest
from py3langid.langid import MODEL_FILE, LanguageIdentifier

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


def test_language() -> None:
    program = runpy.run_path(str(EXAMPLES / "language" / "classify.py"))
    texts = {
        "ich möchte das Gerät umtauschen": "de",
        "MY ORDER CAME WITHOUT THE CHARGER": "en",
        "quiero devolver el pedido de ayer": "es",
        "il manquait le chargeur dans le colis": "fr",
        "lo schermo era rotto, vorrei sostituirlo": "it",
        "de oplader ontbrak bij mijn bestelling": "nl",
        "ainda não recebi a minha encomenda": "pt",
        "jag väntar fortfarande på min beställning": "sv",
    }
    others = ["", "4711"]
    records = [Record(json.dumps({"id": i, "text": text})) for i, text in enumerate(texts)]
    records += [Record(json.dumps({"text": text})) for text in others]
    records += [Record("{"), Record('{"text": 1}'), Record("[]")]
    results = testing.process(program["label"], records)
    labelled = [
        json.loads(result.values[0] or b"") for result in results[: len(texts) + len(others)]
    ]
    assert [message["label"] for message in labelled[: len(texts)]] == list(texts.values())
    assert labelled[0]["id"] == 0 and labelled[0]["text"] == next(iter(texts))

    # A batch has the scores that the package gives for each text.
    model = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    model.set_languages(program["LANGUAGES"])
    for message in labelled:
        language, score = model.classify(message["text"])
        assert message["score"] == pytest.approx(score, abs=0.001)
        assert message["label"] == language

    for result in results[-3:]:
        assert result.failure is not None and result.failure.kind == testing.PERMANENT
