/**
 * Turns the lines of a web server's access log into JSON.
 *
 * A line such as
 *
 *     192.0.2.7 - - [01/Dec/2026:08:15:30 +0000] "GET /shop?q=1 HTTP/1.1" 200 512
 *
 * becomes {"host": "192.0.2.7", "method": "GET", ...}, under its host as the key. Health checks are
 * left out, and lines of another form are dead letters.
 */

import { type InputRecord, type Output, Permanent } from 'millrace';

const LINE =
  /^(?<host>\S+) \S+ \S+ \[[^\]]+\] "(?<method>[A-Z]+) (?<path>[^ "]+)[^"]*" (?<status>\d{3}) (?<bytes>\d+|-)/;

export function parse(record: InputRecord): Output | null {
  const line = record.text();
  const found = LINE.exec(line)?.groups;
  if (found === undefined) {
    throw new Permanent(`no line of an access log: ${JSON.stringify(line.slice(0, 100))}`);
  }
  const { host = '', method, path, status, bytes } = found;
  if (path === '/healthz') {
    return null;
  }
  const size = bytes === '-' ? 0 : Number(bytes);
  return { key: host, json: { host, method, path, status: Number(status), bytes: size } };
}
