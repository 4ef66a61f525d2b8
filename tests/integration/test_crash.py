# SPDX-License-Identifier: Apache-2.0
"""SIGKILL before and after every write, fsync, rename and commit, and at random: nothing is lost, nothing done twice."""
import collections
import contextlib
import os
import random
import shutil
import time

from harness import PLUMB_FAULTS, eq, main, run, test, wait_for
from shop import Shop, config_map, kill

FIRST = {"web/a.yaml": config_map("a", v="1"), "web/b.yaml": config_map("b", v="1"),
         "web/s.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {p: one}\n"}
SECOND = {"web/a.yaml": config_map("a", v="2"), "web/c.yaml": config_map("c", v="1")}
WANT = {"ConfigMap/a.yaml": '"2"', "ConfigMap/c.yaml": '"1"', "Secret/s.yaml": "one"}


def tree(s):
    """What is live, temporary files included."""
    out = {}
    top = s.path("live", "shop")
    for d, _, files in os.walk(top):
        for f in files:
            p = os.path.join(d, f)
            with contextlib.suppress(FileNotFoundError), open(p, encoding="utf-8") as h:  # renamed meanwhile
                out[os.path.relpath(p, top)] = h.read()
    return out


def check(s, where):
    live = tree(s)
    eq(sorted(live), sorted(WANT), "live files after " + where)
    for name, part in WANT.items():
        assert part in live[name], "%s after %s: %s" % (name, where, live[name])
    h = s.history()
    running = [x for x in h if x["phase"] == "Running"]
    assert not running, "after %s a sync is still called running: %r" % (where, running)
    done = [x for x in h if x["phase"] == "Succeeded" and x["revision"] == h[0]["revision"]]
    eq(len(done), 1, "successful syncs of the last revision after " + where)
    s.once()
    eq(len(s.history()), len(h), "history entries after one more pass, after " + where)


def prepare(s):
    """The first revision is live, the second is committed: the next pass creates, updates and prunes."""
    s.once()
    s.commit("repo", SECOND, remove=["web/b.yaml"], message="second")


def points(s):
    """Every fault point that the pass goes through, with how often."""
    trace = s.path("trace")
    s.plumb("run", "--once", "-q", program=PLUMB_FAULTS, env={"PLUMB_FAULT_TRACE": trace})
    with open(trace, encoding="utf-8") as f:
        return collections.Counter(f.read().split())


def copy(s, name):
    """The prepared state again, in place: paths in the config are absolute."""
    for part in ("state", "live"):
        shutil.rmtree(s.path(part), ignore_errors=True)
        if os.path.exists(s.path(name, part)):
            shutil.copytree(s.path(name, part), s.path(part), symlinks=True)


def save(s, name):
    for part in ("state", "live"):
        if os.path.exists(s.path(part)):
            shutil.copytree(s.path(part), s.path(name, part), symlinks=True, ignore=shutil.ignore_patterns("*.sock"))


def kill_at(s, saved, name, nth, *command):
    """
    Runs the command from the saved state until it dies where it passes the point for the nth time. How often a point is
    passed differs a little from run to run (two applications look when they get a thread): then the pass before it.
    """
    for n in range(nth, 0, -1):
        where = "%s:%d" % (name, n)
        copy(s, saved)
        r = s.plumb(*command, program=PLUMB_FAULTS, env={"PLUMB_FAULT": where}, status=None)
        if r.status == -9:
            return where
    raise AssertionError("%s is never passed: %r" % (name, r))


