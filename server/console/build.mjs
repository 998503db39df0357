// Makes dist/ of src/: one script, one style sheet, the page, and the licences of what is in them. dist/SOURCES.sha256 says of which sources.
//   node build.mjs            writes dist/
//   node build.mjs --watch    and again whenever a source changes, unminified
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as esbuild from 'esbuild';

const root = dirname(fileURLToPath(import.meta.url));
const dist = join(root, 'dist');
const watch = process.argv.includes('--watch');

const options = {
  absWorkingDir: root,
  entryPoints: { console: 'src/main.tsx' },
  outdir: 'dist',
  bundle: true,
  minify: !watch,
  format: 'esm',
  target: 'es2022',
  charset: 'utf8',
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
};

// Names of the packages that the bundle has code of.
function packages(metafile) {
  const names = new Set();
  for (const input of Object.keys(metafile.inputs)) {
    const found = /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (found) names.add(found[1]);
  }
  return [...names].sort();
}

function licence(name) {
  const folder = join(root, 'node_modules', name);
  const { version, license, homepage, repository } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  if (!file) throw new Error(`${name} has no licence text`);
  const source = homepage ?? repository?.url ?? repository ?? '';
  return `${name} ${version} (${license})${source ? `\n${source}` : ''}\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
}

// As `sha256sum` writes it, so that the test needs no npm.
function checksums() {
  const files = ['build.mjs', 'package.json', 'package-lock.json', 'tsconfig.json', ...readdirSync(join(root, 'src')).map((name) => `src/${name}`)];
  const line = (name) => `${createHash('sha256').update(readFileSync(join(root, name))).digest('hex')}  ${name}\n`;
  return files.sort().map(line).join('');
}

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);
for (const name of ['index.html', 'favicon.svg']) copyFileSync(join(root, 'src', name), join(dist, name));
if (watch) {
  await (await esbuild.context(options)).watch();
} else {
  const { metafile } = await esbuild.build(options);
  writeFileSync(join(dist, 'LICENSES.txt'), packages(metafile).map(licence).join(`\n${'-'.repeat(80)}\n\n`));
  writeFileSync(join(dist, 'SOURCES.sha256'), checksums());
  for (const name of readdirSync(dist)) console.log(`${String(statSync(join(dist, name)).size).padStart(8)}  ${name}`);
}
