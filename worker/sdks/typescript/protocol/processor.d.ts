import * as $protobuf from "protobufjs/minimal.js";
import Long = require("long");

/** Namespace millrace. */
export namespace millrace {

    /** Namespace processor. */
    namespace processor {

        /** Namespace v1. */
        namespace v1 {

            /**
             * Properties of a WorkerFrame.
             * @deprecated Use millrace.processor.v1.WorkerFrame.$Properties instead.
             */
            interface IWorkerFrame extends millrace.processor.v1.WorkerFrame.$Properties {
            }

            /** Represents a WorkerFrame. */
            class WorkerFrame {

                /**
                 * Constructs a new WorkerFrame.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: millrace.processor.v1.WorkerFrame.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** WorkerFrame hello. */
                hello: (millrace.processor.v1.WorkerHello|null);

                /** WorkerFrame batch. */
                batch: (millrace.processor.v1.Batch|null);

                /** WorkerFrame credit. */
                credit: (millrace.processor.v1.ByteCredit|null);

                /** WorkerFrame ping. */
                ping: (millrace.processor.v1.Ping|null);

                /** WorkerFrame drain. */
                drain: (millrace.processor.v1.Drain|null);

                /** WorkerFrame close. */
                close: (millrace.processor.v1.Close|null);

                /** WorkerFrame message. */
                message?: ("hello"|"batch"|"credit"|"ping"|"drain"|"close");

                /**
                 * Encodes the specified WorkerFrame message. Does not implicitly {@link millrace.processor.v1.WorkerFrame.verify|verify} messages.
                 * @param message WorkerFrame message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: millrace.processor.v1.WorkerFrame.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a WorkerFrame message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {millrace.processor.v1.WorkerFrame & millrace.processor.v1.WorkerFrame.$Shape} WorkerFrame
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): millrace.processor.v1.WorkerFrame & millrace.processor.v1.WorkerFrame.$Shape;
            }

            namespace WorkerFrame {

                /** Properties of a WorkerFrame. */
                interface $Properties {

                    /** WorkerFrame hello */
                    hello?: (millrace.processor.v1.WorkerHello.$Properties|null);

                    /** WorkerFrame batch */
                    batch?: (millrace.processor.v1.Batch.$Properties|null);

                    /** WorkerFrame credit */
                    credit?: (millrace.processor.v1.ByteCredit.$Properties|null);

                    /** WorkerFrame ping */
                    ping?: (millrace.processor.v1.Ping.$Properties|null);

                    /** WorkerFrame drain */
                    drain?: (millrace.processor.v1.Drain.$Properties|null);

                    /** WorkerFrame close */
                    close?: (millrace.processor.v1.Close.$Properties|null);

                    /** WorkerFrame message */
                    message?: ("hello"|"batch"|"credit"|"ping"|"drain"|"close");

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Narrowed shape of a WorkerFrame. */
                type $Shape = {
                  hello?: millrace.processor.v1.WorkerHello.$Shape|null;
                  batch?: millrace.processor.v1.Batch.$Shape|null;
                  credit?: millrace.processor.v1.ByteCredit.$Shape|null;
                  ping?: millrace.processor.v1.Ping.$Shape|null;
                  drain?: millrace.processor.v1.Drain.$Shape|null;
                  close?: millrace.processor.v1.Close.$Shape|null;
                  $unknowns?: Uint8Array[];
                } & (
                  ({ message?: undefined; hello?: null; batch?: null; credit?: null; ping?: null; drain?: null; close?: null }|{ message?: "hello"; hello: millrace.processor.v1.WorkerHello.$Shape; batch?: null; credit?: null; ping?: null; drain?: null; close?: null }|{ message?: "batch"; hello?: null; batch: millrace.processor.v1.Batch.$Shape; credit?: null; ping?: null; drain?: null; close?: null }|{ message?: "credit"; hello?: null; batch?: null; credit: millrace.processor.v1.ByteCredit.$Shape; ping?: null; drain?: null; close?: null }|{ message?: "ping"; hello?: null; batch?: null; credit?: null; ping: millrace.processor.v1.Ping.$Shape; drain?: null; close?: null }|{ message?: "drain"; hello?: null; batch?: null; credit?: null; ping?: null; drain: millrace.processor.v1.Drain.$Shape; close?: null }|{ message?: "close"; hello?: null; batch?: null; credit?: null; ping?: null; drain?: null; close: millrace.processor.v1.Close.$Shape })
                );
            }

