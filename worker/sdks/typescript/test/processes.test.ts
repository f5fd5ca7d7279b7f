/** The processes of a program, and the one that looks after them. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';

import { silence, type Tidings, tieToSupervisor } from '#millrace/ties';

import { type Connection, message, soon, Worker } from './fake-worker.js';

/** Accepts and greets as many connections. */
async function greetAll(worker: Worker, count: number): Promise<Connection[]> {
  const connections = [];
  for (let i = 0; i < count; i++) {
    const connection = await worker.accept();
    await connection.greet();
    connections.push(connection);
  }
  return connections;
}

test('each process has a connection', async (t: TestContext) => {
  const worker = await Worker.listen(t);
  const program = worker.start('pid', 2);
  const connections = await greetAll(worker, 2);
  const pids = new Set<string>([String(program.process.pid)]);
  for (const connection of connections) {
    const [result] = await connection.ask([message('v')]);
    pids.add(String(result!.outputs[0]!.value));
  }
  assert.equal(pids.size, 3);
  for (const connection of connections) {
    connection.send({ close: {} });
  }
  assert.equal(await program.ended(), 0);
});

test('a process that ends is replaced, and the other goes on', async (t: TestContext) => {
  const worker = await Worker.listen(t);
  const program = worker.start('exit-0', 2);
  const [first, second] = await greetAll(worker, 2);
  first!.sendBatch([message('v')]);
  await first!.expectEnd();
  const [third] = await greetAll(worker, 1);
  assert.notEqual(third!.pid, first!.pid);
  second!.send({ ping: { id: 1 } });
  await second!.expect('pong');
  assert.match(program.log, /process \d has ended by exit code 0: starting it again in 0.5 s/);
});

test('a process in an endless loop is killed at the deadline of its batch', async (t: TestContext) => {
  const worker = await Worker.listen(t);
  const program = worker.start('loop', 1);
  const [connection] = await greetAll(worker, 1);
  await connection!.ask([message('fine')]);
  connection!.sendBatch([message('loop')], 2, 100);
  await connection!.expectEnd();
  await greetAll(worker, 1);
  assert.match(program.log, /has overrun the deadline of its batch, or of its end: killing it/);
  assert.match(program.log, /has ended by SIGKILL/);
});

test('a process that is frozen while it waits is replaced', async (t: TestContext) => {
  const worker = await Worker.listen(t);
  const program = worker.start('impatient', 2);
  const [first, second] = await greetAll(worker, 2);
  await second!.ask([message('now 0')]);
  process.kill(first!.pid, 'SIGSTOP');
  const [third] = await greetAll(worker, 1);
  await first!.expectEnd();
  assert.notEqual(third!.pid, first!.pid);
  await second!.ask([message('now 0')], 2);
  const frozen =
    /\(pid (\d+)\) is frozen: it waits for work, and has been silent for 2 s: killing it/g;
  assert.deepEqual(
    [...program.log.matchAll(frozen)].map(([, pid]) => Number(pid)),
    [first!.pid],
  );
});

test('a process whose event loop hangs while it waits is replaced', async (t: TestContext) => {
  const worker = await Worker.listen(t);
  const program = worker.start('impatient', 1);
  const [connection] = await greetAll(worker, 1);
  await connection!.ask([message('later 1000000')]);
  await connection!.expectEnd();
  await greetAll(worker, 1);
  assert.match(program.log, /is frozen: it waits for work/);
});

test('a process that has said that it waits says when it has work', async (t: TestContext) => {
  const { send } = process;
  const { beatMs } = silence;
  t.after(() => {
    process.send = send!;
    silence.beatMs = beatMs;
  });
  silence.beatMs = 1;
  let last: Tidings | undefined;
  let onBeat = () => {};
  process.send = (tidings: Tidings) => {
    last = tidings;
    onBeat();
    return true;
  };
  const ties = tieToSupervisor();
  ties.wait();
  for (let beats = 0; beats < 3; beats++) {
    await soon('a beat', new Promise<void>((resolve) => (onBeat = resolve)));
    assert.equal(last!.waits, true);
  }
  ties.expect(0);
  assert.equal(last!.waits, false);
});

test('a process that has lost its connection and does not end is killed', async (t: TestContext) => {
  const worker = await Worker.listen(t);
  const program = worker.start('never-exits', 1);
  const [connection] = await greetAll(worker, 1);
  await connection!.ask([message('v')]);
  connection!.socket.destroy();
  await greetAll(worker, 1);
  assert.match(program.log, /has ended by SIGKILL/);
});

test('a process that hangs in its end is killed', async (t: TestContext) => {
  const worker = await Worker.listen(t);
  const program = worker.start('never-closes', 1);
  const [connection] = await greetAll(worker, 1);
  await connection!.ask([message('v')]);
  connection!.send({ close: {} });
  assert.equal(await program.ended(), 0);
  assert.match(program.log, /has overrun the deadline of its batch, or of its end: killing it/);
});

test('a batch that takes its time is left alone', async (t: TestContext) => {
  const worker = await Worker.listen(t);
  worker.start('wait', 1);
  const [connection] = await greetAll(worker, 1);
  connection!.sendBatch([message('4500')], 1, 60_000);
  await connection!.results(1, 1);
});

test('a clock that is set costs no process', async (t: TestContext) => {
  const worker = await Worker.listen(t);
  worker.start('wait-with-other-clock', 1);
  const [connection] = await greetAll(worker, 1);
  connection!.sendBatch([message('2000')], 1, 60_000);
  await connection!.results(1, 1);
});

test('a program of which no process can start ends with an error', async (t: TestContext) => {
  const worker = await Worker.listen(t);
  const program = worker.start('setup-fails', 2);
  assert.equal(await program.ended(), 1);
  assert.match(program.log, /a process has ended, and none has ever connected/);
});

test('SIGTERM lets all processes answer', async (t: TestContext) => {
  const worker = await Worker.listen(t);
  const program = worker.start('until-sigterm', 2);
  const connections = await greetAll(worker, 2);
  for (const connection of connections) {
    connection.sendBatch([message('wait'), message('v')]);
    await connection.expect('results'); // of the second one
  }
  program.process.kill('SIGTERM');
  for (const connection of connections) {
    await connection.expect('results');
    await connection.expect('close');
    connection.socket.end();
  }
  assert.equal(await program.ended(), 0);
});

test('a second SIGTERM ends a program whose function never settles', async (t: TestContext) => {
  const worker = await Worker.listen(t);
  const program = worker.start('never', 1);
  const [connection] = await greetAll(worker, 1);
  connection!.sendBatch([message('never'), message('v')]);
  await connection!.expect('results');
  program.process.kill('SIGTERM');
  while (!program.log.includes('a signal has come')) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  program.process.kill('SIGTERM');
  await connection!.expectEnd();
  assert.equal(await program.ended(), 0);
});

test('the processes end without the one that looks after them', async (t: TestContext) => {
  const worker = await Worker.listen(t);
  const program = worker.start('echo', 2);
  const connections = await greetAll(worker, 2);
  program.process.kill('SIGKILL');
  for (const connection of connections) {
    await soon('the end of a process', connection.expectEnd());
  }
});
