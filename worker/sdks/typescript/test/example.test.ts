/** The example does what it says. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { process, record } from 'millrace/testing';

import { parse } from '../examples/access-log.js';

test('lines of an access log', async () => {
  const prefix = '192.0.2.7 - - [01/Dec/2026:08:15:30 +0000]';
  const [page, check, other] = await process(parse, [
    record(`${prefix} "GET /shop?q=1 HTTP/1.1" 200 512 "-" "curl"`),
    record(`${prefix} "GET /healthz HTTP/1.1" 200 -`),
    record('something else'),
  ]);
  assert.equal(String(page!.outputs[0]!.key), '192.0.2.7');
  assert.deepEqual(page!.outputs[0]!.json(), {
    host: '192.0.2.7',
    method: 'GET',
    path: '/shop?q=1',
    status: 200,
    bytes: 512,
  });
  assert.ok(check!.filtered);
  assert.equal(other!.failure?.kind, 'PERMANENT');
});
