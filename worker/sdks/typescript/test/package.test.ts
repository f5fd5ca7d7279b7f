/** The package as it is published. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { VERSION } from 'millrace';

const PACKAGE = fileURLToPath(new URL('../../', import.meta.url));

function temporary(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-package-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

test('the generated code is that of processor.proto', (t: TestContext) => {
  const folder = temporary(t);
  const made = spawnSync(join(PACKAGE, 'generate.sh'), [folder], { encoding: 'utf8' });
  assert.equal(made.status, 0, made.stderr);
  for (const file of ['processor.js', 'processor.d.ts']) {
    assert.equal(
      readFileSync(join(PACKAGE, 'protocol', file), 'utf8'),
      readFileSync(join(folder, file), 'utf8'),
      `${file}: run npm run generate, and commit`,
    );
  }
});

test('the package has all that it needs, and nothing else', () => {
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const { status, stdout, stderr } = spawnSync('npm', args, { cwd: PACKAGE, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  const parsed: unknown = JSON.parse(stdout);
  const [contents] = Array.isArray(parsed) ? parsed : Object.values(parsed as object);
  const files = (contents.files as { path: string }[]).map(({ path }) => path).sort();
  const sources = readdirSync(join(PACKAGE, 'src')).map((file) => file.replace(/\.ts$/, ''));
  assert.deepEqual(
    files,
    [
      'LICENSE',
      'README.md',
      'package.json',
      'protocol/processor.d.ts',
      'protocol/processor.js',
      ...sources.flatMap((name) => [`dist/${name}.js`, `dist/${name}.d.ts`]),
    ].sort(),
  );
});

test('the versions agree, and no file names a registry', () => {
  const { version } = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8'));
  assert.equal(VERSION, version);
  const lock = readFileSync(join(PACKAGE, 'package-lock.json'), 'utf8');
  const { packages } = JSON.parse(lock) as { packages: { [name: string]: { integrity?: string } } };
  assert.doesNotMatch(lock, /"resolved"/);
  for (const [name, { integrity }] of Object.entries(packages)) {
    assert.ok(name === '' || integrity?.startsWith('sha512-'), `${name} has no hash`);
  }
});
