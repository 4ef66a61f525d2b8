# SPDX-License-Identifier: Apache-2.0
"""What goes wrong around plumb: repositories that change under it, full disks, read-only targets, foreign files."""
import os
import signal
import socket
import sqlite3
import subprocess

from harness import PLUMB, PLUMB_FAULTS, SLOW, eq, has, lacks, main, own_mounts, run, test, wait_for
from shop import Shop, config_map

own_mounts()  # small file systems

COMMITTED = {"web/a.yaml": config_map("a", v="1"), "web/b.yaml": config_map("b", v="1")}


def failing(s, *parts, name="web"):
    def look():
        a = s.app(name)
        return a and all(p in (a.get("message") or "") + (a.get("operation") or {}).get("message", "") for p in parts) and a
    return wait_for("%s to say %r" % (name, parts), look, 30, 0.1)


@test("a force-push is followed; the old state goes")
def _():
    with Shop() as s:
        s.daemon()
        s.settled()
        d = s.path("repo")
        s.git("checkout", "-q", "--orphan", "new", cwd=d)
        s.git("rm", "-rqf", ".", cwd=d)
        s.commit("repo", {"web/a.yaml": config_map("a", v="rewritten"), "web/b.yaml": config_map("b", v="1")})
        s.git("branch", "-qM", "new", "main", cwd=d)
        wait_for("the rewritten branch", lambda: "rewritten" in s.live_text("a"))
        s.settled()


@test("a branch that is renamed, a repository that is emptied or deleted: told, nothing is pruned, and it recovers")
def _():
    with Shop() as s:
        s.daemon()
        s.settled()
        s.git("branch", "-qm", "main", "trunk", cwd=s.path("repo"))
        failing(s, "main")
        s.git("branch", "-qm", "trunk", "main", cwd=s.path("repo"))
        s.settled()
        os.rename(s.path("repo"), s.path("away"))
        failing(s, "repo")
        s.git("init", "-q", s.path("repo"))
        failing(s, "repo")
        subprocess.run(["rm", "-rf", s.path("repo")], check=True)
        os.rename(s.path("away"), s.path("repo"))
        s.settled()
        assert s.live_text("a") and s.live_text("b"), "nothing was pruned meanwhile"


@test("a path that goes, a file that can't be read, and an empty folder never prune")
def _():
    with Shop() as s:
        s.once()
        head = s.git("rev-parse", "HEAD", cwd=s.path("repo")).out.strip()
        for files, remove, part in (({"other": "x"}, ["web"], "web"), ({"web/a.yaml": "a: [1\n"}, [], "web/a.yaml:"),
                                    ({"web/a.yaml": "kind: X\n"}, [], "web/a.yaml:1"), ({"web/README": "nothing"}, ["web/a.yaml", "web/b.yaml"], "prune")):
            s.commit("repo", files, remove=remove)
            s.once(status=1)
            has((s.app().get("message") or ""), part)
            assert s.live_text("a") and s.live_text("b"), "pruned after %r" % files
            s.git("reset", "-q", "--hard", head, cwd=s.path("repo"))
        s.once()


@test("an empty render prunes with allowEmpty, or when asked for")
def _():
    with Shop(sync="{automated: true, prune: true, allowEmpty: true}") as s:
        s.once()
        s.commit("repo", {"web/README": "nothing"}, remove=["web/a.yaml", "web/b.yaml"])
        s.once()
        assert not s.live_text("a")


@test("the ceiling holds a large prune back until it is asked for")
def _():
    with Shop(files={"web/%d.yaml" % i: config_map("c%d" % i, v="1") for i in range(12)}) as s:
        s.once()
        s.commit("repo", {}, remove=["web/%d.yaml" % i for i in range(8)])
        s.once(status=1)
        eq(len(os.listdir(s.path("live/shop/ConfigMap"))), 12)
        has(s.plumb("status", status=1).out, "8 of 12", "plumb sync web --prune")
        s.plumb("sync", "web", "--prune")
        eq(len(os.listdir(s.path("live/shop/ConfigMap"))), 4)


@test("a foreign file is never touched, and told")
def _():
    with Shop() as s:
        s.write("live/shop/ConfigMap/a.yaml", config_map("a", v="mine"))
        s.once(status=1)
        has(s.live_text("a"), '"mine"')
        assert s.live_text("b"), "the other object goes on"
        has(s.plumb("status", "web", status=1).out, "a", "OutOfSync")