def each_point(s, saved):
    found = points(s)
    assert any(p.startswith("store.") for p in found), "no point of the store was passed: %r" % found
    n = 0
    for name, times in sorted(found.items()):
        for nth in sorted({1, (times + 1) // 2, times}):
            where = kill_at(s, saved, name, nth, "run", "--once", "-q")
            s.once()
            check(s, where)
            n += 1
    assert n >= 10, "only %d points: %r" % (n, found)


@test("killed at every fault point of an update with a prune, the next start finishes it")
def _():
    with Shop(files=FIRST) as s:
        prepare(s)
        save(s, "saved")
        each_point(s, "saved")


@test("killed at every fault point of the very first start")
def _():
    with Shop(files=FIRST) as s:
        s.commit("repo", SECOND, remove=["web/b.yaml"], message="second")
        save(s, "saved")
        each_point(s, "saved")


@test("a daemon killed again and again at random ends where Git is")
def _():
    rnd = random.Random(20261122)
    with Shop(files={"web/%02d.yaml" % i: config_map("c%02d" % i, v="0") for i in range(30)}) as s:
        for i in range(1, 16):
            p = s.daemon()
            s.commit("repo", {"web/%02d.yaml" % rnd.randrange(30): config_map("c%02d" % rnd.randrange(30), v=str(i), n=str(rnd.random()))})
            time.sleep(rnd.random() * 0.2)
            kill(p)
        # The last word: every file differs from all before, one goes.
        s.commit("repo", {"web/%02d.yaml" % i: config_map("c%02d" % i, v="last") for i in range(1, 30)}, remove=["web/00.yaml"])
        s.daemon()
        wait_for("the last revision", lambda: sorted(tree(s)) == ["ConfigMap/c%02d.yaml" % i for i in range(1, 30)] and
                 all('v: last' in t for t in tree(s).values()), 40)
        s.settled()
        assert not [x for x in s.history()[1:] if x["phase"] == "Running"]


@test("a lost database is made again from the tracking ids: nothing is forgotten, nothing foreign is pruned")
def _():
    with Shop(files=FIRST) as s:
        s.once()
        s.write("live/shop/ConfigMap/foreign.yaml", config_map("foreign", v="mine"))
        shutil.rmtree(s.path("state"))
        s.commit("repo", SECOND, remove=["web/b.yaml"], message="second")
        s.once()
        eq(sorted(tree(s)), sorted(list(WANT) + ["ConfigMap/foreign.yaml"]))


def killed_at_each(s, saved, done, least=6):
    """Each fault point once, the last time it is passed: `done` says what must be so after the next passes."""
    found = points(s)
    for name, times in sorted(found.items()):
        where = kill_at(s, saved, name, times, "run", "--once", "-q")
        for _ in range(3):
            s.once(status=None)
        done(where)
    assert len(found) >= least, "only %r" % found


@test("killed while healing: what was changed by hand is put right once")
def _():
    with Shop(files=FIRST) as s:
        s.once()
        path = s.live("a")
        s.write("live/shop/ConfigMap/a.yaml", s.read("live/shop/ConfigMap/a.yaml").replace('"1"', '"by hand"'))
        save(s, "saved")

        def done(where):
            with open(path) as f:
                assert '"1"' in f.read(), where
            eq([h["phase"] for h in s.history() if h["phase"] == "Running"], [], where)
        killed_at_each(s, "saved", done)


@test("killed while an application takes over what a renamed one had: nothing is removed meanwhile")
def _():
    with Shop(files=FIRST) as s:
        s.once()
        save(s, "saved")
        s.write("plumb.yaml", s.read("plumb.yaml").replace("- name: web", "- name: site").replace("  source: shop\n", "  source: shop\n  deletion: cascade\n", 1))

        def done(where):
            live = tree(s)
            eq(sorted(live), ["ConfigMap/a.yaml", "ConfigMap/b.yaml", "Secret/s.yaml"], where)
            assert all("tracking-id: site:" in x for x in live.values()), where
        killed_at_each(s, "saved", done)


@test("killed while the target changes: the new one is whole, the old one is cleaned")
def _():
    with Shop(files=FIRST) as s:
        s.once()
        save(s, "saved")
        s.write("plumb.yaml", s.read("plumb.yaml").replace("path: ./live", "path: ./state/moved"))

        def done(where):
            assert os.path.exists(s.path("state/moved/shop/ConfigMap/a.yaml")), where
            eq(tree(s), {}, where)
        killed_at_each(s, "saved", done)


@test("killed while an orphan is pruned: all of it goes, nothing else")
def _():
    with Shop(files=FIRST, more_apps="- {name: more, source: shop, path: web, target: here, namespace: more, deletion: cascade, sync: {automated: true}}") as s:
        s.once()
        save(s, "saved")
        s.configure(more_apps="")

        def done(where):
            assert not os.path.exists(s.path("live/more")), where
            eq(len(tree(s)), 3, where)
        killed_at_each(s, "saved", done)


@test("killed during a rollback: it is finished or was not begun, and a pin is never lost again")
def _():
    with Shop(files=FIRST) as s:
        prepare(s)
        s.once()
        first = s.history()[-1]["id"]
        save(s, "saved")
        trace = s.path("trace")
        s.plumb("rollback", "web", str(first), program=PLUMB_FAULTS, env={"PLUMB_FAULT_TRACE": trace})
        with open(trace, encoding="utf-8") as f:
            found = collections.Counter(f.read().split())
        for name, times in sorted(found.items()):
            where = kill_at(s, "saved", name, times, "rollback", "web", str(first))
            s.once(status=None)
            s.once(status=None)
            pinned, want = s.app().get("pinned"), '"2"'
            if pinned:
                want = '"1"'
            assert want in s.live_text("a"), "%s: pinned %r, %s" % (where, pinned, s.live_text("a"))


main()
