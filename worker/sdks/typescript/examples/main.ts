/** Runs the example beside it. A test of access-log.ts imports that without running it. */

import { run } from 'millrace';

import { parse } from './access-log.js';

await run(parse);
