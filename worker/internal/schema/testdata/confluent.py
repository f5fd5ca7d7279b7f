"""Writes and reads values with the serializers of confluent-kafka, for the tests.

    confluent.py URL write   registers schemas, prints a line of JSON for each value
    confluent.py URL read    reads such lines and prints what the values hold
"""

import datetime
import decimal
import json
import sys
import uuid

from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PRICE = {"type": "record", "name": "Price", "namespace": "shop", "fields": [
    {"name": "amount", "type": {"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2}},
]}
ORDER = {"type": "record", "name": "Order", "namespace": "shop", "fields": [
    {"name": "id", "type": "long"},
    {"name": "note", "type": ["null", "string"], "default": None},
    {"name": "state", "type": {"type": "enum", "name": "State", "symbols": ["NEW", "PAID"]}},
    {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    {"name": "day", "type": {"type": "int", "logicalType": "date"}},
    {"name": "key", "type": {"type": "string", "logicalType": "uuid"}},
    {"name": "raw", "type": "bytes"},
    {"name": "price", "type": "shop.Price"},
    {"name": "tags", "type": {"type": "array", "items": "string"}},
    {"name": "rates", "type": {"type": "map", "values": "double"}},
]}
ORDER_VALUE = {
    "id": 9007199254740993, "note": "ü", "state": "PAID",
    "at": datetime.datetime(2026, 1, 2, 3, 4, 5, 6000, tzinfo=datetime.timezone.utc),
    "day": datetime.date(2026, 1, 2), "key": uuid.UUID("00010203-0405-0607-0809-0a0b0c0d0e0f"),
    "raw": b"\x00\xff", "price": {"amount": decimal.Decimal("-12.30")}, "tags": ["a", "b"], "rates": {"eur": 0.5},
}
ORDER_JSON = (
    '{"at":"2026-01-02T03:04:05.006Z","day":"2026-01-02","id":9007199254740993,'
    '"key":"00010203-0405-0607-0809-0a0b0c0d0e0f","note":"ü","price":{"amount":-12.30},'
    '"rates":{"eur":0.5},"raw":"AP8=","state":"PAID","tags":["a","b"]}'
)

PERSON = {"$schema": "http://json-schema.org/draft-07/schema#", "title": "Person", "type": "object",
          "required": ["name"], "properties": {"name": {"type": "string"}, "age": {"type": "integer"}}}


def protobuf_types():
    """The messages of the file shop.proto, of which the second one is used."""
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="shop.proto", package="shop", syntax="proto3")
    file.message_type.add(name="First")
    item = file.message_type.add(name="Item")
    item.field.add(name="item_id", number=1, type=field.TYPE_INT64, label=field.LABEL_OPTIONAL, json_name="itemId")
    item.field.add(name="names", number=2, type=field.TYPE_STRING, label=field.LABEL_REPEATED, json_name="names")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("shop.Item"))


def write(client):
    client.register_schema("price", Schema(json.dumps(PRICE), "AVRO"))
    order = Schema(json.dumps(ORDER), "AVRO", [SchemaReference("shop.Price", "price", 1)])
    put("orders", AvroSerializer(client, order), ORDER_VALUE, ORDER_JSON)
    item = protobuf_types()
    put("items", ProtobufSerializer(item, client, {"use.deprecated.format": False}),
        item(item_id=9007199254740993, names=["x"]), '{"itemId":9007199254740993,"names":["x"]}')
    put("people", JSONSerializer(json.dumps(PERSON), client), {"name": "A", "age": 3}, '{"name":"A","age":3}')


def put(topic, serializer, value, text):
    data = serializer(value, SerializationContext(topic, MessageField.VALUE))
    print(json.dumps({"topic": topic, "value": data.hex(), "json": text}))


def read(client):
    item = protobuf_types()
    readers = {
        "orders": AvroDeserializer(client),
        "items": ProtobufDeserializer(item, {"use.deprecated.format": False}),
        "people": JSONDeserializer(json.dumps(PERSON), schema_registry_client=client),
    }
    wanted = {"orders": ORDER_VALUE, "items": item(item_id=9007199254740993, names=["x"]), "people": {"name": "A", "age": 3}}
    for line in sys.stdin:
        given = json.loads(line)
        topic = given["topic"]
        value = readers[topic](bytes.fromhex(given["value"]), SerializationContext(topic, MessageField.VALUE))
        if isinstance(value, dict) and isinstance(value.get("key"), str):
            value["key"] = uuid.UUID(value["key"])
        print(topic, "is the same" if value == wanted[topic] else f"is {value!r}, want {wanted[topic]!r}")


url, way = sys.argv[1:]
{"write": write, "read": read}[way](SchemaRegistryClient({"url": url}))
