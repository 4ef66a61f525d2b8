# SPDX-License-Identifier: Apache-2.0
"""Random kustomizations: properties that hold for each, and the same answer as a peer where one is installed.

    tests/integration/test_kustomize_random.py [FIRST LAST [SEED-FOLDER]]

More seeds than the suite's, by hand; the trees that differ are kept in SEED-FOLDER. PEER names the peer; by default the
kubectl on PATH, when its Kustomize is v5.5 or later (older ones answer differently).
"""
import difflib
import re

from harness import *
import kustomize_random

PEER_LEAST = (5, 5)


def find_peer():
    peer = os.environ.get("PEER") or shutil.which("kubectl")
    if not peer:
        return None
    said = run([peer, "version", "--client"], status=None).out
    m = re.search(r"Kustomize Version: v(\d+)\.(\d+)", said)
    return peer if m and (int(m.group(1)), int(m.group(2))) >= PEER_LEAST else None


def render(folder):
    return run([PLUMB, "render", folder], status=None)


def differs(peer, folder):
    """None, or how our answer differs from the peer's."""
    ours, theirs = render(folder), run([peer, "kustomize", folder], status=None)
    if (ours.status == 0) != (theirs.status == 0):
        return "ours: %r\nthe peer's: %r" % (ours, theirs)
    if theirs.status != 0 or ours.out == theirs.out:
        return None
    return "".join(difflib.unified_diff(theirs.out.splitlines(True), ours.out.splitlines(True), "peer", "ours"))


def properties(folder):
    first, second = render(folder), render(folder)
    assert first.status in (0, 2), first
    said = [re.sub(r"^\d{4}-\S+Z ", "", r.err, flags=re.M) for r in (first, second)]  # the log's times aside
    eq((first.status, first.out, said[0]), (second.status, second.out, said[1]))
    if first.status:
        assert not first.out and ".yaml:" in first.err or "kustomization" in first.err, first
        return False
    # What was rendered is a tree of resources like any other, and plain resources come out as they went in.
    with Scratch() as s:
        out = os.path.join(s.dir, "kustomization.yaml")
        with open(out, "w", encoding="utf-8") as f:
            f.write("resources: [all.yaml]\nsortOptions: {order: fifo}\n")
        with open(os.path.join(s.dir, "all.yaml"), "w", encoding="utf-8") as f:
            f.write(first.out)
        if first.out and not any(line.startswith("    config.kubernetes.io/") for line in first.out.splitlines()):
            eq(render(s.dir).out, first.out)
    return True


def read_in_another_order(folder):
    """The order in which files are written to disk, and their times, say nothing."""
    before = render(folder)
    copy = folder + "-copy"
    names = sorted((os.path.join(d, f) for d, _, fs in os.walk(os.path.dirname(folder)) for f in fs), reverse=True)
    for name in names:
        target = os.path.join(copy, os.path.relpath(name, os.path.dirname(folder)))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy(name, target)
    after = render(os.path.join(copy, os.path.basename(folder)))
    eq((after.status, after.out), (before.status, before.out))


@test("each renders twice the same, and what it prints renders to itself")
def _():
    good = 0
    for seed in range(60):
        with Scratch() as s:
            good += properties(kustomize_random.generate(s.dir, seed))
    assert good > 30, "only %d of 60 could be rendered" % good


@test("the order in which files were written does not matter")
def _():
    for seed in range(100, 110):
        with Scratch() as s:
            read_in_another_order(kustomize_random.generate(os.path.join(s.dir, "tree"), seed))


@test("each is rendered as the peer does, where there is one")
def _():
    peer = find_peer()
    if not peer:
        print("# no kubectl with Kustomize v%d.%d or later on PATH: compared with nothing" % PEER_LEAST)
        return
    for seed in range(200, 240):
        with Scratch() as s:
            how = differs(peer, kustomize_random.generate(s.dir, seed))
            assert how is None, "seed %d: %s" % (seed, how)


def by_hand(first, last, keep):
    peer, bad = find_peer(), 0
    for seed in range(first, last):
        with Scratch() as s:
            folder = kustomize_random.generate(s.dir, seed)
            how = differs(peer, folder)
            if how:
                bad += 1
                print("=== seed %d\n%s" % (seed, how), flush=True)
                if keep:
                    shutil.copytree(s.dir, os.path.join(keep, "seed-%d" % seed), dirs_exist_ok=True)
    print("%d of %d differ" % (bad, last - first))
    sys.exit(1 if bad else 0)


if len(sys.argv) > 2:
    by_hand(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else None)
main()