@test("two applications that want one object: one has it, the other is told whose it is")
def _():
    with Shop(more_apps="- {name: zweite, source: shop, path: web, target: here, namespace: shop, sync: {automated: true}}") as s:
        s.once(status=1)
        owner = "web" if "tracking-id: web:" in s.live_text("a") else "zweite"
        other = "zweite" if owner == "web" else "web"
        has(s.live_text("a"), "tracking-id: %s:" % owner)
        has(s.plumb("status", other, status=1).out, "'%s'" % owner)
        s.once(status=1)
        has(s.live_text("a"), "tracking-id: %s:" % owner)


@test("one application's failure does not stop the others")
def _():
    with Shop(files=dict(COMMITTED, **{"bad/x.yaml": "a: [\n"}),
              more_apps="- {name: bad, source: shop, path: bad, target: here, sync: {automated: true}}\n"
                        "- {name: good, source: shop, path: web, target: here, namespace: two, sync: {automated: true}}") as s:
        s.once(status=1)
        assert s.live_text("a") and s.live_text("a", ns="two")
        has(s.app("bad")["message"], "bad/x.yaml:")


@test("odd names in the repository: spaces, quotes, UTF-8, a link out of the path, a submodule")
def _():
    files = {"web/with space.yaml": config_map("a", v="1"), "web/'quoted\".yaml": config_map("b", v="1"), "web/grün.yml": config_map("c", v="1"),
             "web/new\nline.json": '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "d"}}', "web/README": "not a manifest",
             "shared/e.yaml": config_map("e", v="1")}
    with Shop(files=files) as s:
        os.symlink("../shared/e.yaml", s.path("repo/web/e.yaml"))
        s.commit("repo", {})
        s.once()
        eq(sorted(os.listdir(s.path("live/shop/ConfigMap"))), ["a.yaml", "b.yaml", "c.yaml", "d.yaml", "e.yaml"])
        os.symlink("/etc/passwd", s.path("repo/web/passwd.yaml"))
        s.commit("repo", {})
        s.once(status=1)
        has(s.app()["message"], "passwd.yaml")
        s.commit("repo", {}, remove=["web/passwd.yaml"])
        s.once()


@test("hostile object names can't leave the target")
def _():
    for name in ("../../../evil", "/etc/evil", "..", "a/b", "x" * 300, ".hidden"):
        with Shop(files={"web/x.yaml": config_map(name, v="1").replace("name: " + name, 'name: "%s"' % name), "web/ok.yaml": config_map("ok", v="1")}) as s:
            s.once(status=1)
            for top, _, found in os.walk(s.dir):
                assert not [f for f in found if "evil" in f or f.startswith(".hidden")], (name, top, found)


@test("a link planted in the target leads nowhere")
def _():
    with Shop() as s:
        os.makedirs(s.path("outside"))
        os.makedirs(s.path("live/shop"))
        os.symlink(s.path("outside"), s.path("live/shop/ConfigMap"))
        s.once(status=1)
        eq(os.listdir(s.path("outside")), [])


def on_small_disk(s, part, size="2m"):
    os.makedirs(s.path(part), exist_ok=True)
    run(["mount", "-t", "tmpfs", "-o", "size=" + size, "none", s.path(part)])


@test("a full disk under the target is told, loses nothing, and recovers by itself")
def _():
    big = {"web/%d.yaml" % i: config_map("c%d" % i, v="x" * 200000) for i in range(14)}
    with Shop(files=COMMITTED) as s:
        on_small_disk(s, "live")
        try:
            s.daemon()
            s.settled()
            s.commit("repo", big)
            failing(s, "No space left on device")
            has(s.live_text("a"), 'v: "1"')
            for f in os.listdir(s.path("live/shop/ConfigMap")):
                has(s.read("live/shop/ConfigMap/" + f), "kind: ConfigMap", "tracking-id")
            run(["mount", "-o", "remount,size=16m", s.path("live")])
            s.plumb("sync", "web", status=None)
            s.settled(seconds=60)
            eq(len(os.listdir(s.path("live/shop/ConfigMap"))), 16)
        finally:
            [p.kill() for p in s.running]
            [p.wait() for p in s.running]
            run(["umount", "-l", s.path("live")])


@test("a full disk under the state is told, loses nothing, and recovers by itself")
def _():
    with Shop(files=COMMITTED) as s:
        on_small_disk(s, "state", "4m")
        try:
            s.daemon()
            s.settled()
            n = len(s.history())
            filler = os.open(s.path("state/filler"), os.O_WRONLY | os.O_CREAT)
            try:
                while os.write(filler, b"x" * 4096):
                    pass
            except OSError:
                os.close(filler)
            s.commit("repo", {"web/a.yaml": config_map("a", v="2")})
            wait_for("the failure", lambda: "web" in s.read("daemon.log") and
                     any(t in s.read("daemon.log") for t in ("full", "No space left")), 30)
            os.unlink(s.path("state/filler"))
            wait_for("the recovery", lambda: 'v: "2"' in s.live_text("a"), 60)
            s.settled(seconds=60)
            assert len(s.history()) > n
        finally:
            [p.kill() for p in s.running]
            [p.wait() for p in s.running]
            run(["umount", "-l", s.path("state")])


