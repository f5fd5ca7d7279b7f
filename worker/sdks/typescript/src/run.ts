/** Runs a processor as the main of a program. */

import { lineOf } from './failure-message.js';
import * as log from './log.js';
import {
  definitionOf,
  type ProcessFunction,
  type Processor,
  start,
  wishesOf,
} from './processor.js';
import { Disconnected, Session } from './session.js';
import { supervise } from './supervisor.js';
import { FREE, type Ties, takeNumber, tieToSupervisor } from './ties.js';

let called = false;

/**
 * Runs a processor, or a function as one, until the worker closes or SIGTERM comes. Then it ends
 * the process, so nothing behind it is executed.
 *
 * What stands before it is executed in each of the MILLRACE_PROCESSES processes, and in the first
 * one, which looks after them. With MILLRACE_PROCESSES=0 this process is the only one, for a
 * debugger.
 */
export async function run<State>(target: ProcessFunction | Processor<State>): Promise<never> {
  if (called) {
    throw new Error('run was called before: a program has one processor');
  }
  const definition = definitionOf(target);
  const path = process.env.MILLRACE_SOCKET;
  if (!path) {
    throw new Error(
      'MILLRACE_SOCKET is not set: the worker sets it for the programs that it runs. Start this' +
        ' one by `millrace run --sidecar`, or test it with millrace/testing',
    );
  }
  const processes = numberOfProcesses();
  called = true;
  const number = takeNumber();
  log.configure(number);
  if (number !== undefined) {
    return await work(definition, path, tieToSupervisor());
  }
  if (processes === 0) {
    return await work(definition, path, FREE);
  }
  return await supervise(processes);
}

function numberOfProcesses(): number {
  const value = process.env.MILLRACE_PROCESSES ?? '1';
  if (!/^\d{1,4}$/.test(value)) {
    throw new Error(`MILLRACE_PROCESSES is ${value}: it has to be a number of processes`);
  }
  return Number(value);
}

async function work<State>(definition: Processor<State>, path: string, ties: Ties): Promise<never> {
  try {
    const started = await start(definition);
    const session = new Session(path, started, wishesOf(definition), ties);
    // Before this, SIGTERM ends the process at once: it has nothing in hand.
    process.on('SIGTERM', () => session.stop());
    // A terminal's Ctrl-C goes to the supervisor too, which lets the processes finish.
    process.on('SIGINT', () => (ties === FREE ? session.stop() : undefined));
    process.on('uncaughtExceptionMonitor', (error) => {
      if (process.listenerCount('uncaughtException') === 0) {
        session.crash(
          `the program ends because of an error outside of its function: ${lineOf(error)}`,
        );
      }
    });
    await session.work();
    await started.close();
    process.exit(0);
  } catch (error) {
    if (error instanceof Disconnected) {
      log.error(error.message);
    } else {
      log.error(
        `the processor has failed: ${lineOf(error)}`,
        error instanceof Error ? error.stack : '',
      );
    }
    process.exit(1);
  }
}
