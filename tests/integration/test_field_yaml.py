#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `plumb render` prints for random values, held against `kubectl kustomize` where there is one (on PATH, or $PEER).
Without a peer what is printed must still be stable: rendered again it stays the same."""
import difflib
import json
import os
import random
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import *  # noqa: E402,F403

PEER = os.environ.get("PEER") or shutil.which("kubectl")
HEAD = "apiVersion: v1\nkind: Thing\nmetadata:\n  name: a\n"

# ---- documents ----

PARTS = ["a", "b", "z", "A", "n", "y", "0", "1", "9", " ", " ", " ", ":", "#", "-", "?", ".", "_", "\n", "\n", "\t", "'", '"', "\\", "[",
         "{", ",", "&", "*", "!", "|", ">", "%", "@", "`", "~", "=", "<", "é", "λ", "\u2028", "\u2029", "\ufeff", "😀", "\a", "\r",
         "\xa0", "/", "+", "e", "x", "o", "true", "null", "2020-01-02", "日本", "T", "Z", "\0", "\u0301", "٣", "²"]
ALPHABETS = [PARTS, ["a", "b", " ", " ", "\n", ":", "#", "-", "'"], list("019_.e+-xob:"),
             ["aaa", "bb ", "cccccccc", " dd", "  ", "q", "'", "x", ": ", "y", "é"], ["word ", "other ", "\n", "  ", "x"],
             list("a1209b-._/Zé")]


def text(r, most=14):
    alphabet = r.choice(ALPHABETS)
    most = 60 if len(alphabet[0]) > 2 else most
    return "".join(r.choice(alphabet) for _ in range(r.randint(0, most)))


def quoted(s):
    return '"' + "".join(c if ord(c) > 0xffff else json.dumps(c)[1:-1] for c in s) + '"'


def value(r, depth=0):
    kind = r.random()
    if depth < 4 and kind < .12:
        keys = {text(r, r.choice([3, 8, 140])) for _ in range(r.randint(0, 4))}
        return "{" + ", ".join(quoted(k) + ": " + value(r, depth + 1) for k in sorted(keys)) + "}"
    if depth < 4 and kind < .24:
        return "[" + ", ".join(value(r, depth + 1) for _ in range(r.randint(0, 4))) + "]"
    return quoted(text(r))


def texts(r):
    """Texts, keys and their nesting."""
    return HEAD + "v:\n" + "".join("  k%d: %s\n" % (i, value(r)) for i in range(1500))


WORDS = ["true", "True", "tRUE", "yes", "no", "on", "off", "y", "N", "null", "Null", "~", "nULL", ".5", ".5e3", "._", "..", "+.5", "=",
         "<<", "NaN", "+Inf", "infinity", "1:30", "190:20:30", "-1:59.5", "1:60", "0x1p-2", ".1_0", ".1__0", "0_", "0x", "+", "-0.0",
         "1e", "1e+", "1_e1", "08", "-007", "0o8", "-0b1", "0b-1", "0o-7"]


def word(r):
    kind = r.random()
    if kind < .3:
        return "".join(r.choice("0019_.eE+-xob78aFf") for _ in range(r.randint(1, 9)))
    if kind < .45:
        return r.choice(["", "-", "+"]) + r.choice(["0x", "0X", "0b", "0o", "0O", "0B", "0", ""]) + \
            "".join(r.choice("01_7f9-") for _ in range(r.randint(0, 22)))
    if kind < .6:
        return "%d%s%d%s" % (r.randint(-10 ** r.randint(0, 25), 10 ** 9), r.choice([".", "", "_"]), r.randint(0, 10 ** r.randint(0, 20)),
                             r.choice(["", "e%d" % r.randint(-330, 320)]))
    if kind < .7:
        return repr(r.uniform(-1, 1) * 10.0 ** r.randint(-320, 308))
    if kind < .9:
        return r.choice(["0000", "1999", "2000", "2100"]) + "-%s-%s" % (r.choice(["1", "02", "13"]), r.choice(["1", "29", "30", "31", "0"])) + \
            r.choice(["", "T", "t", " ", "  "]) + r.choice(["", "1:2:3", "01:02:03", "24:00:00", "23:59:60"]) + \
            r.choice(["", ".5", ".", ".1234567891", ",25"]) + r.choice(["", "Z", "+01:00", "-01:30", "+00:00", " Z"])
    return r.choice(WORDS)


def stands_alone(w):
    return w and w.strip() == w and w not in "-?:" and not w.startswith(("- ", "---")) and ": " not in w and not w.endswith(":")


def words(r):
    """Plain scalars, which are numbers, times, booleans or none of these."""
    return HEAD + "v:\n" + "".join("  k%d: %s\n" % (i, w) for i, w in
                                   enumerate(w for w in (word(r) for _ in range(3000)) if stands_alone(w)))


def block(r, indent):
    lines = [r.choice(["text", "more text", " indented", "", "# not", "a: b", "\ttab", "long " * 20 + "end", "😀"]) for _ in range(r.randint(1, 6))]
    lines[0] = lines[0].strip() or "first"
    head = r.choice("|>") + r.choice(["", "-", "+"])
    return head + "\n" + "".join((" " * indent + line if line else "") + "\n" for line in lines)


def blocks(r):
    """Blocks, anchors, merged maps, tags, and nothing at all."""
    out = [HEAD + "base: &base {k1: v, k10: w, k2: x}\nmore: &more {k1: z, l: m}\nv:\n"]
    for i in range(400):
        out.append("  k%d:%s" % (i, r.choice([
            lambda: " " + block(r, 4),
            lambda: "\n  - " + block(r, 6) + "  - last\n",
            lambda: " *base\n",
            lambda: " {<<: *base, k1: own}\n",
            lambda: "\n    <<: [*more, *base]\n    k2: own\n",
            lambda: " %s\n" % r.choice(["!!str 1", "!!int '3'", "!own yes", "! 12", "!!binary aGVsbG8=", "!!timestamp '2020-01-02'", "!!float 1"]),
            lambda: " {a, b: , c: ~, d: [{e: }]}\n",
            lambda: "\n",
            lambda: " &t%d >-\n    a\n      b\n  again%d: *t%d\n  flow%d: [*t%d]\n" % (i, i, i, i, i),
        ])()))
    return "".join(out)


# ---- running ----

def render(program, folder):
    p = subprocess.run(program + [folder], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120 * SLOW)
    if p.returncode != 0:
        raise AssertionError("%s: %s" % (program[0], p.stderr.decode("utf-8", "replace")[-2000:]))
    return p.stdout.decode()


def build(s, name, resource):
    folder = s.path(name)
    os.makedirs(folder)
    for file, content in (("kustomization.yaml", "resources: [r.yaml]\n"), ("r.yaml", resource)):
        with open(os.path.join(folder, file), "w", encoding="utf-8", newline="") as f:
            f.write(content)
    return folder


def same(what, a, b):
    if a != b:
        diff = list(difflib.unified_diff(a.split("\n"), b.split("\n"), lineterm="", n=1))[:20]
        raise AssertionError("%s:\n%s" % (what, "\n".join(line[:300] for line in diff)))


def check(make, seeds):
    if not PEER:
        print("# skipped: no peer (kubectl on PATH, or PEER=PROGRAM) to compare with", flush=True)
    with Scratch() as s:
        for seed in seeds:
            folder = build(s, "%s-%d" % (make.__name__, seed), make(random.Random(seed)))
            ours = render([PLUMB, "render"], folder)
            if PEER:
                same("%s, seed %d: the peer and plumb" % (make.__name__, seed), render([PEER, "kustomize"], folder), ours)
            # "<<" stands without quotes in what is printed, and so would be a merge key
            if "<<:" not in ours:
                again = render([PLUMB, "render"], build(s, "%s-%d-again" % (make.__name__, seed), ours))
                same("%s, seed %d: once and twice rendered" % (make.__name__, seed), ours, again)


@test("texts, keys and their nesting are printed as the field prints them")
def _():
    check(texts, range(1, 4))


@test("plain scalars mean what they mean in the field")
def _():
    check(words, range(1, 4))


@test("blocks, anchors, merges and tags become what they become in the field")
def _():
    check(blocks, range(1, 4))


main()