@test("a read-only target is told and recovers by itself")
def _():
    with Shop(files=COMMITTED) as s:
        on_small_disk(s, "live")
        try:
            s.daemon()
            s.settled()
            run(["mount", "-o", "remount,ro", s.path("live")])
            s.commit("repo", {"web/a.yaml": config_map("a", v="2")})
            failing(s, "Read-only file system")
            run(["mount", "-o", "remount,rw", s.path("live")])
            s.settled(seconds=60)
            has(s.live_text("a"), 'v: "2"')
        finally:
            [p.kill() for p in s.running]
            [p.wait() for p in s.running]
            run(["umount", "-l", s.path("live")])


@test("a commit that is pushed while a sync runs wins")
def _():
    with Shop(files={"web/%03d.yaml" % i: config_map("c%03d" % i, v="1") for i in range(400)}) as s:
        s.daemon()
        wait_for("the sync to start", lambda: os.path.isdir(s.path("live/shop/ConfigMap")))
        s.commit("repo", {"web/%03d.yaml" % i: config_map("c%03d" % i, v="2") for i in range(400)}, message="newer")
        wait_for("the newer revision", lambda: all('"2"' in s.live_text("c%03d" % i) for i in range(400)), 60, 0.3)
        s.settled(seconds=60)


@test("an include that can't be read orphans its applications and prunes nothing, cascade or not")
def _():
    with Shop(more_apps="include: [apps.d/*.yaml]") as s:
        app = "applications:\n- {name: more, source: shop, path: web, target: here, namespace: more, deletion: cascade, sync: {automated: true, prune: true}}\n"
        s.write("apps.d/more.yaml", app)
        s.once()
        assert s.live_text("a", ns="more")
        s.write("apps.d/more.yaml", app + "  broken: [\n")
        r = s.once(status=1)
        has(r.err, "apps.d/more.yaml:")
        assert s.live_text("a", ns="more"), "a broken include must prune nothing"
        assert s.app("more")["orphaned"]
        os.unlink(s.path("apps.d/more.yaml"))
        s.once(status=None)
        assert not s.live_text("a", ns="more"), "a true leave with cascade is pruned"


@test("a renamed application takes its objects over; a changed target is cleaned")
def _():
    with Shop() as s:
        s.once()
        s.write("plumb.yaml", s.read("plumb.yaml").replace("- name: web", "- name: site"))
        s.once(status=None)
        s.once(status=None)
        has(s.live_text("a"), "tracking-id: site:")
        s.write("plumb.yaml", s.read("plumb.yaml").replace("path: ./live", "path: ./moved"))
        s.once(status=None)
        s.once()
        assert os.path.exists(s.path("moved/shop/ConfigMap/a.yaml"))
        assert not s.live_text("a"), "the old target's objects are pruned (prune is on)"


@test("what a change of target will take away is in the diff and in the history; what asks to be kept stays")
def _():
    keep = config_map("b", v="1").replace("  name: b\n", "  name: b\n  annotations: {plumb.dev/prune: \"false\"}\n")
    with Shop(files={"web/a.yaml": config_map("a", v="1"), "web/b.yaml": keep}) as s:
        s.once()
        s.write("plumb.yaml", s.read("plumb.yaml").replace("path: ./live", "path: ./moved"))
        r = s.plumb("diff", "web", status=1)
        has(r.out, "former target", "live/ConfigMap:shop/a")
        s.once(status=None)
        s.once(status=None)
        assert os.path.exists(s.path("moved/shop/ConfigMap/a.yaml")) and not s.live_text("a")
        assert s.live_text("b"), "annotated never to be pruned"
        cleared = [h for h in s.history() if h["initiator"] == "target change"]
        eq(len(cleared), 1)


