/** What functions may return and throw. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  DeadLetter,
  Drop,
  type InputRecord,
  Permanent,
  type ProcessFunction,
  processor,
  RetryAfter,
} from 'millrace';
import { type Failure, type Outcome, process, record } from 'millrace/testing';

const input = record('v', { key: 'k', headers: [['h', '1']], timestamp: 5 });

async function outcomeOf(result: unknown, one: InputRecord = input): Promise<Outcome> {
  const [outcome] = await process((() => result) as ProcessFunction, [one]);
  return outcome!;
}

async function failureOf(error: unknown): Promise<Failure> {
  const [outcome] = await process(() => {
    throw error;
  }, [input]);
  return outcome!.failure!;
}

/** Shows the outputs with text for bytes. */
function shown(outcome: Outcome): unknown {
  assert.equal(outcome.failure, undefined);
  const text = (bytes: Buffer | null) => bytes?.toString() ?? null;
  return outcome.outputs.map(({ value, key, headers, topic, timestamp }) => {
    const pairs = headers.map((header) => [header.name, text(header.value)]);
    return [text(value), text(key), pairs, topic, timestamp];
  });
}

test('nothing filters', async () => {
  for (const nothing of [null, undefined, []]) {
    const outcome = await outcomeOf(nothing);
    assert.ok(outcome.filtered && outcome.outputs.length === 0 && !outcome.failure);
  }
});

test('a value has the key, the headers and the time of its record', async () => {
  const rest = ['k', [['h', '1']], '', 5];
  assert.deepEqual(shown(await outcomeOf('text ü€😀')), [['text ü€😀', ...rest]]);
  assert.deepEqual(shown(await outcomeOf(Buffer.from('bytes'))), [['bytes', ...rest]]);
  assert.deepEqual(shown(await outcomeOf(new Uint8Array())), [['', ...rest]]);
  assert.deepEqual(shown(await outcomeOf('')), [['', ...rest]]);
  assert.deepEqual(shown(await outcomeOf(input)), [['v', ...rest]]);
  assert.deepEqual(shown(await outcomeOf(['a', input])), [
    ['a', ...rest],
    ['v', ...rest],
  ]);
});

test('a part that is left out is taken from the record', async () => {
  const headers = [['h', '1']];
  const cases: [object, unknown[]][] = [
    [{ value: null }, [null, 'k', headers, '', 5]],
    [{ key: null }, ['v', null, headers, '', 5]],
    [{ topic: 't', value: 'w' }, ['w', 'k', headers, 't', 5]],
    [{ json: { a: [1, 'ü'] } }, ['{"a":[1,"ü"]}', 'k', headers, '', 5]],
    [{ json: null }, ['null', 'k', headers, '', 5]],
    [{ headers: [] }, ['v', 'k', [], '', 5]],
    [
      { headers: [...input.headers, ['h', null], [Buffer.from('b'), '']] },
      [
        'v',
        'k',
        [
          ['h', '1'],
          ['h', null],
          ['b', ''],
        ],
        '',
        5,
      ],
    ],
    [{ headers: new Map([['m', 'n']]) }, ['v', 'k', [['m', 'n']], '', 5]],
    [{ timestamp: new Date(7) }, ['v', 'k', headers, '', 7]],
    [{ timestamp: -1 }, ['v', 'k', headers, '', -1]],
    [{ key: 'ü', value: new Uint8Array([0x61]) }, ['a', 'ü', headers, '', 5]],
  ];
  for (const [output, expected] of cases) {
    assert.deepEqual(shown(await outcomeOf(output)), [expected]);
  }
});

test('text of any length, and many outputs, are what they were', async () => {
  const part = (size: number, end: string) => 'x'.repeat(size) + end;
  const outputs = [];
  const expected = [];
  for (const size of [0, 1, 30, 31, 32, 33, 127, 128, 300, 20_000]) {
    for (const end of ['', 'ü', '€', '😀', '\ud800']) {
      const text = part(size, end);
      const bytes = Buffer.from(text).toString();
      outputs.push({
        key: text,
        value: text,
        topic: text || 't',
        headers: [[text, text]] as const,
        timestamp: size * 1e9,
      });
      expected.push([bytes, bytes, [[bytes, bytes]], bytes || 't', size * 1e9]);
    }
  }
  assert.deepEqual(shown(await outcomeOf(outputs)), expected);
});

test('a null value of the record stays null, and an empty one empty', async () => {
  assert.deepEqual(shown(await outcomeOf({ topic: 't' }, record(null))), [
    [null, null, [], 't', null],
  ]);
  assert.deepEqual(shown(await outcomeOf({ topic: 't' }, record('', { key: '' }))), [
    ['', '', [], 't', null],
  ]);
});

