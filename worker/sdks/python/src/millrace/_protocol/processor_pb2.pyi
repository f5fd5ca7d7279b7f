from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class WorkerFrame(_message.Message):
    __slots__ = ("hello", "batch", "credit", "ping", "drain", "close")
    HELLO_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    CREDIT_FIELD_NUMBER: _ClassVar[int]
    PING_FIELD_NUMBER: _ClassVar[int]
    DRAIN_FIELD_NUMBER: _ClassVar[int]
    CLOSE_FIELD_NUMBER: _ClassVar[int]
    hello: WorkerHello
    batch: Batch
    credit: ByteCredit
    ping: Ping
    drain: Drain
    close: Close
    def __init__(self, hello: _Optional[_Union[WorkerHello, _Mapping]] = ..., batch: _Optional[_Union[Batch, _Mapping]] = ..., credit: _Optional[_Union[ByteCredit, _Mapping]] = ..., ping: _Optional[_Union[Ping, _Mapping]] = ..., drain: _Optional[_Union[Drain, _Mapping]] = ..., close: _Optional[_Union[Close, _Mapping]] = ...) -> None: ...

class ProcessFrame(_message.Message):
    __slots__ = ("hello", "results", "credit", "pong", "drained", "close")
    HELLO_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    CREDIT_FIELD_NUMBER: _ClassVar[int]
    PONG_FIELD_NUMBER: _ClassVar[int]
    DRAINED_FIELD_NUMBER: _ClassVar[int]
    CLOSE_FIELD_NUMBER: _ClassVar[int]
    hello: ProcessHello
    results: Results
    credit: BatchCredit
    pong: Pong
    drained: Drained
    close: Close
    def __init__(self, hello: _Optional[_Union[ProcessHello, _Mapping]] = ..., results: _Optional[_Union[Results, _Mapping]] = ..., credit: _Optional[_Union[BatchCredit, _Mapping]] = ..., pong: _Optional[_Union[Pong, _Mapping]] = ..., drained: _Optional[_Union[Drained, _Mapping]] = ..., close: _Optional[_Union[Close, _Mapping]] = ...) -> None: ...

class ProcessHello(_message.Message):
    __slots__ = ("min_version", "max_version", "capabilities", "sdk", "pid", "max_records", "max_bytes", "linger_ms", "batch_credit", "max_frame_bytes")
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    MAX_VERSION_FIELD_NUMBER: _ClassVar[int]
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    SDK_FIELD_NUMBER: _ClassVar[int]
    PID_FIELD_NUMBER: _ClassVar[int]
    MAX_RECORDS_FIELD_NUMBER: _ClassVar[int]
    MAX_BYTES_FIELD_NUMBER: _ClassVar[int]
    LINGER_MS_FIELD_NUMBER: _ClassVar[int]
    BATCH_CREDIT_FIELD_NUMBER: _ClassVar[int]
    MAX_FRAME_BYTES_FIELD_NUMBER: _ClassVar[int]
    min_version: int
    max_version: int
    capabilities: _containers.RepeatedScalarFieldContainer[str]
    sdk: str
    pid: int
    max_records: int
    max_bytes: int
    linger_ms: int
    batch_credit: int
    max_frame_bytes: int
    def __init__(self, min_version: _Optional[int] = ..., max_version: _Optional[int] = ..., capabilities: _Optional[_Iterable[str]] = ..., sdk: _Optional[str] = ..., pid: _Optional[int] = ..., max_records: _Optional[int] = ..., max_bytes: _Optional[int] = ..., linger_ms: _Optional[int] = ..., batch_credit: _Optional[int] = ..., max_frame_bytes: _Optional[int] = ...) -> None: ...

class WorkerHello(_message.Message):
    __slots__ = ("version", "capabilities", "ordering", "topic", "group", "processor", "max_records", "max_bytes", "linger_ms", "byte_credit", "max_frame_bytes")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    ORDERING_FIELD_NUMBER: _ClassVar[int]
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    PROCESSOR_FIELD_NUMBER: _ClassVar[int]
    MAX_RECORDS_FIELD_NUMBER: _ClassVar[int]
    MAX_BYTES_FIELD_NUMBER: _ClassVar[int]
    LINGER_MS_FIELD_NUMBER: _ClassVar[int]
    BYTE_CREDIT_FIELD_NUMBER: _ClassVar[int]
    MAX_FRAME_BYTES_FIELD_NUMBER: _ClassVar[int]
    version: int
    capabilities: _containers.RepeatedScalarFieldContainer[str]
    ordering: str
    topic: str
    group: str
    processor: str
    max_records: int
    max_bytes: int
    linger_ms: int
    byte_credit: int
    max_frame_bytes: int
    def __init__(self, version: _Optional[int] = ..., capabilities: _Optional[_Iterable[str]] = ..., ordering: _Optional[str] = ..., topic: _Optional[str] = ..., group: _Optional[str] = ..., processor: _Optional[str] = ..., max_records: _Optional[int] = ..., max_bytes: _Optional[int] = ..., linger_ms: _Optional[int] = ..., byte_credit: _Optional[int] = ..., max_frame_bytes: _Optional[int] = ...) -> None: ...

