// Runs test/*.test.ts: bundled with what they test, by node's own test runner.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as esbuild from 'esbuild';

const root = dirname(fileURLToPath(import.meta.url));
const out = mkdtempSync(join(tmpdir(), 'console-test-'));
const tests = readdirSync(join(root, 'test')).filter((name) => name.endsWith('.test.ts'));
await esbuild.build({
  entryPoints: tests.map((name) => join(root, 'test', name)), outdir: out, outExtension: { '.js': '.mjs' }, bundle: true, platform: 'node',
  format: 'esm', logLevel: 'warning',
});
const { status } = spawnSync(process.execPath, ['--test', '--test-reporter=dot', out], { stdio: 'inherit' });
rmSync(out, { recursive: true });
process.exit(status ?? 1);