            /**
             * Properties of a ProcessFrame.
             * @deprecated Use millrace.processor.v1.ProcessFrame.$Properties instead.
             */
            interface IProcessFrame extends millrace.processor.v1.ProcessFrame.$Properties {
            }

            /** Represents a ProcessFrame. */
            class ProcessFrame {

                /**
                 * Constructs a new ProcessFrame.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: millrace.processor.v1.ProcessFrame.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ProcessFrame hello. */
                hello: (millrace.processor.v1.ProcessHello|null);

                /** ProcessFrame results. */
                results: (millrace.processor.v1.Results|null);

                /** ProcessFrame credit. */
                credit: (millrace.processor.v1.BatchCredit|null);

                /** ProcessFrame pong. */
                pong: (millrace.processor.v1.Pong|null);

                /** ProcessFrame drained. */
                drained: (millrace.processor.v1.Drained|null);

                /** ProcessFrame close. */
                close: (millrace.processor.v1.Close|null);

                /** ProcessFrame message. */
                message?: ("hello"|"results"|"credit"|"pong"|"drained"|"close");

                /**
                 * Encodes the specified ProcessFrame message. Does not implicitly {@link millrace.processor.v1.ProcessFrame.verify|verify} messages.
                 * @param message ProcessFrame message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: millrace.processor.v1.ProcessFrame.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a ProcessFrame message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {millrace.processor.v1.ProcessFrame & millrace.processor.v1.ProcessFrame.$Shape} ProcessFrame
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): millrace.processor.v1.ProcessFrame & millrace.processor.v1.ProcessFrame.$Shape;
            }

            namespace ProcessFrame {

                /** Properties of a ProcessFrame. */
                interface $Properties {

                    /** ProcessFrame hello */
                    hello?: (millrace.processor.v1.ProcessHello.$Properties|null);

                    /** ProcessFrame results */
                    results?: (millrace.processor.v1.Results.$Properties|null);

                    /** ProcessFrame credit */
                    credit?: (millrace.processor.v1.BatchCredit.$Properties|null);

                    /** ProcessFrame pong */
                    pong?: (millrace.processor.v1.Pong.$Properties|null);

                    /** ProcessFrame drained */
                    drained?: (millrace.processor.v1.Drained.$Properties|null);

                    /** ProcessFrame close */
                    close?: (millrace.processor.v1.Close.$Properties|null);

                    /** ProcessFrame message */
                    message?: ("hello"|"results"|"credit"|"pong"|"drained"|"close");

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Narrowed shape of a ProcessFrame. */
                type $Shape = {
                  hello?: millrace.processor.v1.ProcessHello.$Shape|null;
                  results?: millrace.processor.v1.Results.$Shape|null;
                  credit?: millrace.processor.v1.BatchCredit.$Shape|null;
                  pong?: millrace.processor.v1.Pong.$Shape|null;
                  drained?: millrace.processor.v1.Drained.$Shape|null;
                  close?: millrace.processor.v1.Close.$Shape|null;
                  $unknowns?: Uint8Array[];
                } & (
                  ({ message?: undefined; hello?: null; results?: null; credit?: null; pong?: null; drained?: null; close?: null }|{ message?: "hello"; hello: millrace.processor.v1.ProcessHello.$Shape; results?: null; credit?: null; pong?: null; drained?: null; close?: null }|{ message?: "results"; hello?: null; results: millrace.processor.v1.Results.$Shape; credit?: null; pong?: null; drained?: null; close?: null }|{ message?: "credit"; hello?: null; results?: null; credit: millrace.processor.v1.BatchCredit.$Shape; pong?: null; drained?: null; close?: null }|{ message?: "pong"; hello?: null; results?: null; credit?: null; pong: millrace.processor.v1.Pong.$Shape; drained?: null; close?: null }|{ message?: "drained"; hello?: null; results?: null; credit?: null; pong?: null; drained: millrace.processor.v1.Drained.$Shape; close?: null }|{ message?: "close"; hello?: null; results?: null; credit?: null; pong?: null; drained?: null; close: millrace.processor.v1.Close.$Shape })
                );
            }

