#!/usr/bin/env python3
"""Keeps what the project agreed on: layers, calls that belong in one place, headers that say what they are, no dead file.

    tests/tidy/tidy_test.py [compile_commands.json]

Prints each finding as file:line: text, then a closing line "N passed, N failed" that counts rules.
"""

import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LAYERS = ["common", "parser", "wal", "storage", "query", "server", "tools"]
NOT_BELOW = {("wal", "parser")}  # the log knows nothing of SQL
MAX_LINES = 900
# Longer files, each with the reason.
LONG_FILES = {}
# Files that the build has another way to compile.
COMPILED_BY_HAND = set()

# Calls that have one place. (name, pattern, folders it applies to, files in which it is right)
CALLS = [
    ("printing outside the command line tool",
     r"(?<![\w:])(?:std::)?(?:printf|fprintf|puts|fputs)\s*\(|std::cout\b|std::cerr\b",
     ["common", "parser", "wal", "storage", "query", "server"], {"server/main.cpp"}),
    # Right where it is handed to a smart pointer at once, and as placement new.
    ("raw new", r"(?<![\w.(])(?<!\(\s)new\s+[A-Za-z_]", LAYERS, None),
    ("raw delete", r"(?<![\w.])delete\s*(?:\[\s*\])?\s+?[A-Za-z_*(]", LAYERS, None),
    ("malloc and free", r"(?<![\w:.>])(?:std::)?(?:malloc|calloc|realloc|free)\s*\(", LAYERS, None),
    ("file calls outside the file layer",
     r"std::(?:o|i)?fstream\b|(?<![\w:.>])::?(?:open|openat|creat|unlink|mkdir|rmdir|fsync|fdatasync|pwrite|pread|ftruncate)\s*\("
     r"|(?<![\w:.>])(?:std::)?f(?:open|read|write)\s*\("
     r"|std::filesystem::(?:remove|remove_all|rename|create_director\w+|copy\w*|resize_file|permissions)\b"
     r"|(?<!\w)fs::(?:remove|remove_all|rename|create_director\w+|copy\w*|resize_file|permissions|exists|directory_iterator)\b",
     LAYERS, {"common/posix_file.cpp"}),
    ("sleeping instead of waiting for something", r"(?<!\w)(?:usleep|::sleep)\s*\(", LAYERS, None),
    ("using namespace std", r"using\s+namespace\s+std\s*;", LAYERS + ["tests", "bench"], None),
]
BANNED_WORDS = re.compile(r"\b(?:TODO|FIXME|XXX|HACK|WIP)\b")
VAGUE_NAMES = re.compile(r"(?:^|_)(?:utils?|helpers?|misc|common|stuff|manager)(?:_|\.)")

findings = {}


def report(rule, path, line, text):
    findings.setdefault(rule, []).append(f"{path}:{line}: {text}")


def tracked_files():
    out = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True)
    names = out.stdout.split("\n") if out.returncode == 0 else [
        os.path.relpath(os.path.join(folder, name), ROOT)
        for folder, folders, files in os.walk(ROOT) if ".git" not in folder and "build" not in folder for name in files]
    return sorted(name for name in names if name and os.path.isfile(os.path.join(ROOT, name)))


def without_comments_and_strings(text):
    """The same text, lines kept, with comments and literals blanked."""
    def blank(match):
        found = match.group(0)
        if found.startswith("/"):
            return re.sub(r"[^\n]", " ", found)
        return found[0] + re.sub(r"[^\n]", " ", found[1:-1]) + found[-1]
    # A quote between digits (1'000) is no literal.
    pattern = r'R"\((?s:.*?)\)"|//[^\n]*|/\*(?s:.*?)\*/|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\''
    return re.sub(pattern, blank, text)


def check_layer_order(path, text):
    layer = path.split("/")[0]
    if layer not in LAYERS:
        return
    for number, line in enumerate(text.split("\n"), 1):
        match = re.match(r'\s*#include\s+"([^"]+)"', line)
        if not match:
            continue
        target = match.group(1).split("/")[0]
        if "/" not in match.group(1):
            report("layer order", path, number, f'"{match.group(1)}" is not written from the root')
        elif target not in LAYERS:
            report("layer order", path, number, f"{target}/ is no layer")
        elif LAYERS.index(target) > LAYERS.index(layer) or (layer, target) in NOT_BELOW:
            report("layer order", path, number, f"{layer}/ must not include {target}/")


def check_calls(path, code):
    folder = path.split("/")[0]
    for rule, pattern, folders, exceptions in CALLS:
        if folder not in folders or (exceptions and path in exceptions):
            continue
        for number, line in enumerate(re.sub(r"\(\s*\n(\s*)", r"(\n\1(", code).split("\n"), 1):
            line = re.sub(r"^\s*\(", "(", line)  # an argument on a line of its own still follows its parenthesis
            if not re.search(pattern, line):
                continue
            if rule == "raw delete" and re.search(r"=\s*delete\b|operator\s+delete", line):
                continue
            report(rule, path, number, line.strip())


