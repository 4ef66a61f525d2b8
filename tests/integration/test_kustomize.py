# SPDX-License-Identifier: Apache-2.0
"""The cases of tests/data/kustomize/AREA.txt: kustomizations, and what building them prints.

    tests/integration/test_kustomize.py [AREA…] [-k TEXT]

With PEER=PROGRAM the expectations are held against that program instead (`PROGRAM kustomize DIR` when it is a kubectl,
`PROGRAM build DIR` when it is kustomize), the cases left out that say why the two differ.

A case, each part up to the next line that begins with "=== ":

    === case: what is shown          starts one
    === file: base/kustomization.yaml
    === link: a/b -> ../c
    === run: overlay                 what is built; the default is the top
    === flags: --load-restrictor=LoadRestrictionsNone
    === expect                       standard output, byte for byte
    === error                        instead: every line occurs in standard error, the exit status is 2
    === log                          every line occurs in standard error of a good build
    === differs: WHY                 the peer says something else
"""
import difflib
import re

from harness import *

DATA = os.path.join(ROOT, "tests/data/kustomize")
PEER = os.environ.get("PEER")


class Case:
    def __init__(self, name, at):
        self.name, self.at = name, at
        self.files, self.links, self.flags, self.parts = {}, {}, [], {}
        self.run, self.differs = ".", None

    def open_part(self, word, rest):
        """Takes a line's word; gives the list that the lines below belong to, or None when it has none."""
        if word == "file":
            return self.files.setdefault(rest, [])
        if word in ("expect", "error", "log"):
            return self.parts.setdefault(word, [])
        if word == "link":
            name, target = rest.split(" -> ")
            self.links[name] = target
        elif word == "run":
            self.run = rest
        elif word == "flags":
            self.flags = rest.split()
        elif word == "differs":
            self.differs = rest
        else:
            raise AssertionError("%s: unknown part '%s'" % (self.at, word))
        return None


def read(path):
    cases, lines = [], None
    with open(path, encoding="utf-8", newline="") as f:
        for number, line in enumerate(f, 1):
            m = re.match(r"=== (\w+):? ?(.*?)\n?$", line)
            if m and m.group(1) == "case":
                cases.append(Case(m.group(2), "%s:%d" % (os.path.relpath(path, ROOT), number)))
                lines = None
            elif m:
                lines = cases[-1].open_part(m.group(1), m.group(2))
            elif lines is not None:
                lines.append(line)
            elif line.strip() and cases and not line.startswith("#"):
                raise AssertionError("%s:%d: a line that belongs to no part" % (path, number))
    return cases


def write_tree(case, top):
    for name, lines in case.files.items():
        path = os.path.join(top, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8", newline="") as f:
            f.write("".join(lines))
    for name, target in case.links.items():
        path = os.path.join(top, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.symlink(target, path)


def command(case):
    if not PEER:
        return [PLUMB, "render"] + case.flags + [case.run]
    return [PEER, "build" if os.path.basename(PEER).startswith("kustomize") else "kustomize"] + case.flags + [case.run]


def holds_lines(text, lines, what):
    for line in (l.strip() for l in lines):
        assert line in text, "%s lacks %r; it is:\n%s" % (what, line, text)


def check(case):
    wanted = "".join(case.parts.get("expect", []))
    assert ("expect" in case.parts) != ("error" in case.parts), "%s: needs expect or error" % case.at
    with Scratch() as s:
        write_tree(case, s.dir)
        got = run(command(case), cwd=s.dir, status=None)
    if "error" in case.parts:
        assert any(l.strip() for l in case.parts["error"]), "%s: an error case that asserts nothing" % case.at
        assert got.status != 0 and not got.out, "%s: an error was due, got %r" % (case.at, got)
        if not PEER:
            eq(got.status, 2, case.at)
            holds_lines(got.err, case.parts["error"], "%s: the error" % case.at)
        return
    assert got.status == 0, "%s: %r" % (case.at, got)
    if got.out != wanted:
        diff = "".join(difflib.unified_diff(wanted.splitlines(True), got.out.splitlines(True), "expected", "got"))
        raise AssertionError("%s: output differs\n%s" % (case.at, diff))
    if not PEER:
        holds_lines(got.err, case.parts.get("log", []), "%s: the log" % case.at)


def collect():
    args, areas = sys.argv[1:], []
    text = args[args.index("-k") + 1] if "-k" in args else ""
    areas = [a for i, a in enumerate(args) if a != "-k" and (i == 0 or args[i - 1] != "-k")]
    sys.argv[1:] = []
    for name in sorted(os.listdir(DATA)):
        area = name[:-len(".txt")]
        if not name.endswith(".txt") or (areas and area not in areas):
            continue
        for case in read(os.path.join(DATA, name)):
            if text in case.name and not (PEER and case.differs):
                test("%s: %s" % (area, case.name))(lambda case=case: check(case))


collect()
main()