            /**
             * Properties of a ProcessHello.
             * @deprecated Use millrace.processor.v1.ProcessHello.$Properties instead.
             */
            interface IProcessHello extends millrace.processor.v1.ProcessHello.$Properties {
            }

            /** Represents a ProcessHello. */
            class ProcessHello {

                /**
                 * Constructs a new ProcessHello.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: millrace.processor.v1.ProcessHello.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ProcessHello minVersion. */
                minVersion: number;

                /** ProcessHello maxVersion. */
                maxVersion: number;

                /** ProcessHello capabilities. */
                capabilities: string[];

                /** ProcessHello sdk. */
                sdk: string;

                /** ProcessHello pid. */
                pid: (number|Long);

                /** ProcessHello maxRecords. */
                maxRecords: number;

                /** ProcessHello maxBytes. */
                maxBytes: (number|Long);

                /** ProcessHello lingerMs. */
                lingerMs: number;

                /** ProcessHello batchCredit. */
                batchCredit: number;

                /** ProcessHello maxFrameBytes. */
                maxFrameBytes: (number|Long);

                /**
                 * Encodes the specified ProcessHello message. Does not implicitly {@link millrace.processor.v1.ProcessHello.verify|verify} messages.
                 * @param message ProcessHello message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: millrace.processor.v1.ProcessHello.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a ProcessHello message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {millrace.processor.v1.ProcessHello & millrace.processor.v1.ProcessHello.$Shape} ProcessHello
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): millrace.processor.v1.ProcessHello & millrace.processor.v1.ProcessHello.$Shape;
            }

            namespace ProcessHello {

                /** Properties of a ProcessHello. */
                interface $Properties {

                    /** ProcessHello minVersion */
                    minVersion?: number;

                    /** ProcessHello maxVersion */
                    maxVersion?: number;

                    /** ProcessHello capabilities */
                    capabilities?: string[];

                    /** ProcessHello sdk */
                    sdk?: string;

                    /** ProcessHello pid */
                    pid?: (number|Long);

                    /** ProcessHello maxRecords */
                    maxRecords?: number;

                    /** ProcessHello maxBytes */
                    maxBytes?: (number|Long);

                    /** ProcessHello lingerMs */
                    lingerMs?: number;

                    /** ProcessHello batchCredit */
                    batchCredit?: number;

                    /** ProcessHello maxFrameBytes */
                    maxFrameBytes?: (number|Long);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a ProcessHello. */
                type $Shape = millrace.processor.v1.ProcessHello.$Properties;
            }

            /**
             * Properties of a WorkerHello.
             * @deprecated Use millrace.processor.v1.WorkerHello.$Properties instead.
             */
            interface IWorkerHello extends millrace.processor.v1.WorkerHello.$Properties {
            }

            /** Represents a WorkerHello. */
            class WorkerHello {

                /**
                 * Constructs a new WorkerHello.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: millrace.processor.v1.WorkerHello.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** WorkerHello version. */
                version: number;

                /** WorkerHello capabilities. */
                capabilities: string[];

                /** WorkerHello ordering. */
                ordering: string;

                /** WorkerHello topic. */
                topic: string;

                /** WorkerHello group. */
                group: string;

                /** WorkerHello processor. */
                processor: string;

