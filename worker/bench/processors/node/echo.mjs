// Writes each value back.
import { run } from '../../../sdks/typescript/dist/index.js';

await run((record) => record.value);
