"""Write processors of Kafka records in Python.

A processor is a function from a record to its results. A worker of Millrace reads from Kafka,
hands records to the processes of this program over a Unix socket, tries failed attempts again,
writes the results and the dead letters, and commits.

    import millrace

    @millrace.processor
    def shout(record: millrace.Record) -> bytes:
        return record.text().upper().encode()

    if __name__ == "__main__":
        shout.run()
"""

from millrace._failures import DeadLetter, Drop, Malformed, Permanent, RetryAfter
from millrace._output import SAME, Output, Result, Same
from millrace._processor import Processor, batch_processor, processor
from millrace._record import Header, Record
from millrace._run import run
from millrace._version import __version__

__all__ = [
    "SAME",
    "DeadLetter",
    "Drop",
    "Header",
    "Malformed",
    "Output",
    "Permanent",
    "Processor",
    "Record",
    "Result",
    "RetryAfter",
    "Same",
    "__version__",
    "batch_processor",
    "processor",
    "run",
]
