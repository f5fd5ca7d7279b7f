"""A processor that copies records.

One record, "poison", ends each process that gets it. A process that gets the signal SIGUSR1 hangs
at its next record.
"""

import os
import signal
import time

import millrace

hangs = False


def hang(*_: object) -> None:
    global hangs
    hangs = True


@millrace.processor
def copies(record: millrace.Record) -> millrace.Record:
    if hangs:
        time.sleep(3600)
    if record.value == b"poison":
        os._exit(3)
    return record


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, hang)
    copies.run()
