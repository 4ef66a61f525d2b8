# SPDX-License-Identifier: Apache-2.0
"""Runs every example of README.md and docs/*.md.

In a document, in order, in one scratch folder with the built programs on PATH:
  ```LANG file=NAME      the block is written to the file NAME
  ```console             lines that begin with "$ " are run by bash and must exit 0, or as "# exit N" at the line's end
                         says; what stands below one is its output, where "…" stands for anything
  <!-- test: COMMAND --> is run and not shown to readers
"""
import os
import re
import subprocess

from harness import BUILD, ROOT, SLOW, Scratch, main, test

BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$|^<!-- test: (.*?) -->$", re.M | re.S)


def shell(scratch, command):
    env = dict(os.environ, PATH="%s:%s" % (BUILD, os.environ["PATH"]), HOME=scratch.dir, NO_COLOR="1",
               PLUMB_SOURCE=ROOT, GIT_CONFIG_NOSYSTEM="1")
    return subprocess.run(["bash", "-c", command], cwd=scratch.dir, env=env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60 * SLOW)


def matches(got, wanted):
    """Spaces in tables are for people: runs of them compare as one."""
    squeeze = lambda s: "\n".join(re.sub(r"[ \t]+", " ", line).strip() for line in s.strip().splitlines())
    pattern = ".*".join(re.escape(part) for part in squeeze(wanted).split("…"))
    return re.fullmatch(pattern, squeeze(got), re.S)


def console(scratch, name, body):
    for part in re.split(r"^\$ ", body, flags=re.M)[1:]:
        command, _, wanted = part.partition("\n")
        m = re.search(r"\s+# exit (\d+)$", command)
        status = int(m.group(1)) if m else 0
        r = shell(scratch, command)
        got = r.stdout.decode("utf-8", "replace")
        if r.returncode != status:
            raise AssertionError("%s: `%s` exited %d, not %d:\n%s" % (name, command, r.returncode, status, got))
        if wanted.strip() and not matches(got, wanted):
            raise AssertionError("%s: `%s` printed\n%s\nnot\n%s" % (name, command, got, wanted))


def run_document(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        text = f.read()
    with Scratch() as s:
        for m in BLOCK.finditer(text):
            info, body, command = m.groups()
            target = re.search(r"\bfile=(\S+)", info or "")
            if command is not None:
                r = shell(s, command)
                assert r.returncode == 0, "%s: %s: %s" % (path, command, r.stdout.decode())
            elif target:
                s.write(target.group(1), body)
            elif info.strip() == "console":
                console(s, path, body)


def documents():
    yield "README.md"
    yield "examples/README.md"
    for f in sorted(os.listdir(os.path.join(ROOT, "docs"))):
        if f.endswith(".md"):
            yield "docs/" + f


for _path in documents():
    test("the examples of %s run" % _path)(lambda p=_path: run_document(p))

main()
