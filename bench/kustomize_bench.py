#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What rendering a kustomization costs: beside `kubectl kustomize` where one is installed, beside a bare loop over
libyaml's events, and how it grows with the number of resources, patches, generators, replacements and references.

    kustomize_bench.py [--quick] [--peer PROGRAM] [--generator GEN_KUSTOMIZE.PY]

--quick leaves out the largest peer runs (the peer's cost grows with the square). --generator takes the trees of the
three common shapes from another program (`GEN OUT -n N --shape S`). Prints a line a figure; exits 1 when a bound is passed.
"""
import argparse
import glob
import math
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(ROOT, "tests", "integration"), os.path.dirname(os.path.abspath(__file__))]
from harness import BUILD, PLUMB  # noqa: E402
import kustomize_trees  # noqa: E402

SHARED = os.path.join(ROOT, "../shared/bench/gen_kustomize.py")
EVENTS = os.path.join(BUILD, "bench/events_peer")
failed = []


def figure(name, value, unit, least=None, most=None):
    ok = (least is None or value >= least) and (most is None or value <= most)
    bound = " (at least %g)" % least if least is not None else " (at most %g)" % most if most is not None else ""
    print("%-58s %10.2f %-4s%s%s" % (name, value, unit, bound, "" if ok else "  FAILED"), flush=True)
    if not ok:
        failed.append(name)


def cost(cmd):
    """CPU milliseconds (user and system) and peak memory in MB of one run."""
    p = subprocess.Popen(cmd, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = p.stderr.read()
    _, status, used = os.wait4(p.pid, 0)
    p.returncode = status
    p.stderr.close()
    if status != 0:
        raise SystemExit("%s: %s" % (" ".join(cmd[:4]), said.decode("utf-8", "replace")[-500:]))
    return (used.ru_utime + used.ru_stime) * 1000, used.ru_maxrss / 1024


def best(cmd, rounds):
    runs = [cost(cmd) for _ in range(rounds)]
    return min(r[0] for r in runs), min(r[1] for r in runs)


class Trees:
    def __init__(self, top, generator):
        self.top, self.generator, self.made = top, generator, {}

    def get(self, shape, n):
        if (shape, n) not in self.made:
            folder = os.path.join(self.top, "%s-%d" % (shape, n))
            if self.generator and shape in ("plain", "transform", "refs"):
                out = subprocess.run([sys.executable, self.generator, folder, "-n", str(n), "--shape", shape],
                                     stdout=subprocess.PIPE, check=True).stdout
                self.made[shape, n] = out.decode().strip()
            else:
                self.made[shape, n] = kustomize_trees.build(folder, shape, n)
        return self.made[shape, n]


def against_peer(peer, trees, quick):
    verb = "build" if os.path.basename(peer).startswith("kustomize") else "kustomize"
    rows = [("plain", 1, 10, 9), ("transform", 1, 10, 9), ("refs", 1, 10, 9), ("transform", 1000, 100, 3), ("refs", 1000, 100, 3)]
    for shape, n, least, rounds in rows + ([] if quick else [("plain", 5000, 250, 1)]):
        tree = trees.get(shape, n)
        ours, our_memory = best([PLUMB, "render", tree], max(rounds, 5))
        theirs, their_memory = best([peer, verb, tree], 1 if theirs_slow(n) else rounds)
        figure("%s, %d: ours" % (shape, n), ours, "ms")
        figure("%s, %d: the peer's" % (shape, n), theirs, "ms")
        figure("%s, %d: less CPU" % (shape, n), theirs / ours, "x", least=least)
        if n == 1000:
            figure("%s, %d: share of the peer's peak memory" % (shape, n), our_memory / their_memory, "x", most=0.25)


def theirs_slow(n):
    return n >= 1000


def against_events(trees):
    tree = trees.get("plain", 5000)
    files = sorted(glob.glob(os.path.join(tree, "*.yaml")))
    # The start of a process is no part of the comparison.
    start_ours = best([PLUMB, "render", trees.get("plain", 1)], 9)[0]
    start_theirs = best([EVENTS], 9)[0]
    ours = best([PLUMB, "render", tree], 7)[0] - start_ours
    theirs = best([EVENTS] + files, 7)[0] - start_theirs
    figure("plain, 5000: CPU over a bare libyaml event loop", ours / theirs, "x", most=3)


def growth(trees):
    """The exponent of N from 100 to 20,000: the start of the process, as one resource has it, is taken off."""
    for shape in kustomize_trees.SHAPES:
        small, large = 100, 20000
        start = best([PLUMB, "render", trees.get(shape, 1)], 9)[0]
        few = min(cost_many(trees.get(shape, small)) for _ in range(3)) - start
        many = best([PLUMB, "render", trees.get(shape, large)], 2)[0] - start
        exponent = math.log(many / max(few, 0.05)) / math.log(large / small)
        figure("%s: 20,000 cost" % shape, many, "ms")
        figure("%s: grows with N to the power of" % shape, exponent, "", most=1.1)


def cost_many(tree):
    """One run is too short for the clock: the mean of twenty."""
    return sum(cost([PLUMB, "render", tree])[0] for _ in range(20)) / 20


def main():
    ap = argparse.ArgumentParser(usage=__doc__)
    ap.add_argument("--quick", action="store_true")
    ap.add_argument("--peer", default=os.environ.get("PEER") or shutil.which("kubectl"))
    ap.add_argument("--generator", default=SHARED if os.path.exists(SHARED) else None)
    a = ap.parse_args()
    top = tempfile.mkdtemp(prefix="plumb-bench-")
    try:
        trees = Trees(top, a.generator)
        if a.peer:
            against_peer(a.peer, trees, a.quick)
        else:
            print("no kubectl here: nothing to compare with", flush=True)
        against_events(trees)
        growth(trees)
    finally:
        shutil.rmtree(top, ignore_errors=True)
    sys.exit(1 if failed else 0)


main()