                /** WorkerHello maxRecords. */
                maxRecords: number;

                /** WorkerHello maxBytes. */
                maxBytes: (number|Long);

                /** WorkerHello lingerMs. */
                lingerMs: number;

                /** WorkerHello byteCredit. */
                byteCredit: (number|Long);

                /** WorkerHello maxFrameBytes. */
                maxFrameBytes: (number|Long);

                /**
                 * Encodes the specified WorkerHello message. Does not implicitly {@link millrace.processor.v1.WorkerHello.verify|verify} messages.
                 * @param message WorkerHello message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: millrace.processor.v1.WorkerHello.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a WorkerHello message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {millrace.processor.v1.WorkerHello & millrace.processor.v1.WorkerHello.$Shape} WorkerHello
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): millrace.processor.v1.WorkerHello & millrace.processor.v1.WorkerHello.$Shape;
            }

            namespace WorkerHello {

                /** Properties of a WorkerHello. */
                interface $Properties {

                    /** WorkerHello version */
                    version?: number;

                    /** WorkerHello capabilities */
                    capabilities?: string[];

                    /** WorkerHello ordering */
                    ordering?: string;

                    /** WorkerHello topic */
                    topic?: string;

                    /** WorkerHello group */
                    group?: string;

                    /** WorkerHello processor */
                    processor?: string;

                    /** WorkerHello maxRecords */
                    maxRecords?: number;

                    /** WorkerHello maxBytes */
                    maxBytes?: (number|Long);

                    /** WorkerHello lingerMs */
                    lingerMs?: number;

                    /** WorkerHello byteCredit */
                    byteCredit?: (number|Long);

                    /** WorkerHello maxFrameBytes */
                    maxFrameBytes?: (number|Long);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a WorkerHello. */
                type $Shape = millrace.processor.v1.WorkerHello.$Properties;
            }

            /**
             * Properties of a Batch.
             * @deprecated Use millrace.processor.v1.Batch.$Properties instead.
             */
            interface IBatch extends millrace.processor.v1.Batch.$Properties {
            }

            /** Represents a Batch. */
            class Batch {

                /**
                 * Constructs a new Batch.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: millrace.processor.v1.Batch.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Batch id. */
                id: (number|Long);

                /** Batch topic. */
                topic: string;

                /** Batch timeoutMs. */
                timeoutMs: number;

                /** Batch records. */
                records: millrace.processor.v1.Record[];

                /**
                 * Encodes the specified Batch message. Does not implicitly {@link millrace.processor.v1.Batch.verify|verify} messages.
                 * @param message Batch message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: millrace.processor.v1.Batch.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Batch message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {millrace.processor.v1.Batch & millrace.processor.v1.Batch.$Shape} Batch
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): millrace.processor.v1.Batch & millrace.processor.v1.Batch.$Shape;
            }

            namespace Batch {

                /** Properties of a Batch. */
                interface $Properties {

                    /** Batch id */
                    id?: (number|Long);

                    /** Batch topic */
                    topic?: string;

                    /** Batch timeoutMs */
                    timeoutMs?: number;

                    /** Batch records */
                    records?: millrace.processor.v1.Record.$Properties[];

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Batch. */
                type $Shape = millrace.processor.v1.Batch.$Properties;
            }

            /**
             * Properties of a Record.
             * @deprecated Use millrace.processor.v1.Record.$Properties instead.
             */
            interface IRecord extends millrace.processor.v1.Record.$Properties {
            }

            /** Represents a Record. */
            class Record {

                /**
                 * Constructs a new Record.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: millrace.processor.v1.Record.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Record partition. */
                partition: number;

                /** Record offset. */
                offset: (number|Long);

                /** Record timestampMs. */
                timestampMs: (number|Long|null);

                /** Record key. */
                key: (Uint8Array|null);

                /** Record value. */
                value: (Uint8Array|null);

                /** Record headers. */
                headers: millrace.processor.v1.Header[];

                /** Record attempt. */
                attempt: number;

