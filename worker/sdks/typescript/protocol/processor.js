/*eslint-disable block-scoped-var, id-length, no-control-regex, no-magic-numbers, no-mixed-operators, no-prototype-builtins, no-redeclare, no-shadow, no-var, sort-vars, default-case, jsdoc/require-param*/
import $protobuf from "protobufjs/minimal.js";

// Common aliases
const $Reader = $protobuf.Reader, $Writer = $protobuf.Writer, $util = $protobuf.util;
const $Object = $util.global.Object, $undefined = $util.global.undefined, $Error = $util.global.Error, $RangeError = $util.global.RangeError;

// Exported root namespace
const $root = $protobuf.roots["millrace"] || ($protobuf.roots["millrace"] = {});

export const millrace = $root.millrace = (() => {

    /**
     * Namespace millrace.
     * @exports millrace
     * @namespace
     */
    const millrace = {};

    millrace.processor = (function() {

        /**
         * Namespace processor.
         * @memberof millrace
         * @namespace
         */
        const processor = {};

        processor.v1 = (function() {

            /**
             * Namespace v1.
             * @memberof millrace.processor
             * @namespace
             */
            const v1 = {};

            v1.WorkerFrame = (function() {

                /**
                 * Properties of a WorkerFrame.
                 * @typedef {Object} millrace.processor.v1.WorkerFrame.$Properties
                 * @property {millrace.processor.v1.WorkerHello.$Properties|null} [hello] WorkerFrame hello
                 * @property {millrace.processor.v1.Batch.$Properties|null} [batch] WorkerFrame batch
                 * @property {millrace.processor.v1.ByteCredit.$Properties|null} [credit] WorkerFrame credit
                 * @property {millrace.processor.v1.Ping.$Properties|null} [ping] WorkerFrame ping
                 * @property {millrace.processor.v1.Drain.$Properties|null} [drain] WorkerFrame drain
                 * @property {millrace.processor.v1.Close.$Properties|null} [close] WorkerFrame close
                 * @property {"hello"|"batch"|"credit"|"ping"|"drain"|"close"} [message] WorkerFrame message
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a WorkerFrame.
                 * @memberof millrace.processor.v1
                 * @interface IWorkerFrame
                 * @augments millrace.processor.v1.WorkerFrame.$Properties
                 * @deprecated Use millrace.processor.v1.WorkerFrame.$Properties instead.
                 */

                /**
                 * Narrowed shape of a WorkerFrame.
                 * @typedef {{
                 *   hello?: millrace.processor.v1.WorkerHello.$Shape|null;
                 *   batch?: millrace.processor.v1.Batch.$Shape|null;
                 *   credit?: millrace.processor.v1.ByteCredit.$Shape|null;
                 *   ping?: millrace.processor.v1.Ping.$Shape|null;
                 *   drain?: millrace.processor.v1.Drain.$Shape|null;
                 *   close?: millrace.processor.v1.Close.$Shape|null;
                 *   $unknowns?: Array.<Uint8Array>;
                 * } & (
                 *   ({ message?: undefined; hello?: null; batch?: null; credit?: null; ping?: null; drain?: null; close?: null }|{ message?: "hello"; hello: millrace.processor.v1.WorkerHello.$Shape; batch?: null; credit?: null; ping?: null; drain?: null; close?: null }|{ message?: "batch"; hello?: null; batch: millrace.processor.v1.Batch.$Shape; credit?: null; ping?: null; drain?: null; close?: null }|{ message?: "credit"; hello?: null; batch?: null; credit: millrace.processor.v1.ByteCredit.$Shape; ping?: null; drain?: null; close?: null }|{ message?: "ping"; hello?: null; batch?: null; credit?: null; ping: millrace.processor.v1.Ping.$Shape; drain?: null; close?: null }|{ message?: "drain"; hello?: null; batch?: null; credit?: null; ping?: null; drain: millrace.processor.v1.Drain.$Shape; close?: null }|{ message?: "close"; hello?: null; batch?: null; credit?: null; ping?: null; drain?: null; close: millrace.processor.v1.Close.$Shape })
                 * )} millrace.processor.v1.WorkerFrame.$Shape
                 */

                /**
                 * Constructs a new WorkerFrame.
                 * @memberof millrace.processor.v1
                 * @classdesc Represents a WorkerFrame.
                 * @constructor
                 * @param {millrace.processor.v1.WorkerFrame.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const WorkerFrame = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * WorkerFrame hello.
                 * @member {millrace.processor.v1.WorkerHello|null} hello
                 * @memberof millrace.processor.v1.WorkerFrame
                 * @instance
                 */
                WorkerFrame.prototype.hello = null;

                /**
                 * WorkerFrame batch.
                 * @member {millrace.processor.v1.Batch|null} batch
                 * @memberof millrace.processor.v1.WorkerFrame
                 * @instance
                 */
                WorkerFrame.prototype.batch = null;

                /**
                 * WorkerFrame credit.
                 * @member {millrace.processor.v1.ByteCredit|null} credit
                 * @memberof millrace.processor.v1.WorkerFrame
                 * @instance
                 */
                WorkerFrame.prototype.credit = null;

                /**
                 * WorkerFrame ping.
                 * @member {millrace.processor.v1.Ping|null} ping
                 * @memberof millrace.processor.v1.WorkerFrame
                 * @instance
                 */
                WorkerFrame.prototype.ping = null;

                /**
                 * WorkerFrame drain.
                 * @member {millrace.processor.v1.Drain|null} drain
                 * @memberof millrace.processor.v1.WorkerFrame
                 * @instance
                 */
                WorkerFrame.prototype.drain = null;

                /**
                 * WorkerFrame close.
                 * @member {millrace.processor.v1.Close|null} close
                 * @memberof millrace.processor.v1.WorkerFrame
                 * @instance
                 */
                WorkerFrame.prototype.close = null;

                // OneOf field names bound to virtual getters and setters
                let $oneOfFields;

                /**
                 * WorkerFrame message.
                 * @member {"hello"|"batch"|"credit"|"ping"|"drain"|"close"|undefined} message
                 * @memberof millrace.processor.v1.WorkerFrame
                 * @instance
                 */
                $Object.defineProperty(WorkerFrame.prototype, "message", {
                    get: $util.oneOfGetter($oneOfFields = ["hello", "batch", "credit", "ping", "drain", "close"]),
                    set: $util.oneOfSetter($oneOfFields)
                });

                /**
                 * Encodes the specified WorkerFrame message. Does not implicitly {@link millrace.processor.v1.WorkerFrame.verify|verify} messages.
                 * @function encode
                 * @memberof millrace.processor.v1.WorkerFrame
                 * @static
                 * @param {millrace.processor.v1.WorkerFrame.$Properties} message WorkerFrame message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                WorkerFrame.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.hello != null && $Object.hasOwnProperty.call(message, "hello"))
                        $root.millrace.processor.v1.WorkerHello.encode(message.hello, writer.uint32(/* id 1, wireType 2 =*/10).fork(), _depth + 1).ldelim();
                    if (message.batch != null && $Object.hasOwnProperty.call(message, "batch"))
                        $root.millrace.processor.v1.Batch.encode(message.batch, writer.uint32(/* id 2, wireType 2 =*/18).fork(), _depth + 1).ldelim();
                    if (message.credit != null && $Object.hasOwnProperty.call(message, "credit"))
                        $root.millrace.processor.v1.ByteCredit.encode(message.credit, writer.uint32(/* id 3, wireType 2 =*/26).fork(), _depth + 1).ldelim();
                    if (message.ping != null && $Object.hasOwnProperty.call(message, "ping"))
                        $root.millrace.processor.v1.Ping.encode(message.ping, writer.uint32(/* id 4, wireType 2 =*/34).fork(), _depth + 1).ldelim();
                    if (message.drain != null && $Object.hasOwnProperty.call(message, "drain"))
                        $root.millrace.processor.v1.Drain.encode(message.drain, writer.uint32(/* id 5, wireType 2 =*/42).fork(), _depth + 1).ldelim();
                    if (message.close != null && $Object.hasOwnProperty.call(message, "close"))
                        $root.millrace.processor.v1.Close.encode(message.close, writer.uint32(/* id 6, wireType 2 =*/50).fork(), _depth + 1).ldelim();
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a WorkerFrame message from the specified reader or buffer.
                 * @function decode
                 * @memberof millrace.processor.v1.WorkerFrame
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {millrace.processor.v1.WorkerFrame & millrace.processor.v1.WorkerFrame.$Shape} WorkerFrame
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                WorkerFrame.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.millrace.processor.v1.WorkerFrame();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 2)
                                    break;
                                message.hello = $root.millrace.processor.v1.WorkerHello.decode(reader, reader.size(), $undefined, _depth + 1, message.hello);
                                message.message = "hello";
                                continue;
                            }
                        case 2: {
                                if (wireType !== 2)
                                    break;
                                message.batch = $root.millrace.processor.v1.Batch.decode(reader, reader.size(), $undefined, _depth + 1, message.batch);
                                message.message = "batch";
                                continue;
                            }
                        case 3: {
                                if (wireType !== 2)
                                    break;
                                message.credit = $root.millrace.processor.v1.ByteCredit.decode(reader, reader.size(), $undefined, _depth + 1, message.credit);
                                message.message = "credit";
                                continue;
                            }
                        case 4: {
                                if (wireType !== 2)
                                    break;
                                message.ping = $root.millrace.processor.v1.Ping.decode(reader, reader.size(), $undefined, _depth + 1, message.ping);
                                message.message = "ping";
                                continue;
                            }
                        case 5: {
                                if (wireType !== 2)
                                    break;
                                message.drain = $root.millrace.processor.v1.Drain.decode(reader, reader.size(), $undefined, _depth + 1, message.drain);
                                message.message = "drain";
                                continue;
                            }
                        case 6: {
                                if (wireType !== 2)
                                    break;
                                message.close = $root.millrace.processor.v1.Close.decode(reader, reader.size(), $undefined, _depth + 1, message.close);
                                message.message = "close";
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return WorkerFrame;
            })();

            v1.ProcessFrame = (function() {

                /**
                 * Properties of a ProcessFrame.
                 * @typedef {Object} millrace.processor.v1.ProcessFrame.$Properties
                 * @property {millrace.processor.v1.ProcessHello.$Properties|null} [hello] ProcessFrame hello
                 * @property {millrace.processor.v1.Results.$Properties|null} [results] ProcessFrame results
                 * @property {millrace.processor.v1.BatchCredit.$Properties|null} [credit] ProcessFrame credit
                 * @property {millrace.processor.v1.Pong.$Properties|null} [pong] ProcessFrame pong
                 * @property {millrace.processor.v1.Drained.$Properties|null} [drained] ProcessFrame drained
                 * @property {millrace.processor.v1.Close.$Properties|null} [close] ProcessFrame close
                 * @property {"hello"|"results"|"credit"|"pong"|"drained"|"close"} [message] ProcessFrame message
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a ProcessFrame.
                 * @memberof millrace.processor.v1
                 * @interface IProcessFrame
                 * @augments millrace.processor.v1.ProcessFrame.$Properties
                 * @deprecated Use millrace.processor.v1.ProcessFrame.$Properties instead.
                 */

                /**
                 * Narrowed shape of a ProcessFrame.
                 * @typedef {{
                 *   hello?: millrace.processor.v1.ProcessHello.$Shape|null;
                 *   results?: millrace.processor.v1.Results.$Shape|null;
                 *   credit?: millrace.processor.v1.BatchCredit.$Shape|null;
                 *   pong?: millrace.processor.v1.Pong.$Shape|null;
                 *   drained?: millrace.processor.v1.Drained.$Shape|null;
                 *   close?: millrace.processor.v1.Close.$Shape|null;
                 *   $unknowns?: Array.<Uint8Array>;
                 * } & (
                 *   ({ message?: undefined; hello?: null; results?: null; credit?: null; pong?: null; drained?: null; close?: null }|{ message?: "hello"; hello: millrace.processor.v1.ProcessHello.$Shape; results?: null; credit?: null; pong?: null; drained?: null; close?: null }|{ message?: "results"; hello?: null; results: millrace.processor.v1.Results.$Shape; credit?: null; pong?: null; drained?: null; close?: null }|{ message?: "credit"; hello?: null; results?: null; credit: millrace.processor.v1.BatchCredit.$Shape; pong?: null; drained?: null; close?: null }|{ message?: "pong"; hello?: null; results?: null; credit?: null; pong: millrace.processor.v1.Pong.$Shape; drained?: null; close?: null }|{ message?: "drained"; hello?: null; results?: null; credit?: null; pong?: null; drained: millrace.processor.v1.Drained.$Shape; close?: null }|{ message?: "close"; hello?: null; results?: null; credit?: null; pong?: null; drained?: null; close: millrace.processor.v1.Close.$Shape })
                 * )} millrace.processor.v1.ProcessFrame.$Shape
                 */

                /**
                 * Constructs a new ProcessFrame.
                 * @memberof millrace.processor.v1
                 * @classdesc Represents a ProcessFrame.
                 * @constructor
                 * @param {millrace.processor.v1.ProcessFrame.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const ProcessFrame = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * ProcessFrame hello.
                 * @member {millrace.processor.v1.ProcessHello|null} hello
                 * @memberof millrace.processor.v1.ProcessFrame
                 * @instance
                 */
                ProcessFrame.prototype.hello = null;

                /**
                 * ProcessFrame results.
                 * @member {millrace.processor.v1.Results|null} results
                 * @memberof millrace.processor.v1.ProcessFrame
                 * @instance
                 */
                ProcessFrame.prototype.results = null;

                /**
                 * ProcessFrame credit.
                 * @member {millrace.processor.v1.BatchCredit|null} credit
                 * @memberof millrace.processor.v1.ProcessFrame
                 * @instance
                 */
                ProcessFrame.prototype.credit = null;

                /**
                 * ProcessFrame pong.
                 * @member {millrace.processor.v1.Pong|null} pong
                 * @memberof millrace.processor.v1.ProcessFrame
                 * @instance
                 */
                ProcessFrame.prototype.pong = null;

                /**
                 * ProcessFrame drained.
                 * @member {millrace.processor.v1.Drained|null} drained
                 * @memberof millrace.processor.v1.ProcessFrame
                 * @instance
                 */
                ProcessFrame.prototype.drained = null;

                /**
                 * ProcessFrame close.
                 * @member {millrace.processor.v1.Close|null} close
                 * @memberof millrace.processor.v1.ProcessFrame
                 * @instance
                 */
                ProcessFrame.prototype.close = null;

                // OneOf field names bound to virtual getters and setters
                let $oneOfFields;

                /**
                 * ProcessFrame message.
                 * @member {"hello"|"results"|"credit"|"pong"|"drained"|"close"|undefined} message
                 * @memberof millrace.processor.v1.ProcessFrame
                 * @instance
                 */
                $Object.defineProperty(ProcessFrame.prototype, "message", {
                    get: $util.oneOfGetter($oneOfFields = ["hello", "results", "credit", "pong", "drained", "close"]),
                    set: $util.oneOfSetter($oneOfFields)
                });

                /**
                 * Encodes the specified ProcessFrame message. Does not implicitly {@link millrace.processor.v1.ProcessFrame.verify|verify} messages.
                 * @function encode
                 * @memberof millrace.processor.v1.ProcessFrame
                 * @static
                 * @param {millrace.processor.v1.ProcessFrame.$Properties} message ProcessFrame message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                ProcessFrame.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.hello != null && $Object.hasOwnProperty.call(message, "hello"))
                        $root.millrace.processor.v1.ProcessHello.encode(message.hello, writer.uint32(/* id 1, wireType 2 =*/10).fork(), _depth + 1).ldelim();
                    if (message.results != null && $Object.hasOwnProperty.call(message, "results"))
                        $root.millrace.processor.v1.Results.encode(message.results, writer.uint32(/* id 2, wireType 2 =*/18).fork(), _depth + 1).ldelim();
                    if (message.credit != null && $Object.hasOwnProperty.call(message, "credit"))
                        $root.millrace.processor.v1.BatchCredit.encode(message.credit, writer.uint32(/* id 3, wireType 2 =*/26).fork(), _depth + 1).ldelim();
                    if (message.pong != null && $Object.hasOwnProperty.call(message, "pong"))
                        $root.millrace.processor.v1.Pong.encode(message.pong, writer.uint32(/* id 4, wireType 2 =*/34).fork(), _depth + 1).ldelim();
                    if (message.drained != null && $Object.hasOwnProperty.call(message, "drained"))
                        $root.millrace.processor.v1.Drained.encode(message.drained, writer.uint32(/* id 5, wireType 2 =*/42).fork(), _depth + 1).ldelim();
                    if (message.close != null && $Object.hasOwnProperty.call(message, "close"))
                        $root.millrace.processor.v1.Close.encode(message.close, writer.uint32(/* id 6, wireType 2 =*/50).fork(), _depth + 1).ldelim();
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a ProcessFrame message from the specified reader or buffer.
                 * @function decode
                 * @memberof millrace.processor.v1.ProcessFrame
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {millrace.processor.v1.ProcessFrame & millrace.processor.v1.ProcessFrame.$Shape} ProcessFrame
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                ProcessFrame.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.millrace.processor.v1.ProcessFrame();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 2)
                                    break;
                                message.hello = $root.millrace.processor.v1.ProcessHello.decode(reader, reader.size(), $undefined, _depth + 1, message.hello);
                                message.message = "hello";
                                continue;
                            }
                        case 2: {
                                if (wireType !== 2)
                                    break;
                                message.results = $root.millrace.processor.v1.Results.decode(reader, reader.size(), $undefined, _depth + 1, message.results);
                                message.message = "results";
                                continue;
                            }
                        case 3: {
                                if (wireType !== 2)
                                    break;
                                message.credit = $root.millrace.processor.v1.BatchCredit.decode(reader, reader.size(), $undefined, _depth + 1, message.credit);
                                message.message = "credit";
                                continue;
                            }
                        case 4: {
                                if (wireType !== 2)
                                    break;
                                message.pong = $root.millrace.processor.v1.Pong.decode(reader, reader.size(), $undefined, _depth + 1, message.pong);
                                message.message = "pong";
                                continue;
                            }
                        case 5: {
                                if (wireType !== 2)
                                    break;
                                message.drained = $root.millrace.processor.v1.Drained.decode(reader, reader.size(), $undefined, _depth + 1, message.drained);
                                message.message = "drained";
                                continue;
                            }
                        case 6: {
                                if (wireType !== 2)
                                    break;
                                message.close = $root.millrace.processor.v1.Close.decode(reader, reader.size(), $undefined, _depth + 1, message.close);
                                message.message = "close";
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return ProcessFrame;
            })();

            v1.ProcessHello = (function() {

                /**
                 * Properties of a ProcessHello.
                 * @typedef {Object} millrace.processor.v1.ProcessHello.$Properties
                 * @property {number} [minVersion] ProcessHello minVersion
                 * @property {number} [maxVersion] ProcessHello maxVersion
                 * @property {Array.<string>} [capabilities] ProcessHello capabilities
                 * @property {string} [sdk] ProcessHello sdk
                 * @property {number|Long} [pid] ProcessHello pid
                 * @property {number} [maxRecords] ProcessHello maxRecords
                 * @property {number|Long} [maxBytes] ProcessHello maxBytes
                 * @property {number} [lingerMs] ProcessHello lingerMs
                 * @property {number} [batchCredit] ProcessHello batchCredit
                 * @property {number|Long} [maxFrameBytes] ProcessHello maxFrameBytes
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a ProcessHello.
                 * @memberof millrace.processor.v1
                 * @interface IProcessHello
                 * @augments millrace.processor.v1.ProcessHello.$Properties
                 * @deprecated Use millrace.processor.v1.ProcessHello.$Properties instead.
                 */

                /**
                 * Shape of a ProcessHello.
                 * @typedef {millrace.processor.v1.ProcessHello.$Properties} millrace.processor.v1.ProcessHello.$Shape
                 */

                /**
                 * Constructs a new ProcessHello.
                 * @memberof millrace.processor.v1
                 * @classdesc Represents a ProcessHello.
                 * @constructor
                 * @param {millrace.processor.v1.ProcessHello.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const ProcessHello = function (properties) {
                    this.capabilities = [];
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * ProcessHello minVersion.
                 * @member {number} minVersion
                 * @memberof millrace.processor.v1.ProcessHello
                 * @instance
                 */
                ProcessHello.prototype.minVersion = 0;

                /**
                 * ProcessHello maxVersion.
                 * @member {number} maxVersion
                 * @memberof millrace.processor.v1.ProcessHello
                 * @instance
                 */
                ProcessHello.prototype.maxVersion = 0;

                /**
                 * ProcessHello capabilities.
                 * @member {Array.<string>} capabilities
                 * @memberof millrace.processor.v1.ProcessHello
                 * @instance
                 */
                ProcessHello.prototype.capabilities = $util.emptyArray;

                /**
                 * ProcessHello sdk.
                 * @member {string} sdk
                 * @memberof millrace.processor.v1.ProcessHello
                 * @instance
                 */
                ProcessHello.prototype.sdk = "";

                /**
                 * ProcessHello pid.
                 * @member {number|Long} pid
                 * @memberof millrace.processor.v1.ProcessHello
                 * @instance
                 */
                ProcessHello.prototype.pid = $util.Long ? $util.Long.fromBits(0,0,false) : 0;

                /**
                 * ProcessHello maxRecords.
                 * @member {number} maxRecords
                 * @memberof millrace.processor.v1.ProcessHello
                 * @instance
                 */
                ProcessHello.prototype.maxRecords = 0;

                /**
                 * ProcessHello maxBytes.
                 * @member {number|Long} maxBytes
                 * @memberof millrace.processor.v1.ProcessHello
                 * @instance
                 */
                ProcessHello.prototype.maxBytes = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

                /**
                 * ProcessHello lingerMs.
                 * @member {number} lingerMs
                 * @memberof millrace.processor.v1.ProcessHello
                 * @instance
                 */
                ProcessHello.prototype.lingerMs = 0;

                /**
                 * ProcessHello batchCredit.
                 * @member {number} batchCredit
                 * @memberof millrace.processor.v1.ProcessHello
                 * @instance
                 */
                ProcessHello.prototype.batchCredit = 0;

                /**
                 * ProcessHello maxFrameBytes.
                 * @member {number|Long} maxFrameBytes
                 * @memberof millrace.processor.v1.ProcessHello
                 * @instance
                 */
                ProcessHello.prototype.maxFrameBytes = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

                /**
                 * Encodes the specified ProcessHello message. Does not implicitly {@link millrace.processor.v1.ProcessHello.verify|verify} messages.
                 * @function encode
                 * @memberof millrace.processor.v1.ProcessHello
                 * @static
                 * @param {millrace.processor.v1.ProcessHello.$Properties} message ProcessHello message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                ProcessHello.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.minVersion != null && $Object.hasOwnProperty.call(message, "minVersion") && message.minVersion !== 0)
                        writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.minVersion);
                    if (message.maxVersion != null && $Object.hasOwnProperty.call(message, "maxVersion") && message.maxVersion !== 0)
                        writer.uint32(/* id 2, wireType 0 =*/16).uint32(message.maxVersion);
                    if (message.capabilities != null && message.capabilities.length)
                        for (let i = 0; i < message.capabilities.length; ++i)
                            writer.uint32(/* id 3, wireType 2 =*/26).string(message.capabilities[i]);
                    if (message.sdk != null && $Object.hasOwnProperty.call(message, "sdk") && message.sdk !== "")
                        writer.uint32(/* id 4, wireType 2 =*/34).string(message.sdk);
                    if (message.pid != null && $Object.hasOwnProperty.call(message, "pid") && (typeof message.pid === "object" ? message.pid.low || message.pid.high : message.pid !== 0))
                        writer.uint32(/* id 5, wireType 0 =*/40).int64(message.pid);
                    if (message.maxRecords != null && $Object.hasOwnProperty.call(message, "maxRecords") && message.maxRecords !== 0)
                        writer.uint32(/* id 6, wireType 0 =*/48).uint32(message.maxRecords);
                    if (message.maxBytes != null && $Object.hasOwnProperty.call(message, "maxBytes") && (typeof message.maxBytes === "object" ? message.maxBytes.low || message.maxBytes.high : message.maxBytes !== 0))
                        writer.uint32(/* id 7, wireType 0 =*/56).uint64(message.maxBytes);
                    if (message.lingerMs != null && $Object.hasOwnProperty.call(message, "lingerMs") && message.lingerMs !== 0)
                        writer.uint32(/* id 8, wireType 0 =*/64).uint32(message.lingerMs);
                    if (message.batchCredit != null && $Object.hasOwnProperty.call(message, "batchCredit") && message.batchCredit !== 0)
                        writer.uint32(/* id 9, wireType 0 =*/72).uint32(message.batchCredit);
                    if (message.maxFrameBytes != null && $Object.hasOwnProperty.call(message, "maxFrameBytes") && (typeof message.maxFrameBytes === "object" ? message.maxFrameBytes.low || message.maxFrameBytes.high : message.maxFrameBytes !== 0))
                        writer.uint32(/* id 10, wireType 0 =*/80).uint64(message.maxFrameBytes);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a ProcessHello message from the specified reader or buffer.
                 * @function decode
                 * @memberof millrace.processor.v1.ProcessHello
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {millrace.processor.v1.ProcessHello & millrace.processor.v1.ProcessHello.$Shape} ProcessHello
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                ProcessHello.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.millrace.processor.v1.ProcessHello();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.minVersion = value;
                                else
                                    delete message.minVersion;
                                continue;
                            }
                        case 2: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.maxVersion = value;
                                else
                                    delete message.maxVersion;
                                continue;
                            }
                        case 3: {
                                if (wireType !== 2)
                                    break;
                                if (!(message.capabilities && message.capabilities.length))
                                    message.capabilities = [];
                                message.capabilities.push(reader.stringVerify());
                                continue;
                            }
                        case 4: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.sdk = value;
                                else
                                    delete message.sdk;
                                continue;
                            }
                        case 5: {
                                if (wireType !== 0)
                                    break;
                                if (typeof (value = reader.int64()) === "object" ? value.low || value.high : value !== 0)
                                    message.pid = value;
                                else
                                    delete message.pid;
                                continue;
                            }
                        case 6: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.maxRecords = value;
                                else
                                    delete message.maxRecords;
                                continue;
                            }
                        case 7: {
                                if (wireType !== 0)
                                    break;
                                if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                    message.maxBytes = value;
                                else
                                    delete message.maxBytes;
                                continue;
                            }
                        case 8: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.lingerMs = value;
                                else
                                    delete message.lingerMs;
                                continue;
                            }
                        case 9: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.batchCredit = value;
                                else
                                    delete message.batchCredit;
                                continue;
                            }
                        case 10: {
                                if (wireType !== 0)
                                    break;
                                if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                    message.maxFrameBytes = value;
                                else
                                    delete message.maxFrameBytes;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return ProcessHello;
            })();

            v1.WorkerHello = (function() {

                /**
                 * Properties of a WorkerHello.
                 * @typedef {Object} millrace.processor.v1.WorkerHello.$Properties
                 * @property {number} [version] WorkerHello version
                 * @property {Array.<string>} [capabilities] WorkerHello capabilities
                 * @property {string} [ordering] WorkerHello ordering
                 * @property {string} [topic] WorkerHello topic
                 * @property {string} [group] WorkerHello group
                 * @property {string} [processor] WorkerHello processor
                 * @property {number} [maxRecords] WorkerHello maxRecords
                 * @property {number|Long} [maxBytes] WorkerHello maxBytes
                 * @property {number} [lingerMs] WorkerHello lingerMs
                 * @property {number|Long} [byteCredit] WorkerHello byteCredit
                 * @property {number|Long} [maxFrameBytes] WorkerHello maxFrameBytes
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a WorkerHello.
                 * @memberof millrace.processor.v1
                 * @interface IWorkerHello
                 * @augments millrace.processor.v1.WorkerHello.$Properties
                 * @deprecated Use millrace.processor.v1.WorkerHello.$Properties instead.
                 */

                /**
                 * Shape of a WorkerHello.
                 * @typedef {millrace.processor.v1.WorkerHello.$Properties} millrace.processor.v1.WorkerHello.$Shape
                 */

                /**
                 * Constructs a new WorkerHello.
                 * @memberof millrace.processor.v1
                 * @classdesc Represents a WorkerHello.
                 * @constructor
                 * @param {millrace.processor.v1.WorkerHello.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const WorkerHello = function (properties) {
                    this.capabilities = [];
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * WorkerHello version.
                 * @member {number} version
                 * @memberof millrace.processor.v1.WorkerHello
                 * @instance
                 */
                WorkerHello.prototype.version = 0;

                /**
                 * WorkerHello capabilities.
                 * @member {Array.<string>} capabilities
                 * @memberof millrace.processor.v1.WorkerHello
                 * @instance
                 */
                WorkerHello.prototype.capabilities = $util.emptyArray;

                /**
                 * WorkerHello ordering.
                 * @member {string} ordering
                 * @memberof millrace.processor.v1.WorkerHello
                 * @instance
                 */
                WorkerHello.prototype.ordering = "";

                /**
                 * WorkerHello topic.
                 * @member {string} topic
                 * @memberof millrace.processor.v1.WorkerHello
                 * @instance
                 */
                WorkerHello.prototype.topic = "";

                /**
                 * WorkerHello group.
                 * @member {string} group
                 * @memberof millrace.processor.v1.WorkerHello
                 * @instance
                 */
                WorkerHello.prototype.group = "";

                /**
                 * WorkerHello processor.
                 * @member {string} processor
                 * @memberof millrace.processor.v1.WorkerHello
                 * @instance
                 */
                WorkerHello.prototype.processor = "";

                /**
                 * WorkerHello maxRecords.
                 * @member {number} maxRecords
                 * @memberof millrace.processor.v1.WorkerHello
                 * @instance
                 */
                WorkerHello.prototype.maxRecords = 0;

                /**
                 * WorkerHello maxBytes.
                 * @member {number|Long} maxBytes
                 * @memberof millrace.processor.v1.WorkerHello
                 * @instance
                 */
                WorkerHello.prototype.maxBytes = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

                /**
                 * WorkerHello lingerMs.
                 * @member {number} lingerMs
                 * @memberof millrace.processor.v1.WorkerHello
                 * @instance
                 */
                WorkerHello.prototype.lingerMs = 0;

                /**
                 * WorkerHello byteCredit.
                 * @member {number|Long} byteCredit
                 * @memberof millrace.processor.v1.WorkerHello
                 * @instance
                 */
                WorkerHello.prototype.byteCredit = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

                /**
                 * WorkerHello maxFrameBytes.
                 * @member {number|Long} maxFrameBytes
                 * @memberof millrace.processor.v1.WorkerHello
                 * @instance
                 */
                WorkerHello.prototype.maxFrameBytes = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

                /**
                 * Encodes the specified WorkerHello message. Does not implicitly {@link millrace.processor.v1.WorkerHello.verify|verify} messages.
                 * @function encode
                 * @memberof millrace.processor.v1.WorkerHello
                 * @static
                 * @param {millrace.processor.v1.WorkerHello.$Properties} message WorkerHello message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                WorkerHello.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.version != null && $Object.hasOwnProperty.call(message, "version") && message.version !== 0)
                        writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.version);
                    if (message.capabilities != null && message.capabilities.length)
                        for (let i = 0; i < message.capabilities.length; ++i)
                            writer.uint32(/* id 2, wireType 2 =*/18).string(message.capabilities[i]);
                    if (message.ordering != null && $Object.hasOwnProperty.call(message, "ordering") && message.ordering !== "")
                        writer.uint32(/* id 3, wireType 2 =*/26).string(message.ordering);
                    if (message.topic != null && $Object.hasOwnProperty.call(message, "topic") && message.topic !== "")
                        writer.uint32(/* id 4, wireType 2 =*/34).string(message.topic);
                    if (message.group != null && $Object.hasOwnProperty.call(message, "group") && message.group !== "")
                        writer.uint32(/* id 5, wireType 2 =*/42).string(message.group);
                    if (message.processor != null && $Object.hasOwnProperty.call(message, "processor") && message.processor !== "")
                        writer.uint32(/* id 6, wireType 2 =*/50).string(message.processor);
                    if (message.maxRecords != null && $Object.hasOwnProperty.call(message, "maxRecords") && message.maxRecords !== 0)
                        writer.uint32(/* id 7, wireType 0 =*/56).uint32(message.maxRecords);
                    if (message.maxBytes != null && $Object.hasOwnProperty.call(message, "maxBytes") && (typeof message.maxBytes === "object" ? message.maxBytes.low || message.maxBytes.high : message.maxBytes !== 0))
                        writer.uint32(/* id 8, wireType 0 =*/64).uint64(message.maxBytes);
                    if (message.lingerMs != null && $Object.hasOwnProperty.call(message, "lingerMs") && message.lingerMs !== 0)
                        writer.uint32(/* id 9, wireType 0 =*/72).uint32(message.lingerMs);
                    if (message.byteCredit != null && $Object.hasOwnProperty.call(message, "byteCredit") && (typeof message.byteCredit === "object" ? message.byteCredit.low || message.byteCredit.high : message.byteCredit !== 0))
                        writer.uint32(/* id 10, wireType 0 =*/80).uint64(message.byteCredit);
                    if (message.maxFrameBytes != null && $Object.hasOwnProperty.call(message, "maxFrameBytes") && (typeof message.maxFrameBytes === "object" ? message.maxFrameBytes.low || message.maxFrameBytes.high : message.maxFrameBytes !== 0))
                        writer.uint32(/* id 11, wireType 0 =*/88).uint64(message.maxFrameBytes);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a WorkerHello message from the specified reader or buffer.
                 * @function decode
                 * @memberof millrace.processor.v1.WorkerHello
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {millrace.processor.v1.WorkerHello & millrace.processor.v1.WorkerHello.$Shape} WorkerHello
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                WorkerHello.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.millrace.processor.v1.WorkerHello();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.version = value;
                                else
                                    delete message.version;
                                continue;
                            }
                        case 2: {
                                if (wireType !== 2)
                                    break;
                                if (!(message.capabilities && message.capabilities.length))
                                    message.capabilities = [];
                                message.capabilities.push(reader.stringVerify());
                                continue;
                            }
                        case 3: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.ordering = value;
                                else
                                    delete message.ordering;
                                continue;
                            }
                        case 4: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.topic = value;
                                else
                                    delete message.topic;
                                continue;
                            }
                        case 5: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.group = value;
                                else
                                    delete message.group;
                                continue;
                            }
                        case 6: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.processor = value;
                                else
                                    delete message.processor;
                                continue;
                            }
                        case 7: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.maxRecords = value;
                                else
                                    delete message.maxRecords;
                                continue;
                            }
                        case 8: {
                                if (wireType !== 0)
                                    break;
                                if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                    message.maxBytes = value;
                                else
                                    delete message.maxBytes;
                                continue;
                            }
                        case 9: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.lingerMs = value;
                                else
                                    delete message.lingerMs;
                                continue;
                            }
                        case 10: {
                                if (wireType !== 0)
                                    break;
                                if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                    message.byteCredit = value;
                                else
                                    delete message.byteCredit;
                                continue;
                            }
                        case 11: {
                                if (wireType !== 0)
                                    break;
                                if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                    message.maxFrameBytes = value;
                                else
                                    delete message.maxFrameBytes;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return WorkerHello;
            })();

            v1.Batch = (function() {

                /**
                 * Properties of a Batch.
                 * @typedef {Object} millrace.processor.v1.Batch.$Properties
                 * @property {number|Long} [id] Batch id
                 * @property {string} [topic] Batch topic
                 * @property {number} [timeoutMs] Batch timeoutMs
                 * @property {Array.<millrace.processor.v1.Record.$Properties>} [records] Batch records
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a Batch.
                 * @memberof millrace.processor.v1
                 * @interface IBatch
                 * @augments millrace.processor.v1.Batch.$Properties
                 * @deprecated Use millrace.processor.v1.Batch.$Properties instead.
                 */

                /**
                 * Shape of a Batch.
                 * @typedef {millrace.processor.v1.Batch.$Properties} millrace.processor.v1.Batch.$Shape
                 */

                /**
                 * Constructs a new Batch.
                 * @memberof millrace.processor.v1
                 * @classdesc Represents a Batch.
                 * @constructor
                 * @param {millrace.processor.v1.Batch.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const Batch = function (properties) {
                    this.records = [];
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * Batch id.
                 * @member {number|Long} id
                 * @memberof millrace.processor.v1.Batch
                 * @instance
                 */
                Batch.prototype.id = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

                /**
                 * Batch topic.
                 * @member {string} topic
                 * @memberof millrace.processor.v1.Batch
                 * @instance
                 */
                Batch.prototype.topic = "";

                /**
                 * Batch timeoutMs.
                 * @member {number} timeoutMs
                 * @memberof millrace.processor.v1.Batch
                 * @instance
                 */
                Batch.prototype.timeoutMs = 0;

                /**
                 * Batch records.
                 * @member {Array.<millrace.processor.v1.Record>} records
                 * @memberof millrace.processor.v1.Batch
                 * @instance
                 */
                Batch.prototype.records = $util.emptyArray;

                /**
                 * Encodes the specified Batch message. Does not implicitly {@link millrace.processor.v1.Batch.verify|verify} messages.
                 * @function encode
                 * @memberof millrace.processor.v1.Batch
                 * @static
                 * @param {millrace.processor.v1.Batch.$Properties} message Batch message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                Batch.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.id != null && $Object.hasOwnProperty.call(message, "id") && (typeof message.id === "object" ? message.id.low || message.id.high : message.id !== 0))
                        writer.uint32(/* id 1, wireType 0 =*/8).uint64(message.id);
                    if (message.topic != null && $Object.hasOwnProperty.call(message, "topic") && message.topic !== "")
                        writer.uint32(/* id 2, wireType 2 =*/18).string(message.topic);
                    if (message.timeoutMs != null && $Object.hasOwnProperty.call(message, "timeoutMs") && message.timeoutMs !== 0)
                        writer.uint32(/* id 3, wireType 0 =*/24).uint32(message.timeoutMs);
                    if (message.records != null && message.records.length)
                        for (let i = 0; i < message.records.length; ++i)
                            $root.millrace.processor.v1.Record.encode(message.records[i], writer.uint32(/* id 4, wireType 2 =*/34).fork(), _depth + 1).ldelim();
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a Batch message from the specified reader or buffer.
                 * @function decode
                 * @memberof millrace.processor.v1.Batch
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {millrace.processor.v1.Batch & millrace.processor.v1.Batch.$Shape} Batch
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                Batch.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.millrace.processor.v1.Batch();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 0)
                                    break;
                                if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                    message.id = value;
                                else
                                    delete message.id;
                                continue;
                            }
                        case 2: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.topic = value;
                                else
                                    delete message.topic;
                                continue;
                            }
                        case 3: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.timeoutMs = value;
                                else
                                    delete message.timeoutMs;
                                continue;
                            }
                        case 4: {
                                if (wireType !== 2)
                                    break;
                                if (!(message.records && message.records.length))
                                    message.records = [];
                                message.records.push($root.millrace.processor.v1.Record.decode(reader, reader.size(), $undefined, _depth + 1));
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return Batch;
            })();

            v1.Record = (function() {

                /**
                 * Properties of a Record.
                 * @typedef {Object} millrace.processor.v1.Record.$Properties
                 * @property {number} [partition] Record partition
                 * @property {number|Long} [offset] Record offset
                 * @property {number|Long|null} [timestampMs] Record timestampMs
                 * @property {Uint8Array|null} [key] Record key
                 * @property {Uint8Array|null} [value] Record value
                 * @property {Array.<millrace.processor.v1.Header.$Properties>} [headers] Record headers
                 * @property {number} [attempt] Record attempt
                 * @property {string} [topic] Record topic
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a Record.
                 * @memberof millrace.processor.v1
                 * @interface IRecord
                 * @augments millrace.processor.v1.Record.$Properties
                 * @deprecated Use millrace.processor.v1.Record.$Properties instead.
                 */

                /**
                 * Shape of a Record.
                 * @typedef {millrace.processor.v1.Record.$Properties} millrace.processor.v1.Record.$Shape
                 */

                /**
                 * Constructs a new Record.
                 * @memberof millrace.processor.v1
                 * @classdesc Represents a Record.
                 * @constructor
                 * @param {millrace.processor.v1.Record.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const Record = function (properties) {
                    this.headers = [];
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * Record partition.
                 * @member {number} partition
                 * @memberof millrace.processor.v1.Record
                 * @instance
                 */
                Record.prototype.partition = 0;

                /**
                 * Record offset.
                 * @member {number|Long} offset
                 * @memberof millrace.processor.v1.Record
                 * @instance
                 */
                Record.prototype.offset = $util.Long ? $util.Long.fromBits(0,0,false) : 0;

                /**
                 * Record timestampMs.
                 * @member {number|Long|null} timestampMs
                 * @memberof millrace.processor.v1.Record
                 * @instance
                 */
                Record.prototype.timestampMs = null;

                /**
                 * Record key.
                 * @member {Uint8Array|null} key
                 * @memberof millrace.processor.v1.Record
                 * @instance
                 */
                Record.prototype.key = null;

                /**
                 * Record value.
                 * @member {Uint8Array|null} value
                 * @memberof millrace.processor.v1.Record
                 * @instance
                 */
                Record.prototype.value = null;

                /**
                 * Record headers.
                 * @member {Array.<millrace.processor.v1.Header>} headers
                 * @memberof millrace.processor.v1.Record
                 * @instance
                 */
                Record.prototype.headers = $util.emptyArray;

                /**
                 * Record attempt.
                 * @member {number} attempt
                 * @memberof millrace.processor.v1.Record
                 * @instance
                 */
                Record.prototype.attempt = 0;

                /**
                 * Record topic.
                 * @member {string} topic
                 * @memberof millrace.processor.v1.Record
                 * @instance
                 */
                Record.prototype.topic = "";

                // OneOf field names bound to virtual getters and setters
                let $oneOfFields;

                // Virtual OneOf for proto3 optional field
                $Object.defineProperty(Record.prototype, "_timestampMs", {
                    get: $util.oneOfGetter($oneOfFields = ["timestampMs"]),
                    set: $util.oneOfSetter($oneOfFields)
                });

                // Virtual OneOf for proto3 optional field
                $Object.defineProperty(Record.prototype, "_key", {
                    get: $util.oneOfGetter($oneOfFields = ["key"]),
                    set: $util.oneOfSetter($oneOfFields)
                });

                // Virtual OneOf for proto3 optional field
                $Object.defineProperty(Record.prototype, "_value", {
                    get: $util.oneOfGetter($oneOfFields = ["value"]),
                    set: $util.oneOfSetter($oneOfFields)
                });

                /**
                 * Encodes the specified Record message. Does not implicitly {@link millrace.processor.v1.Record.verify|verify} messages.
                 * @function encode
                 * @memberof millrace.processor.v1.Record
                 * @static
                 * @param {millrace.processor.v1.Record.$Properties} message Record message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                Record.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.partition != null && $Object.hasOwnProperty.call(message, "partition") && message.partition !== 0)
                        writer.uint32(/* id 1, wireType 0 =*/8).int32(message.partition);
                    if (message.offset != null && $Object.hasOwnProperty.call(message, "offset") && (typeof message.offset === "object" ? message.offset.low || message.offset.high : message.offset !== 0))
                        writer.uint32(/* id 2, wireType 0 =*/16).int64(message.offset);
                    if (message.timestampMs != null && $Object.hasOwnProperty.call(message, "timestampMs"))
                        writer.uint32(/* id 3, wireType 0 =*/24).int64(message.timestampMs);
                    if (message.key != null && $Object.hasOwnProperty.call(message, "key"))
                        writer.uint32(/* id 4, wireType 2 =*/34).bytes(message.key);
                    if (message.value != null && $Object.hasOwnProperty.call(message, "value"))
                        writer.uint32(/* id 5, wireType 2 =*/42).bytes(message.value);
                    if (message.headers != null && message.headers.length)
                        for (let i = 0; i < message.headers.length; ++i)
                            $root.millrace.processor.v1.Header.encode(message.headers[i], writer.uint32(/* id 6, wireType 2 =*/50).fork(), _depth + 1).ldelim();
                    if (message.attempt != null && $Object.hasOwnProperty.call(message, "attempt") && message.attempt !== 0)
                        writer.uint32(/* id 7, wireType 0 =*/56).uint32(message.attempt);
                    if (message.topic != null && $Object.hasOwnProperty.call(message, "topic") && message.topic !== "")
                        writer.uint32(/* id 8, wireType 2 =*/66).string(message.topic);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a Record message from the specified reader or buffer.
                 * @function decode
                 * @memberof millrace.processor.v1.Record
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {millrace.processor.v1.Record & millrace.processor.v1.Record.$Shape} Record
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                Record.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.millrace.processor.v1.Record();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.int32())
                                    message.partition = value;
                                else
                                    delete message.partition;
                                continue;
                            }
                        case 2: {
                                if (wireType !== 0)
                                    break;
                                if (typeof (value = reader.int64()) === "object" ? value.low || value.high : value !== 0)
                                    message.offset = value;
                                else
                                    delete message.offset;
                                continue;
                            }
                        case 3: {
                                if (wireType !== 0)
                                    break;
                                message.timestampMs = reader.int64();
                                message._timestampMs = "timestampMs";
                                continue;
                            }
                        case 4: {
                                if (wireType !== 2)
                                    break;
                                message.key = reader.bytes();
                                message._key = "key";
                                continue;
                            }
                        case 5: {
                                if (wireType !== 2)
                                    break;
                                message.value = reader.bytes();
                                message._value = "value";
                                continue;
                            }
                        case 6: {
                                if (wireType !== 2)
                                    break;
                                if (!(message.headers && message.headers.length))
                                    message.headers = [];
                                message.headers.push($root.millrace.processor.v1.Header.decode(reader, reader.size(), $undefined, _depth + 1));
                                continue;
                            }
                        case 7: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.attempt = value;
                                else
                                    delete message.attempt;
                                continue;
                            }
                        case 8: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.topic = value;
                                else
                                    delete message.topic;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return Record;
            })();

            v1.Header = (function() {

                /**
                 * Properties of a Header.
                 * @typedef {Object} millrace.processor.v1.Header.$Properties
                 * @property {Uint8Array} [name] Header name
                 * @property {Uint8Array|null} [value] Header value
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a Header.
                 * @memberof millrace.processor.v1
                 * @interface IHeader
                 * @augments millrace.processor.v1.Header.$Properties
                 * @deprecated Use millrace.processor.v1.Header.$Properties instead.
                 */

                /**
                 * Shape of a Header.
                 * @typedef {millrace.processor.v1.Header.$Properties} millrace.processor.v1.Header.$Shape
                 */

                /**
                 * Constructs a new Header.
                 * @memberof millrace.processor.v1
                 * @classdesc Represents a Header.
                 * @constructor
                 * @param {millrace.processor.v1.Header.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const Header = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * Header name.
                 * @member {Uint8Array} name
                 * @memberof millrace.processor.v1.Header
                 * @instance
                 */
                Header.prototype.name = $util.newBuffer([]);

                /**
                 * Header value.
                 * @member {Uint8Array|null} value
                 * @memberof millrace.processor.v1.Header
                 * @instance
                 */
                Header.prototype.value = null;

                // OneOf field names bound to virtual getters and setters
                let $oneOfFields;

                // Virtual OneOf for proto3 optional field
                $Object.defineProperty(Header.prototype, "_value", {
                    get: $util.oneOfGetter($oneOfFields = ["value"]),
                    set: $util.oneOfSetter($oneOfFields)
                });

                /**
                 * Encodes the specified Header message. Does not implicitly {@link millrace.processor.v1.Header.verify|verify} messages.
                 * @function encode
                 * @memberof millrace.processor.v1.Header
                 * @static
                 * @param {millrace.processor.v1.Header.$Properties} message Header message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                Header.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.name != null && $Object.hasOwnProperty.call(message, "name") && message.name.length)
                        writer.uint32(/* id 1, wireType 2 =*/10).bytes(message.name);
                    if (message.value != null && $Object.hasOwnProperty.call(message, "value"))
                        writer.uint32(/* id 2, wireType 2 =*/18).bytes(message.value);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a Header message from the specified reader or buffer.
                 * @function decode
                 * @memberof millrace.processor.v1.Header
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {millrace.processor.v1.Header & millrace.processor.v1.Header.$Shape} Header
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                Header.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.millrace.processor.v1.Header();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.bytes()).length)
                                    message.name = value;
                                else
                                    delete message.name;
                                continue;
                            }
                        case 2: {
                                if (wireType !== 2)
                                    break;
                                message.value = reader.bytes();
                                message._value = "value";
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return Header;
            })();

            v1.Results = (function() {

                /**
                 * Properties of a Results.
                 * @typedef {Object} millrace.processor.v1.Results.$Properties
                 * @property {number|Long} [batch] Results batch
                 * @property {Array.<millrace.processor.v1.Result.$Properties>} [results] Results results
                 * @property {millrace.processor.v1.Failure.$Properties} [failure] Results failure
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a Results.
                 * @memberof millrace.processor.v1
                 * @interface IResults
                 * @augments millrace.processor.v1.Results.$Properties
                 * @deprecated Use millrace.processor.v1.Results.$Properties instead.
                 */

                /**
                 * Shape of a Results.
                 * @typedef {millrace.processor.v1.Results.$Properties} millrace.processor.v1.Results.$Shape
                 */

                /**
                 * Constructs a new Results.
                 * @memberof millrace.processor.v1
                 * @classdesc Represents a Results.
                 * @constructor
                 * @param {millrace.processor.v1.Results.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const Results = function (properties) {
                    this.results = [];
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * Results batch.
                 * @member {number|Long} batch
                 * @memberof millrace.processor.v1.Results
                 * @instance
                 */
                Results.prototype.batch = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

                /**
                 * Results results.
                 * @member {Array.<millrace.processor.v1.Result>} results
                 * @memberof millrace.processor.v1.Results
                 * @instance
                 */
                Results.prototype.results = $util.emptyArray;

                /**
                 * Results failure.
                 * @member {millrace.processor.v1.Failure} failure
                 * @memberof millrace.processor.v1.Results
                 * @instance
                 */
                Results.prototype.failure = null;

                /**
                 * Encodes the specified Results message. Does not implicitly {@link millrace.processor.v1.Results.verify|verify} messages.
                 * @function encode
                 * @memberof millrace.processor.v1.Results
                 * @static
                 * @param {millrace.processor.v1.Results.$Properties} message Results message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                Results.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.batch != null && $Object.hasOwnProperty.call(message, "batch") && (typeof message.batch === "object" ? message.batch.low || message.batch.high : message.batch !== 0))
                        writer.uint32(/* id 1, wireType 0 =*/8).uint64(message.batch);
                    if (message.results != null && message.results.length)
                        for (let i = 0; i < message.results.length; ++i)
                            $root.millrace.processor.v1.Result.encode(message.results[i], writer.uint32(/* id 2, wireType 2 =*/18).fork(), _depth + 1).ldelim();
                    if (message.failure != null && $Object.hasOwnProperty.call(message, "failure"))
                        $root.millrace.processor.v1.Failure.encode(message.failure, writer.uint32(/* id 3, wireType 2 =*/26).fork(), _depth + 1).ldelim();
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a Results message from the specified reader or buffer.
                 * @function decode
                 * @memberof millrace.processor.v1.Results
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {millrace.processor.v1.Results & millrace.processor.v1.Results.$Shape} Results
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                Results.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.millrace.processor.v1.Results();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 0)
                                    break;
                                if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                    message.batch = value;
                                else
                                    delete message.batch;
                                continue;
                            }
                        case 2: {
                                if (wireType !== 2)
                                    break;
                                if (!(message.results && message.results.length))
                                    message.results = [];
                                message.results.push($root.millrace.processor.v1.Result.decode(reader, reader.size(), $undefined, _depth + 1));
                                continue;
                            }
                        case 3: {
                                if (wireType !== 2)
                                    break;
                                message.failure = $root.millrace.processor.v1.Failure.decode(reader, reader.size(), $undefined, _depth + 1, message.failure);
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return Results;
            })();

            v1.Result = (function() {

                /**
                 * Properties of a Result.
                 * @typedef {Object} millrace.processor.v1.Result.$Properties
                 * @property {number} [index] Result index
                 * @property {Array.<millrace.processor.v1.Output.$Properties>} [outputs] Result outputs
                 * @property {millrace.processor.v1.Failure.$Properties} [failure] Result failure
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a Result.
                 * @memberof millrace.processor.v1
                 * @interface IResult
                 * @augments millrace.processor.v1.Result.$Properties
                 * @deprecated Use millrace.processor.v1.Result.$Properties instead.
                 */

                /**
                 * Shape of a Result.
                 * @typedef {millrace.processor.v1.Result.$Properties} millrace.processor.v1.Result.$Shape
                 */

                /**
                 * Constructs a new Result.
                 * @memberof millrace.processor.v1
                 * @classdesc Represents a Result.
                 * @constructor
                 * @param {millrace.processor.v1.Result.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const Result = function (properties) {
                    this.outputs = [];
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * Result index.
                 * @member {number} index
                 * @memberof millrace.processor.v1.Result
                 * @instance
                 */
                Result.prototype.index = 0;

                /**
                 * Result outputs.
                 * @member {Array.<millrace.processor.v1.Output>} outputs
                 * @memberof millrace.processor.v1.Result
                 * @instance
                 */
                Result.prototype.outputs = $util.emptyArray;

                /**
                 * Result failure.
                 * @member {millrace.processor.v1.Failure} failure
                 * @memberof millrace.processor.v1.Result
                 * @instance
                 */
                Result.prototype.failure = null;

                /**
                 * Encodes the specified Result message. Does not implicitly {@link millrace.processor.v1.Result.verify|verify} messages.
                 * @function encode
                 * @memberof millrace.processor.v1.Result
                 * @static
                 * @param {millrace.processor.v1.Result.$Properties} message Result message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                Result.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.index != null && $Object.hasOwnProperty.call(message, "index") && message.index !== 0)
                        writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.index);
                    if (message.outputs != null && message.outputs.length)
                        for (let i = 0; i < message.outputs.length; ++i)
                            $root.millrace.processor.v1.Output.encode(message.outputs[i], writer.uint32(/* id 2, wireType 2 =*/18).fork(), _depth + 1).ldelim();
                    if (message.failure != null && $Object.hasOwnProperty.call(message, "failure"))
                        $root.millrace.processor.v1.Failure.encode(message.failure, writer.uint32(/* id 3, wireType 2 =*/26).fork(), _depth + 1).ldelim();
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a Result message from the specified reader or buffer.
                 * @function decode
                 * @memberof millrace.processor.v1.Result
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {millrace.processor.v1.Result & millrace.processor.v1.Result.$Shape} Result
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                Result.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.millrace.processor.v1.Result();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.index = value;
                                else
                                    delete message.index;
                                continue;
                            }
                        case 2: {
                                if (wireType !== 2)
                                    break;
                                if (!(message.outputs && message.outputs.length))
                                    message.outputs = [];
                                message.outputs.push($root.millrace.processor.v1.Output.decode(reader, reader.size(), $undefined, _depth + 1));
                                continue;
                            }
                        case 3: {
                                if (wireType !== 2)
                                    break;
                                message.failure = $root.millrace.processor.v1.Failure.decode(reader, reader.size(), $undefined, _depth + 1, message.failure);
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return Result;
            })();

            v1.Output = (function() {

                /**
                 * Properties of an Output.
                 * @typedef {Object} millrace.processor.v1.Output.$Properties
                 * @property {Uint8Array|null} [value] Output value
                 * @property {Uint8Array|null} [key] Output key
                 * @property {Array.<millrace.processor.v1.Header.$Properties>} [headers] Output headers
                 * @property {string} [topic] Output topic
                 * @property {number|Long|null} [timestampMs] Output timestampMs
                 * @property {boolean} [sameKey] Output sameKey
                 * @property {boolean} [sameValue] Output sameValue
                 * @property {boolean} [sameHeaders] Output sameHeaders
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of an Output.
                 * @memberof millrace.processor.v1
                 * @interface IOutput
                 * @augments millrace.processor.v1.Output.$Properties
                 * @deprecated Use millrace.processor.v1.Output.$Properties instead.
                 */

                /**
                 * Shape of an Output.
                 * @typedef {millrace.processor.v1.Output.$Properties} millrace.processor.v1.Output.$Shape
                 */

                /**
                 * Constructs a new Output.
                 * @memberof millrace.processor.v1
                 * @classdesc Represents an Output.
                 * @constructor
                 * @param {millrace.processor.v1.Output.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const Output = function (properties) {
                    this.headers = [];
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * Output value.
                 * @member {Uint8Array|null} value
                 * @memberof millrace.processor.v1.Output
                 * @instance
                 */
                Output.prototype.value = null;

                /**
                 * Output key.
                 * @member {Uint8Array|null} key
                 * @memberof millrace.processor.v1.Output
                 * @instance
                 */
                Output.prototype.key = null;

                /**
                 * Output headers.
                 * @member {Array.<millrace.processor.v1.Header>} headers
                 * @memberof millrace.processor.v1.Output
                 * @instance
                 */
                Output.prototype.headers = $util.emptyArray;

                /**
                 * Output topic.
                 * @member {string} topic
                 * @memberof millrace.processor.v1.Output
                 * @instance
                 */
                Output.prototype.topic = "";

                /**
                 * Output timestampMs.
                 * @member {number|Long|null} timestampMs
                 * @memberof millrace.processor.v1.Output
                 * @instance
                 */
                Output.prototype.timestampMs = null;

                /**
                 * Output sameKey.
                 * @member {boolean} sameKey
                 * @memberof millrace.processor.v1.Output
                 * @instance
                 */
                Output.prototype.sameKey = false;

                /**
                 * Output sameValue.
                 * @member {boolean} sameValue
                 * @memberof millrace.processor.v1.Output
                 * @instance
                 */
                Output.prototype.sameValue = false;

                /**
                 * Output sameHeaders.
                 * @member {boolean} sameHeaders
                 * @memberof millrace.processor.v1.Output
                 * @instance
                 */
                Output.prototype.sameHeaders = false;

                // OneOf field names bound to virtual getters and setters
                let $oneOfFields;

                // Virtual OneOf for proto3 optional field
                $Object.defineProperty(Output.prototype, "_value", {
                    get: $util.oneOfGetter($oneOfFields = ["value"]),
                    set: $util.oneOfSetter($oneOfFields)
                });

                // Virtual OneOf for proto3 optional field
                $Object.defineProperty(Output.prototype, "_key", {
                    get: $util.oneOfGetter($oneOfFields = ["key"]),
                    set: $util.oneOfSetter($oneOfFields)
                });

                // Virtual OneOf for proto3 optional field
                $Object.defineProperty(Output.prototype, "_timestampMs", {
                    get: $util.oneOfGetter($oneOfFields = ["timestampMs"]),
                    set: $util.oneOfSetter($oneOfFields)
                });

                /**
                 * Encodes the specified Output message. Does not implicitly {@link millrace.processor.v1.Output.verify|verify} messages.
                 * @function encode
                 * @memberof millrace.processor.v1.Output
                 * @static
                 * @param {millrace.processor.v1.Output.$Properties} message Output message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                Output.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.value != null && $Object.hasOwnProperty.call(message, "value"))
                        writer.uint32(/* id 1, wireType 2 =*/10).bytes(message.value);
                    if (message.key != null && $Object.hasOwnProperty.call(message, "key"))
                        writer.uint32(/* id 2, wireType 2 =*/18).bytes(message.key);
                    if (message.headers != null && message.headers.length)
                        for (let i = 0; i < message.headers.length; ++i)
                            $root.millrace.processor.v1.Header.encode(message.headers[i], writer.uint32(/* id 3, wireType 2 =*/26).fork(), _depth + 1).ldelim();
                    if (message.topic != null && $Object.hasOwnProperty.call(message, "topic") && message.topic !== "")
                        writer.uint32(/* id 4, wireType 2 =*/34).string(message.topic);
                    if (message.timestampMs != null && $Object.hasOwnProperty.call(message, "timestampMs"))
                        writer.uint32(/* id 5, wireType 0 =*/40).int64(message.timestampMs);
                    if (message.sameKey != null && $Object.hasOwnProperty.call(message, "sameKey") && message.sameKey !== false)
                        writer.uint32(/* id 6, wireType 0 =*/48).bool(message.sameKey);
                    if (message.sameValue != null && $Object.hasOwnProperty.call(message, "sameValue") && message.sameValue !== false)
                        writer.uint32(/* id 7, wireType 0 =*/56).bool(message.sameValue);
                    if (message.sameHeaders != null && $Object.hasOwnProperty.call(message, "sameHeaders") && message.sameHeaders !== false)
                        writer.uint32(/* id 8, wireType 0 =*/64).bool(message.sameHeaders);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes an Output message from the specified reader or buffer.
                 * @function decode
                 * @memberof millrace.processor.v1.Output
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {millrace.processor.v1.Output & millrace.processor.v1.Output.$Shape} Output
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                Output.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.millrace.processor.v1.Output();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 2)
                                    break;
                                message.value = reader.bytes();
                                message._value = "value";
                                continue;
                            }
                        case 2: {
                                if (wireType !== 2)
                                    break;
                                message.key = reader.bytes();
                                message._key = "key";
                                continue;
                            }
                        case 3: {
                                if (wireType !== 2)
                                    break;
                                if (!(message.headers && message.headers.length))
                                    message.headers = [];
                                message.headers.push($root.millrace.processor.v1.Header.decode(reader, reader.size(), $undefined, _depth + 1));
                                continue;
                            }
                        case 4: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.topic = value;
                                else
                                    delete message.topic;
                                continue;
                            }
                        case 5: {
                                if (wireType !== 0)
                                    break;
                                message.timestampMs = reader.int64();
                                message._timestampMs = "timestampMs";
                                continue;
                            }
                        case 6: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.bool())
                                    message.sameKey = value;
                                else
                                    delete message.sameKey;
                                continue;
                            }
                        case 7: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.bool())
                                    message.sameValue = value;
                                else
                                    delete message.sameValue;
                                continue;
                            }
                        case 8: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.bool())
                                    message.sameHeaders = value;
                                else
                                    delete message.sameHeaders;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return Output;
            })();

            v1.Failure = (function() {

                /**
                 * Properties of a Failure.
                 * @typedef {Object} millrace.processor.v1.Failure.$Properties
                 * @property {millrace.processor.v1.Failure.Kind} [kind] Failure kind
                 * @property {string} [message] Failure message
                 * @property {string} [detail] Failure detail
                 * @property {number} [retryAfterMs] Failure retryAfterMs
                 * @property {string} [deadLetterTopic] Failure deadLetterTopic
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a Failure.
                 * @memberof millrace.processor.v1
                 * @interface IFailure
                 * @augments millrace.processor.v1.Failure.$Properties
                 * @deprecated Use millrace.processor.v1.Failure.$Properties instead.
                 */

                /**
                 * Shape of a Failure.
                 * @typedef {millrace.processor.v1.Failure.$Properties} millrace.processor.v1.Failure.$Shape
                 */

                /**
                 * Constructs a new Failure.
                 * @memberof millrace.processor.v1
                 * @classdesc Represents a Failure.
                 * @constructor
                 * @param {millrace.processor.v1.Failure.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const Failure = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * Failure kind.
                 * @member {millrace.processor.v1.Failure.Kind} kind
                 * @memberof millrace.processor.v1.Failure
                 * @instance
                 */
                Failure.prototype.kind = 0;

                /**
                 * Failure message.
                 * @member {string} message
                 * @memberof millrace.processor.v1.Failure
                 * @instance
                 */
                Failure.prototype.message = "";

                /**
                 * Failure detail.
                 * @member {string} detail
                 * @memberof millrace.processor.v1.Failure
                 * @instance
                 */
                Failure.prototype.detail = "";

                /**
                 * Failure retryAfterMs.
                 * @member {number} retryAfterMs
                 * @memberof millrace.processor.v1.Failure
                 * @instance
                 */
                Failure.prototype.retryAfterMs = 0;

                /**
                 * Failure deadLetterTopic.
                 * @member {string} deadLetterTopic
                 * @memberof millrace.processor.v1.Failure
                 * @instance
                 */
                Failure.prototype.deadLetterTopic = "";

                /**
                 * Encodes the specified Failure message. Does not implicitly {@link millrace.processor.v1.Failure.verify|verify} messages.
                 * @function encode
                 * @memberof millrace.processor.v1.Failure
                 * @static
                 * @param {millrace.processor.v1.Failure.$Properties} message Failure message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                Failure.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.kind != null && $Object.hasOwnProperty.call(message, "kind") && message.kind !== 0)
                        writer.uint32(/* id 1, wireType 0 =*/8).int32(message.kind);
                    if (message.message != null && $Object.hasOwnProperty.call(message, "message") && message.message !== "")
                        writer.uint32(/* id 2, wireType 2 =*/18).string(message.message);
                    if (message.detail != null && $Object.hasOwnProperty.call(message, "detail") && message.detail !== "")
                        writer.uint32(/* id 3, wireType 2 =*/26).string(message.detail);
                    if (message.retryAfterMs != null && $Object.hasOwnProperty.call(message, "retryAfterMs") && message.retryAfterMs !== 0)
                        writer.uint32(/* id 4, wireType 0 =*/32).uint32(message.retryAfterMs);
                    if (message.deadLetterTopic != null && $Object.hasOwnProperty.call(message, "deadLetterTopic") && message.deadLetterTopic !== "")
                        writer.uint32(/* id 5, wireType 2 =*/42).string(message.deadLetterTopic);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a Failure message from the specified reader or buffer.
                 * @function decode
                 * @memberof millrace.processor.v1.Failure
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {millrace.processor.v1.Failure & millrace.processor.v1.Failure.$Shape} Failure
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                Failure.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.millrace.processor.v1.Failure();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.int32())
                                    message.kind = value;
                                else
                                    delete message.kind;
                                continue;
                            }
                        case 2: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.message = value;
                                else
                                    delete message.message;
                                continue;
                            }
                        case 3: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.detail = value;
                                else
                                    delete message.detail;
                                continue;
                            }
                        case 4: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.retryAfterMs = value;
                                else
                                    delete message.retryAfterMs;
                                continue;
                            }
                        case 5: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.deadLetterTopic = value;
                                else
                                    delete message.deadLetterTopic;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                /**
                 * Kind enum.
                 * @name millrace.processor.v1.Failure.Kind
                 * @enum {number}
                 * @property {number} RETRY=0 RETRY value
                 * @property {number} PERMANENT=1 PERMANENT value
                 * @property {number} DROP=2 DROP value
                 * @property {number} DEAD_LETTER=3 DEAD_LETTER value
                 */
                Failure.Kind = (function() {
                    const valuesById = $Object.create(null), values = $Object.create(valuesById);
                    values[valuesById[0] = "RETRY"] = 0;
                    values[valuesById[1] = "PERMANENT"] = 1;
                    values[valuesById[2] = "DROP"] = 2;
                    values[valuesById[3] = "DEAD_LETTER"] = 3;
                    return values;
                })();

                return Failure;
            })();

            v1.BatchCredit = (function() {

                /**
                 * Properties of a BatchCredit.
                 * @typedef {Object} millrace.processor.v1.BatchCredit.$Properties
                 * @property {number} [batches] BatchCredit batches
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a BatchCredit.
                 * @memberof millrace.processor.v1
                 * @interface IBatchCredit
                 * @augments millrace.processor.v1.BatchCredit.$Properties
                 * @deprecated Use millrace.processor.v1.BatchCredit.$Properties instead.
                 */

                /**
                 * Shape of a BatchCredit.
                 * @typedef {millrace.processor.v1.BatchCredit.$Properties} millrace.processor.v1.BatchCredit.$Shape
                 */

                /**
                 * Constructs a new BatchCredit.
                 * @memberof millrace.processor.v1
                 * @classdesc Represents a BatchCredit.
                 * @constructor
                 * @param {millrace.processor.v1.BatchCredit.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const BatchCredit = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * BatchCredit batches.
                 * @member {number} batches
                 * @memberof millrace.processor.v1.BatchCredit
                 * @instance
                 */
                BatchCredit.prototype.batches = 0;

                /**
                 * Encodes the specified BatchCredit message. Does not implicitly {@link millrace.processor.v1.BatchCredit.verify|verify} messages.
                 * @function encode
                 * @memberof millrace.processor.v1.BatchCredit
                 * @static
                 * @param {millrace.processor.v1.BatchCredit.$Properties} message BatchCredit message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                BatchCredit.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.batches != null && $Object.hasOwnProperty.call(message, "batches") && message.batches !== 0)
                        writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.batches);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a BatchCredit message from the specified reader or buffer.
                 * @function decode
                 * @memberof millrace.processor.v1.BatchCredit
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {millrace.processor.v1.BatchCredit & millrace.processor.v1.BatchCredit.$Shape} BatchCredit
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                BatchCredit.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.millrace.processor.v1.BatchCredit();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.batches = value;
                                else
                                    delete message.batches;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return BatchCredit;
            })();

            v1.ByteCredit = (function() {

                /**
                 * Properties of a ByteCredit.
                 * @typedef {Object} millrace.processor.v1.ByteCredit.$Properties
                 * @property {number|Long} [bytes] ByteCredit bytes
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a ByteCredit.
                 * @memberof millrace.processor.v1
                 * @interface IByteCredit
                 * @augments millrace.processor.v1.ByteCredit.$Properties
                 * @deprecated Use millrace.processor.v1.ByteCredit.$Properties instead.
                 */

                /**
                 * Shape of a ByteCredit.
                 * @typedef {millrace.processor.v1.ByteCredit.$Properties} millrace.processor.v1.ByteCredit.$Shape
                 */

                /**
                 * Constructs a new ByteCredit.
                 * @memberof millrace.processor.v1
                 * @classdesc Represents a ByteCredit.
                 * @constructor
                 * @param {millrace.processor.v1.ByteCredit.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const ByteCredit = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * ByteCredit bytes.
                 * @member {number|Long} bytes
                 * @memberof millrace.processor.v1.ByteCredit
                 * @instance
                 */
                ByteCredit.prototype.bytes = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

                /**
                 * Encodes the specified ByteCredit message. Does not implicitly {@link millrace.processor.v1.ByteCredit.verify|verify} messages.
                 * @function encode
                 * @memberof millrace.processor.v1.ByteCredit
                 * @static
                 * @param {millrace.processor.v1.ByteCredit.$Properties} message ByteCredit message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                ByteCredit.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.bytes != null && $Object.hasOwnProperty.call(message, "bytes") && (typeof message.bytes === "object" ? message.bytes.low || message.bytes.high : message.bytes !== 0))
                        writer.uint32(/* id 1, wireType 0 =*/8).uint64(message.bytes);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a ByteCredit message from the specified reader or buffer.
                 * @function decode
                 * @memberof millrace.processor.v1.ByteCredit
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {millrace.processor.v1.ByteCredit & millrace.processor.v1.ByteCredit.$Shape} ByteCredit
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                ByteCredit.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.millrace.processor.v1.ByteCredit();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 0)
                                    break;
                                if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                    message.bytes = value;
                                else
                                    delete message.bytes;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return ByteCredit;
            })();

            v1.Ping = (function() {

                /**
                 * Properties of a Ping.
                 * @typedef {Object} millrace.processor.v1.Ping.$Properties
                 * @property {number|Long} [id] Ping id
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a Ping.
                 * @memberof millrace.processor.v1
                 * @interface IPing
                 * @augments millrace.processor.v1.Ping.$Properties
                 * @deprecated Use millrace.processor.v1.Ping.$Properties instead.
                 */

                /**
                 * Shape of a Ping.
                 * @typedef {millrace.processor.v1.Ping.$Properties} millrace.processor.v1.Ping.$Shape
                 */

                /**
                 * Constructs a new Ping.
                 * @memberof millrace.processor.v1
                 * @classdesc Represents a Ping.
                 * @constructor
                 * @param {millrace.processor.v1.Ping.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const Ping = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * Ping id.
                 * @member {number|Long} id
                 * @memberof millrace.processor.v1.Ping
                 * @instance
                 */
                Ping.prototype.id = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

                /**
                 * Encodes the specified Ping message. Does not implicitly {@link millrace.processor.v1.Ping.verify|verify} messages.
                 * @function encode
                 * @memberof millrace.processor.v1.Ping
                 * @static
                 * @param {millrace.processor.v1.Ping.$Properties} message Ping message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                Ping.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.id != null && $Object.hasOwnProperty.call(message, "id") && (typeof message.id === "object" ? message.id.low || message.id.high : message.id !== 0))
                        writer.uint32(/* id 1, wireType 0 =*/8).uint64(message.id);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a Ping message from the specified reader or buffer.
                 * @function decode
                 * @memberof millrace.processor.v1.Ping
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {millrace.processor.v1.Ping & millrace.processor.v1.Ping.$Shape} Ping
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                Ping.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.millrace.processor.v1.Ping();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 0)
                                    break;
                                if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                    message.id = value;
                                else
                                    delete message.id;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return Ping;
            })();

            v1.Pong = (function() {

                /**
                 * Properties of a Pong.
                 * @typedef {Object} millrace.processor.v1.Pong.$Properties
                 * @property {number|Long} [id] Pong id
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a Pong.
                 * @memberof millrace.processor.v1
                 * @interface IPong
                 * @augments millrace.processor.v1.Pong.$Properties
                 * @deprecated Use millrace.processor.v1.Pong.$Properties instead.
                 */

                /**
                 * Shape of a Pong.
                 * @typedef {millrace.processor.v1.Pong.$Properties} millrace.processor.v1.Pong.$Shape
                 */

                /**
                 * Constructs a new Pong.
                 * @memberof millrace.processor.v1
                 * @classdesc Represents a Pong.
                 * @constructor
                 * @param {millrace.processor.v1.Pong.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const Pong = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * Pong id.
                 * @member {number|Long} id
                 * @memberof millrace.processor.v1.Pong
                 * @instance
                 */
                Pong.prototype.id = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

                /**
                 * Encodes the specified Pong message. Does not implicitly {@link millrace.processor.v1.Pong.verify|verify} messages.
                 * @function encode
                 * @memberof millrace.processor.v1.Pong
                 * @static
                 * @param {millrace.processor.v1.Pong.$Properties} message Pong message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                Pong.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.id != null && $Object.hasOwnProperty.call(message, "id") && (typeof message.id === "object" ? message.id.low || message.id.high : message.id !== 0))
                        writer.uint32(/* id 1, wireType 0 =*/8).uint64(message.id);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a Pong message from the specified reader or buffer.
                 * @function decode
                 * @memberof millrace.processor.v1.Pong
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {millrace.processor.v1.Pong & millrace.processor.v1.Pong.$Shape} Pong
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                Pong.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.millrace.processor.v1.Pong();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 0)
                                    break;
                                if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                    message.id = value;
                                else
                                    delete message.id;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return Pong;
            })();

            v1.Drain = (function() {

                /**
                 * Properties of a Drain.
                 * @typedef {Object} millrace.processor.v1.Drain.$Properties
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a Drain.
                 * @memberof millrace.processor.v1
                 * @interface IDrain
                 * @augments millrace.processor.v1.Drain.$Properties
                 * @deprecated Use millrace.processor.v1.Drain.$Properties instead.
                 */

                /**
                 * Shape of a Drain.
                 * @typedef {millrace.processor.v1.Drain.$Properties} millrace.processor.v1.Drain.$Shape
                 */

                /**
                 * Constructs a new Drain.
                 * @memberof millrace.processor.v1
                 * @classdesc Represents a Drain.
                 * @constructor
                 * @param {millrace.processor.v1.Drain.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const Drain = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * Encodes the specified Drain message. Does not implicitly {@link millrace.processor.v1.Drain.verify|verify} messages.
                 * @function encode
                 * @memberof millrace.processor.v1.Drain
                 * @static
                 * @param {millrace.processor.v1.Drain.$Properties} message Drain message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                Drain.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a Drain message from the specified reader or buffer.
                 * @function decode
                 * @memberof millrace.processor.v1.Drain
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {millrace.processor.v1.Drain & millrace.processor.v1.Drain.$Shape} Drain
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                Drain.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.millrace.processor.v1.Drain();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        reader.skipType(tag & 7, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return Drain;
            })();

            v1.Drained = (function() {

                /**
                 * Properties of a Drained.
                 * @typedef {Object} millrace.processor.v1.Drained.$Properties
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a Drained.
                 * @memberof millrace.processor.v1
                 * @interface IDrained
                 * @augments millrace.processor.v1.Drained.$Properties
                 * @deprecated Use millrace.processor.v1.Drained.$Properties instead.
                 */

                /**
                 * Shape of a Drained.
                 * @typedef {millrace.processor.v1.Drained.$Properties} millrace.processor.v1.Drained.$Shape
                 */

                /**
                 * Constructs a new Drained.
                 * @memberof millrace.processor.v1
                 * @classdesc Represents a Drained.
                 * @constructor
                 * @param {millrace.processor.v1.Drained.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const Drained = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * Encodes the specified Drained message. Does not implicitly {@link millrace.processor.v1.Drained.verify|verify} messages.
                 * @function encode
                 * @memberof millrace.processor.v1.Drained
                 * @static
                 * @param {millrace.processor.v1.Drained.$Properties} message Drained message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                Drained.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a Drained message from the specified reader or buffer.
                 * @function decode
                 * @memberof millrace.processor.v1.Drained
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {millrace.processor.v1.Drained & millrace.processor.v1.Drained.$Shape} Drained
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                Drained.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.millrace.processor.v1.Drained();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        reader.skipType(tag & 7, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return Drained;
            })();

            v1.Close = (function() {

                /**
                 * Properties of a Close.
                 * @typedef {Object} millrace.processor.v1.Close.$Properties
                 * @property {string} [error] Close error
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a Close.
                 * @memberof millrace.processor.v1
                 * @interface IClose
                 * @augments millrace.processor.v1.Close.$Properties
                 * @deprecated Use millrace.processor.v1.Close.$Properties instead.
                 */

                /**
                 * Shape of a Close.
                 * @typedef {millrace.processor.v1.Close.$Properties} millrace.processor.v1.Close.$Shape
                 */

                /**
                 * Constructs a new Close.
                 * @memberof millrace.processor.v1
                 * @classdesc Represents a Close.
                 * @constructor
                 * @param {millrace.processor.v1.Close.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const Close = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * Close error.
                 * @member {string} error
                 * @memberof millrace.processor.v1.Close
                 * @instance
                 */
                Close.prototype.error = "";

                /**
                 * Encodes the specified Close message. Does not implicitly {@link millrace.processor.v1.Close.verify|verify} messages.
                 * @function encode
                 * @memberof millrace.processor.v1.Close
                 * @static
                 * @param {millrace.processor.v1.Close.$Properties} message Close message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                Close.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.error != null && $Object.hasOwnProperty.call(message, "error") && message.error !== "")
                        writer.uint32(/* id 1, wireType 2 =*/10).string(message.error);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a Close message from the specified reader or buffer.
                 * @function decode
                 * @memberof millrace.processor.v1.Close
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {millrace.processor.v1.Close & millrace.processor.v1.Close.$Shape} Close
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                Close.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.millrace.processor.v1.Close();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.error = value;
                                else
                                    delete message.error;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return Close;
            })();

            return v1;
        })();

        return processor;
    })();

    return millrace;
})();

export {
  $root as default
};
