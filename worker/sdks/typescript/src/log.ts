/** Writes what this package has to say to standard error, each message in one line. */

const FORMAT_VARIABLE = 'MILLRACE_LOG_FORMAT';

type Level = 'INFO' | 'WARN' | 'ERROR';

let processNumber: number | undefined;
let json = false;

/** Reads the format from the environment. number is that of this process, which goes into each line. */
export function configure(number?: number): void {
  const format = process.env[FORMAT_VARIABLE] || 'text';
  if (format !== 'text' && format !== 'json') {
    throw new Error(`${FORMAT_VARIABLE} is ${format}: it has to be text or json`);
  }
  json = format === 'json';
  processNumber = number;
}

export function info(message: string): void {
  write('INFO', message);
}

export function warn(message: string): void {
  write('WARN', message);
}

/** detail is a stack trace, or the like. */
export function error(message: string, detail = ''): void {
  write('ERROR', message, detail);
}

function write(level: Level, msg: string, err = ''): void {
  const time = new Date().toISOString();
  process.stderr.write(`${json ? jsonLine() : textLine()}\n`);

  // The names are those of the worker's own logs.
  function jsonLine(): string {
    const line: { [name: string]: unknown } = { time, level, msg, logger: 'millrace' };
    if (processNumber !== undefined) {
      line.process = processNumber;
    }
    if (err) {
      line.err = err;
    }
    return JSON.stringify(line);
  }

  function textLine(): string {
    const number = processNumber === undefined ? '' : ` process=${processNumber}`;
    const text = `${time} ${level} millrace${number}: ${msg}${err ? `\n${err}` : ''}`;
    return text.replaceAll('\r', '\\r').replaceAll('\n', '\\n');
  }
}
