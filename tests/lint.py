#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What no compiler checks: includes that climb the floors of docs/architecture.md, missing licence lines,
overlong files and functions. Exits 1 with a line a finding."""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FLOOR = {"base": 2, "doc": 3, "worker": 3, "plugin": 4, "lua": 4, "config": 4, "state": 4, "engine": 5, "server": 6, "cli": 7}
# Rooms of one floor don't use each other, with these exceptions.
BESIDE = {("lua", "plugin")}
# Tests may be longer: they are lists.
LINES = {True: (1200, 100), False: (800, 80)}  # of a file, of a function


def files():
    out = subprocess.run(["git", "ls-files", "*.c", "*.cc", "*.h"], cwd=ROOT, stdout=subprocess.PIPE, check=True)
    return out.stdout.decode().split()


def room(path):
    m = re.match(r"core/(\w+)/", path)
    return m.group(1) if m else None


def climbs(path, included):
    here, there = room(path), room(included)
    if path.startswith("plugins/") and included.startswith("core/"):
        return "a plugin includes only include/plumb/"
    if path.startswith("include/") and included.startswith("core/"):
        return "a public header includes nothing of core/"
    if not here or not there or here == there:
        return None
    if FLOOR[there] > FLOOR[here]:
        return "core/%s may not use core/%s, which is above it" % (here, there)
    if FLOOR[there] == FLOOR[here] and (here, there) not in BESIDE:
        return "core/%s may not use core/%s, which is beside it" % (here, there)
    return None


def functions(lines):
    """(name line, length) of functions, found by a brace in the first column."""
    start = None
    for i, line in enumerate(lines, 1):
        if line.startswith("{"):
            start = i
        elif line.startswith("}") and start:
            yield start - 1, i - start + 1
            start = None


def main():
    bad = []
    for path in files():
        with open(os.path.join(ROOT, path), encoding="utf-8") as f:
            lines = f.read().split("\n")
        if "SPDX-License-Identifier: Apache-2.0" not in lines[0]:
            bad.append("%s:1: the licence line is missing" % path)
        file_lines, function_lines = LINES[path.startswith("tests/")]
        if len(lines) > file_lines:
            bad.append("%s: %d lines; split it before %d" % (path, len(lines), file_lines))
        for i, line in enumerate(lines, 1):
            m = re.match(r'#\s*include\s+"([^"]+)"', line)
            why = m and climbs(path, m.group(1))
            if why:
                bad.append("%s:%d: includes %s: %s" % (path, i, m.group(1), why))
        for at, n in functions(lines):
            if n > function_lines:
                bad.append("%s:%d: a function of %d lines (at most %d)" % (path, at, n, function_lines))
    print("\n".join(bad) if bad else "lint: includes, licence lines and lengths are in order")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