@test("a cascade that was cut short is not gone on with when the application is back")
def _():
    with Shop(files={"web/%02d.yaml" % i: config_map("c%02d" % i, v="1") for i in range(8)}) as s:
        s.configure(more_apps="- {name: other, source: shop, path: web, target: here, namespace: other, sync: {automated: true}}")
        whole = s.read("plumb.yaml").replace("- name: web\n", "- name: web\n  deletion: cascade\n")
        s.write("plumb.yaml", whole)
        s.once()
        s.write("plumb.yaml", whole[:whole.index("- name: web")] + whole[whole.index("- {name: other"):])
        r = s.plumb("run", "--once", "-q", program=PLUMB_FAULTS, env={"PLUMB_FAULT": "engine.apply.before:1"}, status=None)
        eq(r.status, -9)
        s.write("plumb.yaml", whole)
        inodes = {f: os.stat(s.path("live/shop/ConfigMap", f)).st_ino for f in os.listdir(s.path("live/shop/ConfigMap"))}
        eq(len(inodes), 8)
        s.once()
        eq({f: os.stat(s.path("live/shop/ConfigMap", f)).st_ino for f in os.listdir(s.path("live/shop/ConfigMap"))}, inodes)


@test("a retry's date in the far future, after the clock was set back, stalls nothing")
def _():
    with Shop(sync="{automated: true, retry: {backoff: {duration: 100ms, maxDuration: 500ms}}}") as s:
        s.write("live/shop/ConfigMap/a.yaml", config_map("a", v="mine"))
        s.once(status=1)
        db = sqlite3.connect(s.path("state/plumb.db"))
        with db:
            db.execute("UPDATE app SET next_try_ms = 32503680000000, failures = 1")
        db.close()
        os.unlink(s.path("live/shop/ConfigMap/a.yaml"))
        s.daemon()
        s.settled()


@test("a silent server holds up neither other repositories' applications, nor commands, nor the end")
def _():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(16)
        url = "git://127.0.0.1:%d/repo" % silent.getsockname()[1]
        with Shop(more_apps="- {name: mute, source: mute, path: web, target: here, namespace: mute, sync: {automated: true}}") as s:
            s.write("plumb.yaml", s.read("plumb.yaml").replace("sources:\n", "sources:\n  mute: {git: {url: '%s', revision: main}}\n" % url))
            p = s.daemon()
            s.settled()
            s.commit("repo", {"web/a.yaml": config_map("a", v="2")})
            wait_for("the other application's news", lambda: '"2"' in s.live_text("a"))
            waiting = s.start([PLUMB, "sync", "mute"], log="sync.log")
            eq(s.plumb("status", status=1).status, 1)
            p.send_signal(signal.SIGTERM)
            eq(p.wait(20 * SLOW), 0)
            waiting.wait(20 * SLOW)
            assert waiting.returncode in (1, 2), waiting.returncode
            has(s.read("sync.log"), "mute")


@test("what --once leaves in the store is bounded")
def _():
    with Shop() as s:
        s.once()
        db = sqlite3.connect(s.path("state/plumb.db"))
        with db:
            for i in range(300):
                db.execute("INSERT INTO history (app, revision, revision_name, author, message, initiator, started_ms, finished_ms, phase, error, health, render) "
                           "SELECT app, revision, revision_name, author, message, initiator, started_ms, finished_ms, phase, error, health, 0 FROM history LIMIT 1")
        db.close()
        s.once()
        eq(len(s.history()), 200)


@test("many commits leave few packs and files open, and every commit whole")
def _():
    with Shop(poll="50ms") as s:
        p = s.daemon()
        s.settled()
        commits = []
        for i in range(70):
            commits.append(s.commit("repo", {"web/a.yaml": config_map("a", v="round %d" % i)}))
            wait_for("round %d" % i, lambda: "round %d" % i in s.live_text("a"))
        cache = os.path.join(s.path("state/sources"), os.listdir(s.path("state/sources"))[0], "repo")
        packs = [f for f in os.listdir(os.path.join(cache, "objects/pack")) if f.endswith(".pack")]
        assert len(packs) <= 34, packs
        assert len(os.listdir("/proc/%d/fd" % p.pid)) < 80
        s.git("fsck", "--full", "--strict", cwd=cache)
        kept = s.git("for-each-ref", "--format=%(objectname)", "refs/plumb/keep", cwd=cache).out.split()
        assert commits[-1] in kept and len(kept) > 35, kept


@test("a lost seal key: everything goes on, and a rollback to what it sealed says why it can't")
def _():
    with Shop() as s:
        s.once()
        s.commit("repo", {"web/a.yaml": config_map("a", v="two")})
        s.once()
        os.unlink(s.path("state/seal.key"))
        s.once()
        s.commit("repo", {"web/a.yaml": config_map("a", v="three")})
        s.once()
        has(s.live_text("a"), "three")
        has(s.plumb("rollback", "web", "1", status=2).err, "seal.key", "restore the key file")
        s.plumb("resume", "web", status=None)
        s.once()
        has(s.live_text("a"), "three")


main()
