/** What a record has. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';

import { Malformed, Permanent } from 'millrace';
import { record } from 'millrace/testing';

import { readMessage } from '#millrace/worker-frame';

test('null is not empty', () => {
  const nothing = record(null);
  assert.deepEqual([nothing.key, nothing.value, nothing.timestamp], [null, null, null]);
  const empty = record('', { key: '', timestamp: 0 });
  assert.deepEqual([empty.key?.length, empty.value?.length, empty.timestamp], [0, 0, 0]);
});

test('an offset is exact', () => {
  for (const offset of [0n, 2n ** 53n + 1n, 2n ** 63n - 1n]) {
    assert.equal(record('v', { offset }).offset, offset);
  }
});

test('headers may repeat, and need not be text', () => {
  const bytes = Buffer.from([0xff, 0xfe]);
  const { headers } = record('v', {
    headers: [
      ['a', '1'],
      ['b', null],
      ['a', ''],
      [bytes, 'x'],
    ],
  });
  assert.deepEqual(
    headers.map(({ name, value }) => [name, value && String(value)]),
    [
      ['a', '1'],
      ['b', null],
      ['a', ''],
      ['\ufffd\ufffd', 'x'],
    ],
  );
  assert.deepEqual(headers[3]!.nameBytes, bytes);
});

test('a header is found by its name, the last one first', () => {
  const found = record('v', {
    headers: [
      ['a', '1'],
      ['b', null],
      ['a', '2'],
    ],
  });
  assert.equal(String(found.header('a')), '2');
  assert.equal(found.header('b'), null);
  assert.equal(found.header('c'), undefined);
});

test('text and JSON name the record that has none', () => {
  assert.equal(record('\ufeffgrün').text(), '\ufeffgrün');
  assert.deepEqual(record('{"a": [1]}').json(), { a: [1] });
  const place = { topic: 'orders', partition: 3, offset: 17 };
  const problems: [() => unknown, RegExp][] = [
    [() => record(null, place).text(), /^topic orders, partition 3, offset 17: the value is null/],
    [() => record(Buffer.from([0xff]), place).text(), /the value is not UTF-8/],
    [() => record('{', place).json(), /offset 17: the value is not JSON/],
    [() => record(null, place).json(), /the value is null, not JSON/],
  ];
  for (const [read, message] of problems) {
    assert.throws(read, (error) => {
      assert.ok(error instanceof Malformed && error instanceof Permanent);
      assert.match(error.message, message);
      return true;
    });
  }
  assert.equal(record('behind mistakes').text(), 'behind mistakes');
});

test('a record shows as its place', () => {
  assert.equal(inspect(record('v')), '<record of topic , partition 0, offset 0>');
});

test('what is no batch is refused as a whole', () => {
  const problems: [string, RegExp][] = [
    ['', /no message/],
    ['ff', /not Protobuf/],
    ['7a00', /no message/],
    ['1205', /beyond the end/],
    ['1203220130', /not Protobuf|beyond the end/], // a record with a tag and no number
    ['120422022aff', /not Protobuf|beyond the end/], // a value longer than its record
    ['120522033201ff', /not Protobuf|beyond the end/], // a header of half a tag
    ['120422020001', /number 0/],
  ];
  for (const [hex, message] of problems) {
    assert.throws(() => readMessage(Buffer.from(hex, 'hex')), message, hex);
  }
});

test('the last of several messages counts', () => {
  const batchAndDrain = Buffer.from('1204220228002a00', 'hex');
  assert.equal(readMessage(batchAndDrain).kind, 'drain');
});

test('the topic of a batch may stand behind its records', () => {
  const read = readMessage(Buffer.from('120722023801120174', 'hex'));
  assert.ok(read.kind === 'batch');
  assert.equal(read.batch.records[0]!.topic, 't');
});