class Batch(_message.Message):
    __slots__ = ("id", "topic", "timeout_ms", "records")
    ID_FIELD_NUMBER: _ClassVar[int]
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_MS_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    id: int
    topic: str
    timeout_ms: int
    records: _containers.RepeatedCompositeFieldContainer[Record]
    def __init__(self, id: _Optional[int] = ..., topic: _Optional[str] = ..., timeout_ms: _Optional[int] = ..., records: _Optional[_Iterable[_Union[Record, _Mapping]]] = ...) -> None: ...

class Record(_message.Message):
    __slots__ = ("partition", "offset", "timestamp_ms", "key", "value", "headers", "attempt", "topic")
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_MS_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes
    value: bytes
    headers: _containers.RepeatedCompositeFieldContainer[Header]
    attempt: int
    topic: str
    def __init__(self, partition: _Optional[int] = ..., offset: _Optional[int] = ..., timestamp_ms: _Optional[int] = ..., key: _Optional[bytes] = ..., value: _Optional[bytes] = ..., headers: _Optional[_Iterable[_Union[Header, _Mapping]]] = ..., attempt: _Optional[int] = ..., topic: _Optional[str] = ...) -> None: ...

class Header(_message.Message):
    __slots__ = ("name", "value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: bytes
    value: bytes
    def __init__(self, name: _Optional[bytes] = ..., value: _Optional[bytes] = ...) -> None: ...

class Results(_message.Message):
    __slots__ = ("batch", "results", "failure")
    BATCH_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    batch: int
    results: _containers.RepeatedCompositeFieldContainer[Result]
    failure: Failure
    def __init__(self, batch: _Optional[int] = ..., results: _Optional[_Iterable[_Union[Result, _Mapping]]] = ..., failure: _Optional[_Union[Failure, _Mapping]] = ...) -> None: ...

class Result(_message.Message):
    __slots__ = ("index", "outputs", "failure")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    index: int
    outputs: _containers.RepeatedCompositeFieldContainer[Output]
    failure: Failure
    def __init__(self, index: _Optional[int] = ..., outputs: _Optional[_Iterable[_Union[Output, _Mapping]]] = ..., failure: _Optional[_Union[Failure, _Mapping]] = ...) -> None: ...

class Output(_message.Message):
    __slots__ = ("value", "key", "headers", "topic", "timestamp_ms", "same_key", "same_value", "same_headers")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_MS_FIELD_NUMBER: _ClassVar[int]
    SAME_KEY_FIELD_NUMBER: _ClassVar[int]
    SAME_VALUE_FIELD_NUMBER: _ClassVar[int]
    SAME_HEADERS_FIELD_NUMBER: _ClassVar[int]
    value: bytes
    key: bytes
    headers: _containers.RepeatedCompositeFieldContainer[Header]
    topic: str
    timestamp_ms: int
    same_key: bool
    same_value: bool
    same_headers: bool
    def __init__(self, value: _Optional[bytes] = ..., key: _Optional[bytes] = ..., headers: _Optional[_Iterable[_Union[Header, _Mapping]]] = ..., topic: _Optional[str] = ..., timestamp_ms: _Optional[int] = ..., same_key: bool = ..., same_value: bool = ..., same_headers: bool = ...) -> None: ...

class Failure(_message.Message):
    __slots__ = ("kind", "message", "detail", "retry_after_ms", "dead_letter_topic")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        RETRY: _ClassVar[Failure.Kind]
        PERMANENT: _ClassVar[Failure.Kind]
        DROP: _ClassVar[Failure.Kind]
        DEAD_LETTER: _ClassVar[Failure.Kind]
    RETRY: Failure.Kind
    PERMANENT: Failure.Kind
    DROP: Failure.Kind
    DEAD_LETTER: Failure.Kind
    KIND_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    RETRY_AFTER_MS_FIELD_NUMBER: _ClassVar[int]
    DEAD_LETTER_TOPIC_FIELD_NUMBER: _ClassVar[int]
    kind: Failure.Kind
    message: str
    detail: str
    retry_after_ms: int
    dead_letter_topic: str
    def __init__(self, kind: _Optional[_Union[Failure.Kind, str]] = ..., message: _Optional[str] = ..., detail: _Optional[str] = ..., retry_after_ms: _Optional[int] = ..., dead_letter_topic: _Optional[str] = ...) -> None: ...

class BatchCredit(_message.Message):
    __slots__ = ("batches",)
    BATCHES_FIELD_NUMBER: _ClassVar[int]
    batches: int
    def __init__(self, batches: _Optional[int] = ...) -> None: ...

class ByteCredit(_message.Message):
    __slots__ = ("bytes",)
    BYTES_FIELD_NUMBER: _ClassVar[int]
    bytes: int
    def __init__(self, bytes: _Optional[int] = ...) -> None: ...

class Ping(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    def __init__(self, id: _Optional[int] = ...) -> None: ...

class Pong(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    def __init__(self, id: _Optional[int] = ...) -> None: ...

class Drain(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Drained(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Close(_message.Message):
    __slots__ = ("error",)
    ERROR_FIELD_NUMBER: _ClassVar[int]
    error: str
    def __init__(self, error: _Optional[str] = ...) -> None: ...