                /** Record topic. */
                topic: string;

                /**
                 * Encodes the specified Record message. Does not implicitly {@link millrace.processor.v1.Record.verify|verify} messages.
                 * @param message Record message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: millrace.processor.v1.Record.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Record message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {millrace.processor.v1.Record & millrace.processor.v1.Record.$Shape} Record
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): millrace.processor.v1.Record & millrace.processor.v1.Record.$Shape;
            }

            namespace Record {

                /** Properties of a Record. */
                interface $Properties {

                    /** Record partition */
                    partition?: number;

                    /** Record offset */
                    offset?: (number|Long);

                    /** Record timestampMs */
                    timestampMs?: (number|Long|null);

                    /** Record key */
                    key?: (Uint8Array|null);

                    /** Record value */
                    value?: (Uint8Array|null);

                    /** Record headers */
                    headers?: millrace.processor.v1.Header.$Properties[];

                    /** Record attempt */
                    attempt?: number;

                    /** Record topic */
                    topic?: string;

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Record. */
                type $Shape = millrace.processor.v1.Record.$Properties;
            }

            /**
             * Properties of a Header.
             * @deprecated Use millrace.processor.v1.Header.$Properties instead.
             */
            interface IHeader extends millrace.processor.v1.Header.$Properties {
            }

            /** Represents a Header. */
            class Header {

                /**
                 * Constructs a new Header.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: millrace.processor.v1.Header.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Header name. */
                name: Uint8Array;

                /** Header value. */
                value: (Uint8Array|null);

                /**
                 * Encodes the specified Header message. Does not implicitly {@link millrace.processor.v1.Header.verify|verify} messages.
                 * @param message Header message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: millrace.processor.v1.Header.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Header message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {millrace.processor.v1.Header & millrace.processor.v1.Header.$Shape} Header
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): millrace.processor.v1.Header & millrace.processor.v1.Header.$Shape;
            }

            namespace Header {

                /** Properties of a Header. */
                interface $Properties {

                    /** Header name */
                    name?: Uint8Array;

                    /** Header value */
                    value?: (Uint8Array|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Header. */
                type $Shape = millrace.processor.v1.Header.$Properties;
            }

            /**
             * Properties of a Results.
             * @deprecated Use millrace.processor.v1.Results.$Properties instead.
             */
            interface IResults extends millrace.processor.v1.Results.$Properties {
            }

            /** Represents a Results. */
            class Results {

                /**
                 * Constructs a new Results.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: millrace.processor.v1.Results.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Results batch. */
                batch: (number|Long);

                /** Results results. */
                results: millrace.processor.v1.Result[];

                /** Results failure. */
                failure: millrace.processor.v1.Failure;

                /**
                 * Encodes the specified Results message. Does not implicitly {@link millrace.processor.v1.Results.verify|verify} messages.
                 * @param message Results message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: millrace.processor.v1.Results.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Results message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {millrace.processor.v1.Results & millrace.processor.v1.Results.$Shape} Results
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): millrace.processor.v1.Results & millrace.processor.v1.Results.$Shape;
            }

            namespace Results {

                /** Properties of a Results. */
                interface $Properties {

                    /** Results batch */
                    batch?: (number|Long);

                    /** Results results */
                    results?: millrace.processor.v1.Result.$Properties[];

                    /** Results failure */
                    failure?: millrace.processor.v1.Failure.$Properties;

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Results. */
                type $Shape = millrace.processor.v1.Results.$Properties;
            }

            /**
             * Properties of a Result.
             * @deprecated Use millrace.processor.v1.Result.$Properties instead.
             */
            interface IResult extends millrace.processor.v1.Result.$Properties {
            }

            /** Represents a Result. */
            class Result {

                /**
                 * Constructs a new Result.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: millrace.processor.v1.Result.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Result index. */
                index: number;

                /** Result outputs. */
                outputs: millrace.processor.v1.Output[];

                /** Result failure. */
                failure: millrace.processor.v1.Failure;

