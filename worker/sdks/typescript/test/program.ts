/** Processors that tests run: `node program.js NAME`. */

import { setTimeout as sleep } from 'node:timers/promises';

import { type InputRecord, Permanent, type ProcessFunction, type Processor, run } from 'millrace';

import { ending, silence } from '#millrace/ties';

const never = new Promise<never>(() => {});

/** Calls that wait for others, and what ends their wait. */
const waiting: (() => void)[] = [];

/** Blocks the event loop for so many milliseconds. */
function block(milliseconds: number): void {
  const until = performance.now() + milliseconds;
  while (performance.now() < until) {}
}

/** How many turns the event loop has made, as far as a timer notices. */
let turns = 0;

const PROGRAMS: { [name: string]: ProcessFunction | Processor } = {
  echo: (record) => record,

  /** Waits as long as the value says. */
  wait: (record) => sleep(Number(record.text()), record),

  /** Waits until three calls run. */
  together: async (record) => {
    await new Promise<void>((resolve) => {
      waiting.push(resolve);
      if (waiting.length === 3) {
        for (const end of waiting) {
          end();
        }
      }
    });
    return record;
  },

  /** Waits until the process gets SIGTERM. */
  'until-sigterm': async (record) => {
    if (record.text() === 'wait') {
      await new Promise((resolve) => process.once('SIGTERM', resolve));
    }
    return record;
  },

  /** Throws what the value says. */
  throws: (record) => {
    const things: { [name: string]: unknown } = {
      null: null,
      undefined: undefined,
      text: 'a text',
      number: 7,
      symbol: Symbol('s'),
      error: new Error('an error'),
      hostile: Object.defineProperty(new Error('h'), 'message', {
        get: () => {
          throw new Error('no message');
        },
      }),
    };
    throw things[record.text()];
  },

  rejects: async (record) => {
    throw record.text() === 'null' ? null : undefined;
  },

  never: (record) => (record.text() === 'never' ? never : record),

  loop: (record) => {
    while (record.text() === 'loop') {}
    return record;
  },

  /** Blocks for 30 ms, and returns how often the event loop has turned before. */
  block: {
    setup: () => {
      setInterval(() => turns++, 1);
    },
    process: () => {
      block(30);
      return String(turns);
    },
  },

  /** Blocks as long as the value says: at once, or when it has answered. */
  impatient: (record) => {
    const [when, milliseconds] = record.text().split(' ');
    if (when === 'later') {
      setTimeout(() => block(Number(milliseconds)), 500);
    } else {
      block(Number(milliseconds));
    }
    return record;
  },

  /** Blocks for ever when the process ends. */
  'never-exits': {
    setup: () => {
      process.on('exit', () => block(Number.POSITIVE_INFINITY));
    },
    process: (record: InputRecord) => record,
  } as Processor,

  'never-closes': {
    setup: () => {},
    process: (record: InputRecord) => record,
    close: () => never,
  } as Processor,

  'exit-0': () => process.exit(0),

  'floating-rejection': (record) => {
    Promise.reject(new Error('nobody waits for this'));
    return sleep(100_000, record);
  },

  'uncaught-exception': (record) => {
    setImmediate(() => {
      throw new Error('outside of the function');
    });
    return sleep(100_000, record);
  },

  large: (record) => 'x'.repeat(Number(record.text())),

  /** Has a state, and timers that would keep the process alive. */
  state: {
    setup: async () => {
      setInterval(() => {}, 1000);
      return { calls: 0 };
    },
    process: (_record: InputRecord, state: { calls: number }) => String(++state.calls),
    close: async (state: { calls: number }) => {
      process.stderr.write(`closed after ${state.calls} calls\n`);
    },
  } as Processor,

  'setup-fails': {
    setup: () => {
      throw new Error('there is no model');
    },
    process: () => null,
  },

  batch: {
    maxRecords: 7,
    maxBytes: 1000,
    lingerMs: 20,
    processBatch: (records) =>
      records.map((record) => (record.text() === 'bad' ? new Permanent('a bad one') : record)),
  },

  pid: () => String(process.pid),

  /** Waits as long as the value says, and its clock is an hour behind. */
  'wait-with-other-clock': {
    setup: () => {
      const { now } = Date;
      Date.now = () => now() - 3_600_000;
    },
    process: (record) => sleep(Number(record.text()), record),
  },
};

if (process.argv[2] === 'impatient') {
  // In the process that looks after the others too.
  silence.beatMs = 100;
  silence.longestMs = 2000;
}
if (process.argv[2] === 'never-closes') {
  ending.longestMs = 500;
}
await run(PROGRAMS[process.argv[2]!]!);
