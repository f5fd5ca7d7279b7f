/** The programs in README and in docs/typescript.md, whose commands docs/languages_test.go runs. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const PACKAGE = fileURLToPath(new URL('../../', import.meta.url));
const REPOSITORY = join(PACKAGE, '../../..');
const PAGE = join(REPOSITORY, 'docs/typescript.md');
const TSC = join(PACKAGE, 'node_modules/.bin/tsc');

interface Block {
  readonly language: string;
  readonly file: string | undefined;
  readonly text: string;
}

function blocksOf(document: string): Block[] {
  const fence = /^```([a-z]+)(?: title="([^"]+)")?\n(.*?)^```$/gms;
  return [...readFileSync(document, 'utf8').matchAll(fence)].map(([, language, file, text]) => ({
    language: language!,
    file,
    text: text!,
  }));
}

/** Returns a folder with this package among its packages. */
function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-documents-'));
  t.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'node_modules/@types'), { recursive: true });
  symlinkSync(PACKAGE, join(folder, 'node_modules/millrace'));
  symlinkSync(join(PACKAGE, 'node_modules/@types/node'), join(folder, 'node_modules/@types/node'));
  writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
  return folder;
}

function execute(folder: string, command: string, args: string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: folder, encoding: 'utf8' });
  assert.equal(status, 0, `${command} ${args.join(' ')}:\n${stdout}${stderr}`);
  return stdout;
}

test('users can compile each program, with all checks', (t: TestContext) => {
  const folder = folderOf(t);
  const files = [join(PACKAGE, 'README.md'), PAGE].flatMap(blocksOf).flatMap((block, index) => {
    if (block.language !== 'ts') {
      return [];
    }
    const file = block.file ?? `program-${index}.ts`;
    writeFileSync(join(folder, file), block.text);
    return [file];
  });
  assert.ok(files.length >= 8, `there are ${files.length} programs`);
  const checks = ['--strict', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess'];
  const target = ['--module', 'nodenext', '--target', 'es2022', '--types', 'node', '--noEmit'];
  execute(folder, TSC, [...checks, ...target, ...files]);
});

test('the test in README succeeds', (t: TestContext) => {
  const folder = folderOf(t);
  const block = blocksOf(join(PACKAGE, 'README.md')).find(({ text }) => text.includes('node:test'));
  writeFileSync(join(folder, 'shout.test.ts'), block!.text);
  execute(folder, TSC, [
    '--module',
    'nodenext',
    '--target',
    'es2022',
    '--types',
    'node',
    'shout.test.ts',
  ]);
  execute(folder, process.execPath, ['--test', 'shout.test.js']);
});