                /**
                 * Encodes the specified Result message. Does not implicitly {@link millrace.processor.v1.Result.verify|verify} messages.
                 * @param message Result message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: millrace.processor.v1.Result.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Result message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {millrace.processor.v1.Result & millrace.processor.v1.Result.$Shape} Result
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): millrace.processor.v1.Result & millrace.processor.v1.Result.$Shape;
            }

            namespace Result {

                /** Properties of a Result. */
                interface $Properties {

                    /** Result index */
                    index?: number;

                    /** Result outputs */
                    outputs?: millrace.processor.v1.Output.$Properties[];

                    /** Result failure */
                    failure?: millrace.processor.v1.Failure.$Properties;

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Result. */
                type $Shape = millrace.processor.v1.Result.$Properties;
            }

            /**
             * Properties of an Output.
             * @deprecated Use millrace.processor.v1.Output.$Properties instead.
             */
            interface IOutput extends millrace.processor.v1.Output.$Properties {
            }

            /** Represents an Output. */
            class Output {

                /**
                 * Constructs a new Output.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: millrace.processor.v1.Output.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Output value. */
                value: (Uint8Array|null);

                /** Output key. */
                key: (Uint8Array|null);

                /** Output headers. */
                headers: millrace.processor.v1.Header[];

                /** Output topic. */
                topic: string;

                /** Output timestampMs. */
                timestampMs: (number|Long|null);

                /** Output sameKey. */
                sameKey: boolean;

                /** Output sameValue. */
                sameValue: boolean;

                /** Output sameHeaders. */
                sameHeaders: boolean;

                /**
                 * Encodes the specified Output message. Does not implicitly {@link millrace.processor.v1.Output.verify|verify} messages.
                 * @param message Output message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: millrace.processor.v1.Output.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an Output message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {millrace.processor.v1.Output & millrace.processor.v1.Output.$Shape} Output
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): millrace.processor.v1.Output & millrace.processor.v1.Output.$Shape;
            }

            namespace Output {

                /** Properties of an Output. */
                interface $Properties {

                    /** Output value */
                    value?: (Uint8Array|null);

                    /** Output key */
                    key?: (Uint8Array|null);

                    /** Output headers */
                    headers?: millrace.processor.v1.Header.$Properties[];

                    /** Output topic */
                    topic?: string;

                    /** Output timestampMs */
                    timestampMs?: (number|Long|null);

                    /** Output sameKey */
                    sameKey?: boolean;

                    /** Output sameValue */
                    sameValue?: boolean;

                    /** Output sameHeaders */
                    sameHeaders?: boolean;

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of an Output. */
                type $Shape = millrace.processor.v1.Output.$Properties;
            }

            /**
             * Properties of a Failure.
             * @deprecated Use millrace.processor.v1.Failure.$Properties instead.
             */
            interface IFailure extends millrace.processor.v1.Failure.$Properties {
            }

            /** Represents a Failure. */
            class Failure {

                /**
                 * Constructs a new Failure.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: millrace.processor.v1.Failure.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Failure kind. */
                kind: millrace.processor.v1.Failure.Kind;

                /** Failure message. */
                message: string;

                /** Failure detail. */
                detail: string;

                /** Failure retryAfterMs. */
                retryAfterMs: number;

                /** Failure deadLetterTopic. */
                deadLetterTopic: string;

                /**
                 * Encodes the specified Failure message. Does not implicitly {@link millrace.processor.v1.Failure.verify|verify} messages.
                 * @param message Failure message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: millrace.processor.v1.Failure.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Failure message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {millrace.processor.v1.Failure & millrace.processor.v1.Failure.$Shape} Failure
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): millrace.processor.v1.Failure & millrace.processor.v1.Failure.$Shape;
            }

            namespace Failure {

                /** Properties of a Failure. */
                interface $Properties {

                    /** Failure kind */
                    kind?: millrace.processor.v1.Failure.Kind;

