// Package schema turns values between JSON and the form in which the serializers of a schema
// registry write them: Confluent's wire format, with Avro, Protobuf or JSON Schema.
//
// A Registry asks for a schema once, and keeps it. A Decoder makes JSON of what other
// programs wrote, and an Encoder writes JSON with the schema of a topic. The conversions are
// those that docs/schemas.md lists.
package schema