test('another record is written as it is', async () => {
  const other = record('w', {
    key: null,
    headers: [['o', null]],
    timestamp: 9,
    topic: 'elsewhere',
  });
  assert.deepEqual(shown(await outcomeOf(other)), [['w', null, [['o', null]], '', 9]]);
});

test('a mistake in a result fails its record, and says what is wrong', async () => {
  const cases: [unknown, RegExp][] = [
    [7, /the function returned a number: a result has to be null, a string/],
    [true, /returned a boolean/],
    [10n, /returned a bigint/],
    [new Date(), /returned a value of class Date without a part of an output/],
    [{}, /returned an object without a part/],
    [{ vlaue: 'v' }, /an output has no vlaue: its parts are value, json, key/],
    [{ value: undefined }, /the output's value is undefined: leave it out/],
    [{ key: undefined, value: 'v' }, /the output's key is undefined/],
    [{ value: 7 }, /the value is a number: it has to be a string, a Uint8Array or null/],
    [{ value: 'v', json: 1 }, /a value and json/],
    [{ json: () => 1 }, /the output's json is a function, which JSON does not have/],
    [{ json: { big: 1n } }, /BigInt/],
    [{ topic: 5 }, /the topic is a number/],
    [{ timestamp: 'now' }, /the timestamp is a string/],
    [{ timestamp: new Date('x') }, /the timestamp is NaN/],
    [{ timestamp: 0.5 }, /the timestamp is 0.5/],
    [{ headers: 'h' }, /the headers are a string/],
    [{ headers: [['h']] }, /a header is a value of class Array/],
    [{ headers: [[null, 'v']] }, /the header's name is null/],
    [[['nested']], /returned a value of class Array/],
    [['a', null], /returned null/],
    [[undefined], /returned undefined/],
  ];
  for (const [result, message] of cases) {
    const { failure } = await outcomeOf(result);
    assert.match(failure?.message ?? 'no failure', message);
    assert.equal(failure!.kind, 'RETRY');
  }
});

test('errors say what becomes of their record', async () => {
  const cases: [unknown, Partial<Failure>][] = [
    [new Error('e'), { kind: 'RETRY', message: 'Error: e' }],
    [new TypeError(''), { kind: 'RETRY', message: 'TypeError' }],
    [new Permanent('p'), { kind: 'PERMANENT', message: 'p' }],
    [new Permanent('', { cause: new Error('c') }), { kind: 'PERMANENT', message: 'Error: c' }],
    [new Drop('d'), { kind: 'DROP', message: 'd' }],
    [new RetryAfter(1500.5, 'r'), { kind: 'RETRY', message: 'r', retryAfterMs: 1501 }],
    [new RetryAfter(0), { kind: 'RETRY', message: 'the next attempt is in 0 ms', retryAfterMs: 1 }],
    [
      new DeadLetter('t', '', { cause: new Error('c') }),
      { kind: 'DEAD_LETTER', message: 'c', deadLetterTopic: 't' },
    ],
  ];
  for (const [error, expected] of cases) {
    const failure = await failureOf(error);
    for (const [name, value] of Object.entries(expected)) {
      assert.equal(failure[name as keyof Failure], value);
    }
  }
  assert.throws(() => new RetryAfter(-1), /0 to 4294967295 milliseconds/);
  assert.throws(() => new RetryAfter(Number.NaN), /milliseconds/);
  assert.throws(() => new DeadLetter(''), /needs a topic/);
});

test('anything may be thrown', async () => {
  const hostile = Object.defineProperty(new Error('h'), 'message', {
    get: () => {
      throw new Error('no message');
    },
  });
  const cases: [unknown, string][] = [
    [null, 'the function threw null'],
    [undefined, 'the function threw undefined'],
    ['a text', 'the function threw a text'],
    [{ a: 1 }, 'the function threw { a: 1 }'],
    [Symbol('s'), 'the function threw Symbol(s)'],
    [Object.create(null), 'the function threw [Object: null prototype] {}'],
    [hostile, 'the function threw an error that can not be described'],
  ];
  for (const [thrown, message] of cases) {
    assert.equal((await failureOf(thrown)).message, message);
  }
});

test('a message is one short line, and the detail has stack and cause', async () => {
  const cause = new RangeError('the cause');
  const { message, detail } = await failureOf(new Error('two\n lines', { cause }));
  assert.equal(message, 'Error: two lines');
  assert.match(detail, /results\.test\.js/);
  assert.match(detail, /RangeError: the cause/);
  assert.doesNotMatch(detail, /dist\/call\.js/);
  const long = await failureOf(new Permanent('ä'.repeat(10_000)));
  assert.equal(Buffer.byteLength(long.message), 1024);
  assert.ok(Buffer.byteLength(long.detail) <= 16 << 10);
  assert.equal((await failureOf(new Permanent('\ud800'))).message, '\ufffd');
});

test('an error fails its record alone', async () => {
  const outcomes = await process(
    (one) => {
      if (one.text() === 'bad') {
        throw new Error('a bad one');
      }
      return one;
    },
    [record('a'), record('bad'), record('b')],
  );
  assert.deepEqual(
    outcomes.map(({ failure }) => failure?.message),
    [undefined, 'Error: a bad one', undefined],
  );
});

test('a batch function has a result for each record', async () => {
  const records = [record('a'), record('b'), record('c')];
  const outcomes = await process(
    {
      processBatch: (batch) => batch.map((one) => (one.text() === 'b' ? new Permanent('no') : 'x')),
    },
    records,
  );
  assert.deepEqual(
    outcomes.map(({ failure }) => failure?.kind),
    [undefined, 'PERMANENT', undefined],
  );
  const mistakes: [unknown, RegExp][] = [
    [['a'], /returned 1 results for 3 records/],
    ['abc', /returned a string: it has to return a list/],
    [undefined, /returned undefined/],
  ];
  for (const [result, message] of mistakes) {
    for (const { failure } of await process(
      { processBatch: async () => result as never },
      records,
    )) {
      assert.match(failure!.message, message);
    }
  }
});

test('state is that of setup, and close ends it', async () => {
  const closed: number[] = [];
  const counting = processor({
    setup: async () => ({ count: 0 }),
    process: (_record, state) => String(++state.count),
    close: (state) => {
      closed.push(state.count);
    },
  });
  const outcomes = await process(counting, [record('a'), record('b')]);
  assert.deepEqual(
    outcomes.map(({ outputs }) => outputs[0]!.text()),
    ['1', '2'],
  );
  assert.deepEqual(closed, [2]);
});

test('an object of a class keeps its this', async () => {
  class Prefixer {
    readonly prefix = '> ';
    process(one: InputRecord): string {
      return this.prefix + one.text();
    }
  }
  const [outcome] = await process(new Prefixer(), [record('a')]);
  assert.equal(outcome!.outputs[0]!.text(), '> a');
});

test('a mistake in a processor is named', () => {
  const cases: [unknown, RegExp][] = [
    [{}, /one of the functions process and processBatch/],
    [{ process: () => null, processBatch: () => [] }, /one of the functions/],
    [{ process: () => null, setup: 5 }, /setup is a number/],
    [{ process: () => null, maxRecords: 0 }, /maxRecords is 0/],
    [{ process: () => null, lingerMs: 0.5 }, /lingerMs is 0.5/],
    [null, /the processor is null/],
  ];
  for (const [definition, message] of cases) {
    assert.throws(() => processor(definition as never), message);
  }
});

test('async functions overlap, other than on records whose order counts', async () => {
  const records = [
    record('a0', { key: 'a' }),
    record('a1', { key: 'a' }),
    record('b0', { key: 'b' }),
    record('n0'),
    record('n1'),
    record('p0', { key: 'a', partition: 1 }),
    record('a2', { key: 'a' }),
  ];
  const started = async (ordering: 'Unordered' | 'Key' | 'Partition') => {
    const events: string[] = [];
    await process(
      async (one) => {
        events.push(one.text());
        await new Promise((resolve) => setImmediate(resolve));
        events.push('.');
      },
      records,
      { ordering },
    );
    return events.join(' ').split(' .')[0];
  };
  assert.equal(await started('Unordered'), 'a0 a1 b0 n0 n1 p0 a2');
  assert.equal(await started('Key'), 'a0 b0 n0 n1 p0');
  assert.equal(await started('Partition'), 'a0 p0');
});

test('records of a key are in order, also if only some calls are async', async () => {
  const records = Array.from({ length: 50 }, (_, i) => record(String(i), { key: String(i % 3) }));
  const done: number[][] = [[], [], []];
  const outcomes = await process(
    (one) => {
      const number = Number(one.text());
      const finish = () => void done[number % 3]!.push(number);
      return number % 4 === 0
        ? new Promise((resolve) => setTimeout(resolve, 5)).then(finish)
        : finish();
    },
    records,
    { ordering: 'Key' },
  );
  assert.ok(outcomes.every(({ filtered }) => filtered));
  for (const numbers of done) {
    assert.deepEqual(
      numbers,
      [...numbers].sort((a, b) => a - b),
    );
  }
});

test('a rejection with nothing is a failure', async () => {
  for (const reason of [null, undefined]) {
    const [outcome] = await process(() => Promise.reject(reason), [input]);
    assert.equal(outcome!.failure!.message, `the function threw ${reason}`);
  }
});
