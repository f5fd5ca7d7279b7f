"""The test program of the protocol's specification, on the program of docs/grpc.md."""

import json
import os
import time

import processor_pb2 as pb
import shout


def hexadecimal(message, field):
    return getattr(message, field).hex() if message.HasField(field) else None


def echo(record):
    output = pb.Output(same_key=True, same_headers=True, same_value=True)
    return pb.Result(outputs=[output])


def act(record, topic):
    command, _, text = record.value.partition(b" ")
    text = text.decode("utf-8", "replace")
    one = lambda **fields: pb.Result(outputs=[pb.Output(**fields)])
    fails = lambda **fields: pb.Result(failure=pb.Failure(**fields))
    match command.decode("utf-8", "replace"):
        case "filter":
            return pb.Result()
        case "describe":
            fields = {
                "topic": topic,
                "partition": record.partition,
                "offset": record.offset,
                "attempt": record.attempt,
                "timestamp": record.timestamp_ms if record.HasField("timestamp_ms") else None,
                "key": hexadecimal(record, "key"),
                "value": hexadecimal(record, "value"),
                "headers": [[h.name.hex(), hexadecimal(h, "value")] for h in record.headers],
            }
            return one(value=json.dumps(fields).encode(), same_key=True)
        case "outputs":
            return pb.Result(
                outputs=[pb.Output(value=str(i).encode(), same_key=True) for i in range(int(text))]
            )
        case "tombstone":
            return one(same_key=True)
        case "empty":
            return one(key=b"", value=b"")
        case "topic":
            return one(same_key=True, same_value=True, topic=text)
        case "large":
            return one(value=b"x" * int(text), same_key=True)
        case "sleep":
            time.sleep(int(text) / 1000)
        case "fail":
            raise RuntimeError(text)
        case "permanent":
            return fails(kind="PERMANENT", message=text)
        case "drop":
            return fails(kind="DROP", message=text)
        case "retry-after":
            return fails(message="later", retry_after_ms=int(text))
        case "dead-letter":
            return fails(kind="DEAD_LETTER", message="for others", dead_letter_topic=text)
        case "exit":
            os._exit(3)
    return echo(record)


shout.process = act
if __name__ == "__main__":
    shout.main()