                    /** Failure message */
                    message?: string;

                    /** Failure detail */
                    detail?: string;

                    /** Failure retryAfterMs */
                    retryAfterMs?: number;

                    /** Failure deadLetterTopic */
                    deadLetterTopic?: string;

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Failure. */
                type $Shape = millrace.processor.v1.Failure.$Properties;

                /** Kind enum. */
                enum Kind {

                    /** RETRY value */
                    RETRY = 0,

                    /** PERMANENT value */
                    PERMANENT = 1,

                    /** DROP value */
                    DROP = 2,

                    /** DEAD_LETTER value */
                    DEAD_LETTER = 3
                }
            }

            /**
             * Properties of a BatchCredit.
             * @deprecated Use millrace.processor.v1.BatchCredit.$Properties instead.
             */
            interface IBatchCredit extends millrace.processor.v1.BatchCredit.$Properties {
            }

            /** Represents a BatchCredit. */
            class BatchCredit {

                /**
                 * Constructs a new BatchCredit.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: millrace.processor.v1.BatchCredit.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** BatchCredit batches. */
                batches: number;

                /**
                 * Encodes the specified BatchCredit message. Does not implicitly {@link millrace.processor.v1.BatchCredit.verify|verify} messages.
                 * @param message BatchCredit message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: millrace.processor.v1.BatchCredit.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a BatchCredit message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {millrace.processor.v1.BatchCredit & millrace.processor.v1.BatchCredit.$Shape} BatchCredit
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): millrace.processor.v1.BatchCredit & millrace.processor.v1.BatchCredit.$Shape;
            }

            namespace BatchCredit {

                /** Properties of a BatchCredit. */
                interface $Properties {

                    /** BatchCredit batches */
                    batches?: number;

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a BatchCredit. */
                type $Shape = millrace.processor.v1.BatchCredit.$Properties;
            }

            /**
             * Properties of a ByteCredit.
             * @deprecated Use millrace.processor.v1.ByteCredit.$Properties instead.
             */
            interface IByteCredit extends millrace.processor.v1.ByteCredit.$Properties {
            }

            /** Represents a ByteCredit. */
            class ByteCredit {

                /**
                 * Constructs a new ByteCredit.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: millrace.processor.v1.ByteCredit.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ByteCredit bytes. */
                bytes: (number|Long);

                /**
                 * Encodes the specified ByteCredit message. Does not implicitly {@link millrace.processor.v1.ByteCredit.verify|verify} messages.
                 * @param message ByteCredit message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: millrace.processor.v1.ByteCredit.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a ByteCredit message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {millrace.processor.v1.ByteCredit & millrace.processor.v1.ByteCredit.$Shape} ByteCredit
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): millrace.processor.v1.ByteCredit & millrace.processor.v1.ByteCredit.$Shape;
            }

            namespace ByteCredit {

                /** Properties of a ByteCredit. */
                interface $Properties {

                    /** ByteCredit bytes */
                    bytes?: (number|Long);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a ByteCredit. */
                type $Shape = millrace.processor.v1.ByteCredit.$Properties;
            }

            /**
             * Properties of a Ping.
             * @deprecated Use millrace.processor.v1.Ping.$Properties instead.
             */
            interface IPing extends millrace.processor.v1.Ping.$Properties {
            }

            /** Represents a Ping. */
            class Ping {

                /**
                 * Constructs a new Ping.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: millrace.processor.v1.Ping.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Ping id. */
                id: (number|Long);

                /**
                 * Encodes the specified Ping message. Does not implicitly {@link millrace.processor.v1.Ping.verify|verify} messages.
                 * @param message Ping message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: millrace.processor.v1.Ping.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Ping message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {millrace.processor.v1.Ping & millrace.processor.v1.Ping.$Shape} Ping
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): millrace.processor.v1.Ping & millrace.processor.v1.Ping.$Shape;
            }

            namespace Ping {

                /** Properties of a Ping. */
                interface $Properties {

