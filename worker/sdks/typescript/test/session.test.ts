/** What a process does on its connection. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';

import { message, Worker } from './fake-worker.js';

const REASONS: { [kind: number]: string } = { 0: 'RETRY', 1: 'PERMANENT' };

test('the Hello names the SDK and the wishes', async (t: TestContext) => {
  const worker = await Worker.listen(t);
  const program = worker.start('batch');
  const hello = await (await worker.accept()).greet();
  assert.match(hello.sdk, /^millrace-typescript \d/);
  assert.equal(Number(hello.pid), program.process.pid);
  assert.deepEqual([hello.minVersion, hello.maxVersion, hello.batchCredit], [1, 1, 2]);
  assert.deepEqual([hello.maxRecords, Number(hello.maxBytes), hello.lingerMs], [7, 1000, 20]);
});

test('a version that it does not speak is refused', async (t: TestContext) => {
  const worker = await Worker.listen(t);
  const [connection, program] = await worker.open('echo', { version: 2 });
  assert.equal(
    (await connection.expect('close')).error,
    'it has chosen version 2: this one speaks 1',
  );
  await connection.expectEnd();
  assert.equal(await program.ended(), 1);
  assert.match(program.log, /has broken the protocol: it has chosen version 2/);
});

test('a batch of 64-bit ids and offsets is answered', async (t: TestContext) => {
  const worker = await Worker.listen(t);
  const [connection] = await worker.open('echo');
  const id = 2 ** 52 + 1;
  assert.equal((await connection.ask([message('v')], id)).length, 1);
});

test('an async function runs on two batches at the same time', async (t: TestContext) => {
  const worker = await Worker.listen(t);
  const [connection] = await worker.open('together');
  connection.sendBatch([message('a'), message('b')], 1);
  connection.sendBatch([message('c')], 2);
  const answered = new Set<number>();
  while (answered.size < 2) {
    const received = await connection.receive();
    if (received?.results) {
      answered.add(Number(received.results.batch));
    }
  }
});

test('batches are answered in any order', async (t: TestContext) => {
  const worker = await Worker.listen(t);
  const [connection] = await worker.open('never');
  connection.sendBatch([message('never')], 1);
  connection.sendBatch([message('v')], 2);
  await connection.results(1, 2);
});

test('results of a long batch are sent between its records', async (t: TestContext) => {
  const worker = await Worker.listen(t);
  const [connection] = await worker.open('block');
  connection.sendBatch(['a', 'b', 'c', 'd', 'e', 'f'].map((value) => message(value)));
  const { results } = await connection.expect('results');
  assert.ok(results.length < 6, 'all results came together');
  // The process sees to its connection and to timers then, too.
  const rest = await connection.results(6 - results.length);
  assert.ok(Number(String(rest.at(-1)!.outputs[0]!.value)) > 0, 'the event loop has not turned');
});

test('results of fast async calls wait for no slow one', async (t: TestContext) => {
  const worker = await Worker.listen(t);
  const [connection] = await worker.open('never');
  connection.sendBatch([message('a'), message('never'), message('b')]);
  const { results } = await connection.expect('results');
  assert.deepEqual(
    results.map(({ index }) => index),
    [0, 2],
  );
});

test('whatever is thrown is a failed attempt', async (t: TestContext) => {
  const worker = await Worker.listen(t);
  const [connection] = await worker.open('throws');
  const things = ['null', 'undefined', 'text', 'number', 'symbol', 'error', 'hostile'];
  const results = await connection.ask(things.map((thing) => message(thing)));
  assert.deepEqual(
    results.map(({ failure }) => failure?.message),
    [
      'the function threw null',
      'the function threw undefined',
      'the function threw a text',
      'the function threw 7',
      'the function threw Symbol(s)',
      'Error: an error',
      'the function threw an error that can not be described',
    ],
  );
});

test('rejections with nothing are failed attempts', async (t: TestContext) => {
  const worker = await Worker.listen(t);
  const [connection] = await worker.open('rejects');
  const results = await connection.ask([message('null'), message('undefined')]);
  assert.deepEqual(
    results.map(({ failure }) => failure?.message),
    ['the function threw null', 'the function threw undefined'],
  );
});

test('results that are too large fail the batch, or the record that is alone', async (t: TestContext) => {
  const worker = await Worker.listen(t);
  const [connection] = await worker.open('large', { maxFrameBytes: 64 << 10 });
  connection.sendBatch([message('40000'), message('40000'), message('1')], 1);
  const whole = await connection.expect('results');
  assert.match(whole.failure!.message, /more than 65536 bytes/);
  assert.equal(REASONS[whole.failure!.kind], 'RETRY');
  await connection.expect('credit');
  // Longer than the longest buffer would be a waste.
  for (const [id, size] of [65_540, 100_000_000].entries()) {
    const [result] = await connection.ask([message(String(size))], id + 2);
    assert.equal(REASONS[result!.failure!.kind], 'PERMANENT');
  }
  const [fits] = await connection.ask([message('65000')], 9);
  assert.equal(fits!.outputs[0]!.value?.length, 65_000);
});

test('results wait for credit, and pings do not', async (t: TestContext) => {
  const worker = await Worker.listen(t);
  const [connection] = await worker.open('large', { byteCredit: 50_000 });
  connection.sendBatch([message('40000')], 1);
  connection.sendBatch([message('40000')], 2);
  connection.send({ drain: {} });
  await connection.results(1, 1);
  connection.send({ ping: { id: 1 } });
  await connection.expect('pong');
  connection.send({ credit: { bytes: 40_100 } });
  await connection.results(1, 2);
  await connection.expect('drained');
});

test('a worker that does not read holds up nothing else', async (t: TestContext) => {
  const worker = await Worker.listen(t);
  const limits = { maxFrameBytes: 64 << 20, byteCredit: 64 << 20 };
  const [connection, program] = await worker.open('large', limits);
  connection.socket.pause();
  connection.sendBatch([message('20000000')], 1);
  connection.sendBatch([message('20000000')], 2);
  connection.send({ close: {} });
  connection.socket.resume();
  for (const id of [1, 2]) {
    let bytes = 0;
    while (bytes === 0) {
      const received = await connection.receive();
      const results = received?.results;
      if (results && Number(results.batch) === id) {
        bytes = results.results[0]!.outputs[0]!.value!.length;
      }
    }
    assert.equal(bytes, 20_000_000);
  }
  assert.equal(await program.ended(), 0);
});

test('a Drain is answered when the batches before it are', async (t: TestContext) => {
  const worker = await Worker.listen(t);
  const [connection, program] = await worker.open('until-sigterm');
  connection.sendBatch([message('wait')], 1);
  connection.send({ drain: {} });
  connection.sendBatch([message('v')], 2);
  await connection.results(1, 2);
  program.process.kill('SIGTERM');
  assert.equal(Number((await connection.expect('results')).batch), 1);
  await connection.expect('drained');
});

test('SIGTERM with batches in hand: they are answered, then a Close', async (t: TestContext) => {
  const worker = await Worker.listen(t);
  const [connection, program] = await worker.open('until-sigterm');
  connection.sendBatch([message('wait'), message('v')], 1);
  await connection.expect('results'); // of the second one
  program.process.kill('SIGTERM');
  const { results } = await connection.expect('results');
  assert.equal(results[0]!.index, 0);
  assert.equal((await connection.expect('close')).error, '');
  connection.sendBatch([message('v')], 2); // it crosses the Close
  connection.socket.end();
  assert.equal(await program.ended(), 0);
});

test('SIGTERM before the Hello of the worker ends the program', async (t: TestContext) => {
  const worker = await Worker.listen(t);
  const program = worker.start('echo');
  const connection = await worker.accept();
  await connection.expect('hello');
  program.process.kill('SIGTERM');
  await connection.expect('close');
  connection.socket.end();
  assert.equal(await program.ended(), 0);
});

test('a Close with batches in hand: they are answered, and close is called', async (t: TestContext) => {
  const worker = await Worker.listen(t);
  const [connection, program] = await worker.open('state');
  connection.sendBatch([message('a'), message('b')]);
  connection.send({ close: {} });
  assert.equal((await connection.expect('results')).results.length, 2);
  await connection.expectEnd();
  assert.equal(await program.ended(), 0);
  assert.match(program.log, /closed after 2 calls/);
});

test('a worker that is gone ends the program with an error', async (t: TestContext) => {
  const worker = await Worker.listen(t);
  const [connection, program] = await worker.open('never');
  connection.sendBatch([message('never')]);
  connection.socket.destroy();
  assert.equal(await program.ended(), 1);
  assert.match(
    program.log,
    /the worker has closed the connection without a word|the connection to the worker broke/,
  );
});

test('an error outside of the function tells the worker why the process ends', async (t: TestContext) => {
  const cases = [
    ['floating-rejection', 'nobody waits for this'],
    ['uncaught-exception', 'outside of the function'],
  ] as const;
  for (const [name, reason] of cases) {
    const worker = await Worker.listen(t);
    const [connection, program] = await worker.open(name);
    connection.sendBatch([message('v')]);
    const { error } = await connection.expect('close');
    assert.match(
      error,
      new RegExp(`ends because of an error outside of its function: .*${reason}`),
    );
    assert.equal(await program.ended(), 1);
    assert.match(program.log, new RegExp(reason));
  }
});

test('a setup that fails ends the program with an error', async (t: TestContext) => {
  const worker = await Worker.listen(t);
  const program = worker.start('setup-fails');
  assert.equal(await program.ended(), 1);
  assert.match(program.log, /the processor has failed: Error: there is no model/);
});
