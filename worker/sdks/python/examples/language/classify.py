"""Finds the language of customers' messages with a trained model, many messages in a call.

    {"id": "m-000001", "text": "lo schermo era rotto, vorrei sostituirlo"}

becomes the same message with "label": "it" and "score": 0.99, the probability. The model is the one
in the package py3langid, naive Bayes over sequences of bytes, cut down to the shop's languages.
Messages that can't be read are dead letters.
"""

from __future__ import annotations

import json
import logging
import unicodedata
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from py3langid.langid import MODEL_FILE, LanguageIdentifier, visit_counts

import millrace

LANGUAGES = ["de", "en", "es", "fr", "it", "nl", "pt", "sv"]


class Classifier:
    """The model of a process."""

    def __init__(self) -> None:
        model = LanguageIdentifier.from_model_file(MODEL_FILE)
        model.set_languages(LANGUAGES)
        self._labels: list[str] = model.nb_classes
        self._weights = model.nb_ptc.astype(np.float32)  # a row for each feature
        self._priors = model.nb_pc.astype(np.float32)
        self._automaton = model.tk_nextmove, [row << 8 for row in model.tk_row], model.tk_output
        self.batches = self.texts = 0

    def classify(self, texts: list[str]) -> list[tuple[str, float]]:
        """Returns the language of each text, and how probable it is."""
        encoded = [encode(text) for text in texts]
        scores = self._scores(encoded)
        # As py3langid does, so that long texts are not too sure of themselves.
        scores /= np.sqrt([[len(text) or 1] for text in encoded])
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        scores /= scores.sum(axis=1, keepdims=True)
        self.batches += 1
        self.texts += len(texts)
        best = scores.argmax(axis=1)
        return [(self._labels[i], float(row[i])) for i, row in zip(best, scores, strict=True)]

    def _scores(self, texts: list[bytes]) -> NDArray[np.float64]:
        """Returns a row for each text. The features of all of them are weighed at once."""
        found = [visit_counts(*self._automaton, text) or {} for text in texts]
        owners = np.repeat(np.arange(len(texts)), [len(features) for features in found])
        features = np.array([f for counts in found for f in counts], dtype=np.intp)
        counts = np.array([n for counts in found for n in counts.values()], dtype=np.float32)
        scores = np.zeros((len(texts), len(self._labels)))
        scores[np.unique(owners)] += self._priors
        np.add.at(scores, owners, np.log1p(counts)[:, None] * self._weights[features])
        return scores


def encode(text: str) -> bytes:
    """Returns a text as the model was trained on it."""
    text = text.lower() if text.isupper() else text
    return unicodedata.normalize("NFC", text).encode("utf-8", "surrogatepass")


def load() -> Iterator[Classifier]:
    """Loads the model, once in each process."""
    classifier = Classifier()
    yield classifier
    logging.getLogger("language").info(
        "classified %d messages in %d batches", classifier.texts, classifier.batches
    )


@millrace.batch_processor(setup=load)
def label(records: list[millrace.Record], classifier: Classifier) -> list[str | Exception]:
    messages = [read(record) for record in records]
    texts = [message["text"] for message in messages if isinstance(message, dict)]
    found = iter(classifier.classify(texts) if texts else [])
    return [
        message if isinstance(message, Exception) else written(message, *next(found))
        for message in messages
    ]


def read(record: millrace.Record) -> dict[str, Any] | Exception:
    """Returns the message, or why it can't be read: then it alone fails."""
    try:
        message = record.json()
        if not isinstance(message, dict) or not isinstance(message.get("text"), str):
            return millrace.Permanent("the message has no text")
        return message
    except millrace.Malformed as error:
        return error


def written(message: dict[str, Any], label: str, score: float) -> str:
    return json.dumps({**message, "label": label, "score": round(score, 3)}, ensure_ascii=False)


if __name__ == "__main__":
    label.run()
