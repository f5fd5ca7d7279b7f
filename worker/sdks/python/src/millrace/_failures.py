"""The exceptions that say what becomes of a record."""

from __future__ import annotations

import math

# Failure.retry_after_ms is 32 bits wide.
_LONGEST_WAIT = (2**32 - 1) / 1000


class FailedAttempt(Exception):
    """The base of the exceptions that say more than that an attempt has failed."""

    def reason(self) -> str:
        """Returns the reason for people, "" if there is none."""
        return str(self)


class Permanent(FailedAttempt):
    """Another attempt can't succeed: the worker takes the record for exhausted at once.

    What becomes of an exhausted record is in the manifest, in failure.onExhausted.
    """


class Malformed(Permanent, ValueError):
    """The record's bytes are not of the format that they are read as."""


class Drop(FailedAttempt):
    """The record is worthless: the worker drops and counts it, without another attempt.

    To leave out a record that is all right, return None.
    """


class RetryAfter(FailedAttempt):
    """The attempt has failed, and the next one has to wait for some seconds.

    The attempt counts, so a record that has had failure.maxAttempts is exhausted all the same.
    """

    def __init__(self, seconds: float, message: str = "") -> None:
        if not 0 <= seconds <= _LONGEST_WAIT:
            raise ValueError(f"RetryAfter takes 0 to {_LONGEST_WAIT:.0f} seconds, not {seconds}")
        super().__init__(seconds, message)
        self.seconds = seconds
        self.message = message

    def reason(self) -> str:
        return self.message

    def __str__(self) -> str:
        return self.message or f"the next attempt is in {self.seconds:g} s"

    def milliseconds(self) -> int:
        """Returns the wait in whole milliseconds. 0 would leave it to the manifest."""
        return max(1, math.ceil(self.seconds * 1000))


class DeadLetter(FailedAttempt):
    """The record becomes a dead letter in another topic at once.

    The topic is on the cluster of the other dead letters, and has to exist.
    """

    def __init__(self, topic: str, message: str = "") -> None:
        if not isinstance(topic, str):
            raise TypeError(
                f"DeadLetter takes the name of a topic as str, not a {type(topic).__name__}"
            )
        if not topic:
            raise ValueError("DeadLetter needs a topic; Permanent writes to the manifest's")
        super().__init__(topic, message)
        self.topic = topic
        self.message = message

    def reason(self) -> str:
        return self.message

    def __str__(self) -> str:
        return self.message or f"the record goes to topic {self.topic}"