                    /** Ping id */
                    id?: (number|Long);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Ping. */
                type $Shape = millrace.processor.v1.Ping.$Properties;
            }

            /**
             * Properties of a Pong.
             * @deprecated Use millrace.processor.v1.Pong.$Properties instead.
             */
            interface IPong extends millrace.processor.v1.Pong.$Properties {
            }

            /** Represents a Pong. */
            class Pong {

                /**
                 * Constructs a new Pong.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: millrace.processor.v1.Pong.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Pong id. */
                id: (number|Long);

                /**
                 * Encodes the specified Pong message. Does not implicitly {@link millrace.processor.v1.Pong.verify|verify} messages.
                 * @param message Pong message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: millrace.processor.v1.Pong.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Pong message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {millrace.processor.v1.Pong & millrace.processor.v1.Pong.$Shape} Pong
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): millrace.processor.v1.Pong & millrace.processor.v1.Pong.$Shape;
            }

            namespace Pong {

                /** Properties of a Pong. */
                interface $Properties {

                    /** Pong id */
                    id?: (number|Long);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Pong. */
                type $Shape = millrace.processor.v1.Pong.$Properties;
            }

            /**
             * Properties of a Drain.
             * @deprecated Use millrace.processor.v1.Drain.$Properties instead.
             */
            interface IDrain extends millrace.processor.v1.Drain.$Properties {
            }

            /** Represents a Drain. */
            class Drain {

                /**
                 * Constructs a new Drain.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: millrace.processor.v1.Drain.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /**
                 * Encodes the specified Drain message. Does not implicitly {@link millrace.processor.v1.Drain.verify|verify} messages.
                 * @param message Drain message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: millrace.processor.v1.Drain.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Drain message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {millrace.processor.v1.Drain & millrace.processor.v1.Drain.$Shape} Drain
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): millrace.processor.v1.Drain & millrace.processor.v1.Drain.$Shape;
            }

            namespace Drain {

                /** Properties of a Drain. */
                interface $Properties {

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Drain. */
                type $Shape = millrace.processor.v1.Drain.$Properties;
            }

            /**
             * Properties of a Drained.
             * @deprecated Use millrace.processor.v1.Drained.$Properties instead.
             */
            interface IDrained extends millrace.processor.v1.Drained.$Properties {
            }

            /** Represents a Drained. */
            class Drained {

                /**
                 * Constructs a new Drained.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: millrace.processor.v1.Drained.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /**
                 * Encodes the specified Drained message. Does not implicitly {@link millrace.processor.v1.Drained.verify|verify} messages.
                 * @param message Drained message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: millrace.processor.v1.Drained.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Drained message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {millrace.processor.v1.Drained & millrace.processor.v1.Drained.$Shape} Drained
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): millrace.processor.v1.Drained & millrace.processor.v1.Drained.$Shape;
            }

            namespace Drained {

                /** Properties of a Drained. */
                interface $Properties {

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Drained. */
                type $Shape = millrace.processor.v1.Drained.$Properties;
            }

            /**
             * Properties of a Close.
             * @deprecated Use millrace.processor.v1.Close.$Properties instead.
             */
            interface IClose extends millrace.processor.v1.Close.$Properties {
            }

            /** Represents a Close. */
            class Close {

                /**
                 * Constructs a new Close.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: millrace.processor.v1.Close.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Close error. */
                error: string;

                /**
                 * Encodes the specified Close message. Does not implicitly {@link millrace.processor.v1.Close.verify|verify} messages.
                 * @param message Close message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: millrace.processor.v1.Close.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Close message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {millrace.processor.v1.Close & millrace.processor.v1.Close.$Shape} Close
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): millrace.processor.v1.Close & millrace.processor.v1.Close.$Shape;
            }

            namespace Close {

                /** Properties of a Close. */
                interface $Properties {

                    /** Close error */
                    error?: string;

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Close. */
                type $Shape = millrace.processor.v1.Close.$Properties;
            }
        }
    }
}