def check_header(path, text):
    lines = text.split("\n")
    if "#pragma once" not in lines[:3]:
        report("headers begin with #pragma once", path, 1, "missing")
    if "//" not in text:
        report("headers say what they are for", path, 1, "not one comment")


def check_size(path, text):
    count = text.count("\n")
    if count > MAX_LINES and path not in LONG_FILES:
        report(f"files of at most {MAX_LINES} lines", path, count, "one subject each: split it, or name the reason in tidy_test.py")


def check_words(path, text):
    for number, line in enumerate(text.split("\n"), 1):
        if BANNED_WORDS.search(line):
            report("nothing is left for later", path, number, line.strip())


def check_name(path):
    name = os.path.basename(path)
    if VAGUE_NAMES.search(name) and name != "CMakeLists.txt":
        report("names say the subject", path, 1, "a vague name")


def batched_sources(path):
    with open(path) as batch:
        return re.findall(r'^#include "(.*)"$', batch.read(), re.M)


def check_compiled(paths, commands_path):
    """Every source is compiled, every header is included by something."""
    sources = {p for p in paths if p.endswith(".cpp")}
    if commands_path:
        with open(commands_path) as commands:
            entries = [entry["file"] for entry in json.load(commands)]
        files = [file for entry in entries for file in (batched_sources(entry) if "/Unity/unity_" in entry else [entry])]
        compiled = {os.path.relpath(os.path.realpath(file), os.path.realpath(ROOT)) for file in files}
        # Fuzz targets and benchmarks are built by their own presets, through folder-wide rules.
        for path in sorted(sources - compiled - COMPILED_BY_HAND):
            if not path.startswith(("tests/fuzz/", "bench/")):
                report("no dead source file", path, 1, "nothing compiles it")
    included = set()
    for path in paths:
        if path.endswith((".cpp", ".h")):
            included.update(re.findall(r'#include\s+"([^"]+)"', read(path)))
    for path in sorted(p for p in paths if p.endswith(".h") and p not in included):
        report("no dead header", path, 1, "nothing includes it")


def check_named_tests(paths):
    """Tests that a document names are there, and what storage.md says of a crash names some."""
    declared = set()
    for path in paths:
        if path.endswith("_test.cpp"):
            declared.update(f"{suite}.{name}" for suite, name in re.findall(r"^TEST(?:_F|_P)?\((\w+),\s*(\w+)\)", read(path), re.MULTILINE))
        if path.endswith("CMakeLists.txt"):
            declared.update(re.findall(r"add_test\(NAME (\S+)", read(path)))
    for document in (p for p in tracked_files() if p.endswith(".md")):
        for number, line in enumerate(read(document).split("\n"), 1):
            for name in re.findall(r"`([A-Z]\w+\.[A-Z]\w+)`", line):
                if name not in declared:
                    report("documents name tests that are there", document, number, f"no test {name}")
    lines = read("docs/storage.md").split("\n")
    first = lines.index("| crash | what is found | tests |") + 2
    for number, line in enumerate(lines[first:], first + 1):
        if not line.startswith("|"):
            break
        tests = line.split("|")[3]
        if "`" not in tests and "the same" not in tests:
            report("documents name tests that are there", "docs/storage.md", number, "no test is named")


def check_format(paths):
    """As .clang-format says."""
    sources = [p for p in paths if p.endswith((".cpp", ".h"))]
    batches = [sources[i:i + 40] for i in range(0, len(sources), 40)]

    def unformatted(batch):
        run = subprocess.run(["clang-format", "--dry-run"] + batch, cwd=ROOT, capture_output=True, text=True)
        return re.findall(r"^(\S+?):(\d+):\d+: warning: code should be clang-formatted", run.stderr, re.MULTILINE)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for found in pool.map(unformatted, batches):
            for path, line in found:
                report("formatted", path, line, "clang-format would change it")


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def main():
    commands_path = sys.argv[1] if len(sys.argv) > 1 else None
    paths = [p for p in tracked_files() if p.split("/")[0] in LAYERS + ["tests", "bench"]]
    for path in paths:
        if not path.endswith((".cpp", ".h", ".py", ".sh", ".txt")):
            continue
        text = read(path)
        if path != "tests/tidy/tidy_test.py":
            check_words(path, text)
        check_name(path)
        if path.endswith((".cpp", ".h")):
            check_layer_order(path, text)
            check_calls(path, without_comments_and_strings(text))
            check_size(path, text)
        if path.endswith(".h"):
            check_header(path, text)
    check_compiled(paths, commands_path)
    check_named_tests(paths)
    check_format(paths)

    rules = ["formatted", "layer order", "headers begin with #pragma once", "headers say what they are for", f"files of at most {MAX_LINES} lines",
             "nothing is left for later", "names say the subject", "no dead source file", "no dead header", "documents name tests that are there"] + [c[0] for c in CALLS]
    for rule in rules:
        found = findings.get(rule, [])
        for finding in found:
            print(finding)
        print(f"{'FAIL' if found else 'ok  '} tidy {rule}" + (f": {len(found)} findings" if found else ""))
    failed = sum(1 for rule in rules if rule in findings)
    print(f"{len(rules) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
