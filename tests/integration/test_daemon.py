# SPDX-License-Identifier: Apache-2.0
"""The daemon: what it does by itself, and with commands, signals and a second daemon beside it."""
import json
import os
import re
import shutil
import signal
import socket
import stat
import threading
import time
import urllib.request

from harness import BUILD, PLUMB, can_connect, eq, free_port, has, lacks, main, run, stop, test, wait_for
from shop import Shop, config_map, get, kill


@test("a commit reaches the live folder, a change by hand is healed, a removed file is pruned")
def _():
    with Shop() as s:
        s.daemon()
        s.settled()
        has(s.live_text("a"), 'v: "1"', "plumb.dev/tracking-id: web:/ConfigMap:shop/a")
        s.commit("repo", {"web/a.yaml": config_map("a", v="2")}, message="two")
        wait_for("the commit", lambda: 'v: "2"' in s.live_text("a"))
        s.settled()
        s.write("live/shop/ConfigMap/a.yaml", s.live_text("a").replace('"2"', '"by hand"'))
        wait_for("the healing", lambda: 'v: "2"' in s.live_text("a"))
        os.unlink(s.live("b"))
        wait_for("a deleted file to come back", lambda: s.live_text("b"))
        s.settled()
        s.commit("repo", {}, remove=["web/b.yaml"], message="b goes")
        wait_for("the prune", lambda: not s.live_text("b"))
        wait_for("the whole history", lambda: "b goes" in [h.get("message", "").strip() for h in s.history()])
        h = s.history()
        assert any(x["initiator"] == "self-heal" for x in h), h
        assert all(x["author"].startswith("Ann") for x in h), h


@test("two daemons on one state folder: the second says who holds it")
def _():
    with Shop() as s:
        p = s.daemon()
        r = s.plumb("run", status=2)
        has(r.err, "in use by pid %d" % p.pid, "state")
        s.settled()


@test("SIGTERM ends it with 0, removes the socket, and the next start goes on")
def _():
    with Shop() as s:
        p = s.daemon()
        s.settled()
        eq(stop(p), 0, "exit status")
        assert not os.path.exists(s.path("state/plumb.sock"))
        n = len(s.history())
        s.daemon()
        s.settled()
        eq(len(s.history()), n, "a restart syncs nothing again")


@test("a killed daemon leaves a socket behind that stops nobody")
def _():
    with Shop() as s:
        p = s.daemon()
        s.settled()
        kill(p)
        assert os.path.exists(s.path("state/plumb.sock"))
        eq(s.plumb("status", "-o", "name").out, "web\n")
        os.unlink(s.path("state/plumb.sock")) if os.path.exists(s.path("state/plumb.sock")) else None
        s.daemon()
        s.settled()


@test("the control socket is the owner's alone")
def _():
    with Shop() as s:
        s.daemon()
        eq(stat.S_IMODE(os.stat(s.path("state/plumb.sock")).st_mode), 0o600, "mode")


@test("the control socket survives garbage, silence, half requests and asks by many at once")
def _():
    with Shop() as s:
        p = s.daemon()
        s.settled()
        path = s.path("state/plumb.sock")
        for text in (b"\n", b"{}\n", b"[1,2]\n", b'{"op":"no such"}\n', b'{"op":"sync"}\n', b"\x00\xff\n", b'{"op":"status"', b"x" * 100000 + b"\n",
                     b'{"op":"sync","apps":["none"]}\n', b'{"op":"history","app":7}\n', b'{"op":"' + b"[" * 5000 + b"\n"):
            with socket.socket(socket.AF_UNIX) as c:
                c.settimeout(20)
                c.connect(path)
                c.sendall(text)
                if text.endswith(b"\n"):
                    assert c.recv(65536).startswith((b'{"error"', b'{"reply"')), text
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(run([PLUMB, "status", "-o", "name"], cwd=s.dir).out))
                   for _ in range(12)]
        [t.start() for t in threads]
        [t.join() for t in threads]
        eq(answers, ["web\n"] * 12)
        assert p.poll() is None


@test("commands beside a busy daemon answer while it syncs")
def _():
    files = {"web/%03d.yaml" % i: config_map("c%d" % i, v="1") for i in range(300)}
    with Shop(files=files) as s:
        s.daemon()
        for _ in range(5):
            s.plumb("status", status=None)
            eq(s.plumb("version").status, 0)
        s.settled(seconds=60)
        eq(len(os.listdir(s.path("live/shop/ConfigMap"))), 300)


@test("SIGHUP takes a new config, keeps the old one when the new is wrong")
def _():
    with Shop() as s:
        p = s.daemon()
        s.settled()
        s.configure(more_apps="- {name: other, source: shop, path: web, target: here, namespace: two, sync: {automated: true}}")
        p.send_signal(signal.SIGHUP)
        s.settled("other")
        s.configure(more_apps="- {name: bad, sauce: shop}")
        p.send_signal(signal.SIGHUP)
        wait_for("the refusal", lambda: "stays in force" in s.read("daemon.log"))
        has(s.read("daemon.log"), "plumb.yaml:", "sauce", "did you mean 'source'")
        eq(s.plumb("status", "-o", "name").out, "other\nweb\n")
        s.configure(more_apps="")
        p.send_signal(signal.SIGHUP)
        wait_for("the orphan", lambda: (s.app("other") or {}).get("orphaned"))
        assert os.path.exists(s.live("a", ns="two")), "an orphan is not touched"


@test("/healthz, /readyz and /metrics answer; other paths and methods are refused")
def _():
    port = free_port()
    with Shop(extra="listen: 127.0.0.1:%d" % port) as s:
        s.daemon()
        s.settled()
        eq(get(port, "/healthz"), (200, "ok\n"))
        wait_for("readiness", lambda: get(port, "/readyz")[0] == 200)
        status, text = get(port, "/metrics")
        eq(status, 200)
        has(text, 'plumb_app_resources{name="web"} 2', 'plumb_app_last_sync_timestamp_seconds{name="web"} 1')
        for line in text.splitlines():
            assert re.fullmatch(r"# (HELP|TYPE) plumb_\w+ .+|plumb_\w+(\{(\w+=\"[^\"]*\",?)+\})? -?\d+(\.\d+)?", line), line
        has(text, 'plumb_app_info{name="web",sync_status="Synced"', "plumb_app_sync_total{phase=\"Succeeded\"} 1", "# TYPE plumb_renders_total counter")
        eq(get(port, "/nothing")[0], 404)
        with socket.create_connection(("127.0.0.1", port), 5) as c:
            c.sendall(b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc")
            has(c.recv(4096).decode(), " 405 ", "Allow: GET, HEAD")
        with socket.create_connection(("127.0.0.1", port), 5) as c:
            c.sendall(b"GET /" + b"a" * 100000)
            c.recv(4096)
        eq(get(port, "/healthz")[0], 200)


@test("an address in use is told, and nothing is left running")
def _():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        with Shop(extra="listen: 127.0.0.1:%d" % held.getsockname()[1]) as s:
            r = s.plumb("run", status=2)
            has(r.err, "listen on '127.0.0.1:", "Address already in use")


def listening(s, port_of=re.compile(r"listening on (http://\S+:\d+)")):
    """The addresses that the daemon has told of, in order."""
    return port_of.findall(s.read("daemon.log"))


@test("listen takes IPv6 addresses and names; SIGHUP moves the listener, and says what it can't change")
def _():
    with Shop(extra="listen: localhost:0") as s:
        p = s.daemon()
        wait_for("the listener", lambda: listening(s))
        first = listening(s)[0]
        eq(get(int(first.rsplit(":")[-1]), "/healthz"), (200, "ok\n"))
        s.configure(extra='listen: "[::1]:0"')
        p.send_signal(signal.SIGHUP)
        wait_for("the second listener", lambda: len(listening(s)) == 2)
        assert listening(s)[1].startswith("http://[::1]:"), listening(s)
        with urllib.request.urlopen(listening(s)[1] + "/healthz", timeout=5) as r:
            eq(r.read(), b"ok\n")
        assert not can_connect(int(first.rsplit(":")[-1])), "the old listener is gone"
        s.configure(extra="pluginPath: more")
        p.send_signal(signal.SIGHUP)
        wait_for("the third config", lambda: "pluginPath is used from the next start on" in s.read("daemon.log"))
        s.configure(extra="listen: name.invalid:0")
        p.send_signal(signal.SIGHUP)
        wait_for("the refusal", lambda: "listen on 'name.invalid:0'" in s.read("daemon.log"))
        s.settled()


@test("a state folder whose path is longer than a socket's may be")
def _():
    with Shop() as s:
        deep = "/".join("d" * 60 for _ in range(4))
        s.write("plumb.yaml", s.read("plumb.yaml").replace("./state", "./" + deep))
        p = s.start([PLUMB, "run"], log="daemon.log")
        wait_for("the socket", lambda: os.path.exists(s.path(deep, "plumb.sock")) or p.poll() is not None)
        s.settled()
        has(s.plumb("sync", "web").out, "web: Succeeded")
        has(s.plumb("run", status=2).err, "in use by pid %d" % p.pid)
        eq(stop(p), 0)
        assert not os.path.exists(s.path(deep, "plumb.sock"))
        eq(s.plumb("status", "-o", "name").out, "web\n")


@test("a state folder that can't be used is told, with what to do")
def _():
    with Shop() as s:
        s.write("file", "")
        text = s.read("plumb.yaml")
        for state in ("file", "file/state"):
            s.write("plumb.yaml", text.replace("./state", state))
            for args in (["run"], ["status"]):
                has(s.plumb(*args, status=2).err, "/file", "folder")
        if os.geteuid() == 0:
            os.chmod(s.dir, 0o755)
            # The build may lie where no other user may look, below /root.
            os.mkdir(s.path("bin"))
            for name in ("plumb", "libplumb.so.0"):
                shutil.copy(os.path.join(BUILD, name), s.path("bin"))
            for name in ("modules", "plugins"):
                shutil.copytree(os.path.join(BUILD, name), s.path("bin", name))
            other = lambda *args: run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", s.path("bin/plumb")] + list(args),
                                      cwd=s.dir, status=2).err
            s.write("plumb.yaml", text)
            has(other("run"), "create the folder", "/state", "Permission denied")
            s.daemon()
            has(other("status"), "connect to the daemon", "Permission denied", "only the user that plumb runs as")
            has(other("run"), "open the lock", "Permission denied")


@test("a command that stops reading holds nobody up")
def _():
    files = {"web/%03d.yaml" % i: config_map("c%d" % i + "x" * 150, v="1") for i in range(1500)}
    with Shop(files=files, sync="{automated: false}") as s:
        s.daemon()
        wait_for("the first look", lambda: (s.app() or {}).get("sync") == "OutOfSync")
        with socket.socket(socket.AF_UNIX) as c:
            c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            c.connect(s.path("state/plumb.sock"))
            c.sendall(b'{"op":"sync","apps":["web"]}\n')
            wait_for("the sync", lambda: [h["phase"] for h in s.history()] == ["Succeeded"], 60)
            s.settled()


@test("systemd is told READY, RELOADING with the time, and STOPPING")
def _():
    with Shop() as s:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as n:
            n.bind(s.path("notify"))
            n.settimeout(20)
            p = s.daemon(None, {"NOTIFY_SOCKET": s.path("notify")})
            eq(n.recv(100), b"READY=1")
            before = time.monotonic_ns() // 1000
            p.send_signal(signal.SIGHUP)
            told = n.recv(100).decode().split("\n")
            eq(told[0], "RELOADING=1")
            assert before <= int(told[1].removeprefix("MONOTONIC_USEC=")) <= time.monotonic_ns() // 1000, told
            eq(n.recv(100), b"READY=1")
            stop(p)
            eq(n.recv(100), b"STOPPING=1")


@test("a sync that is asked for through the socket ends when the asker goes away")
def _():
    with Shop(sync="{automated: false}") as s:
        s.daemon()
        wait_for("the first look", lambda: (s.app() or {}).get("sync") == "OutOfSync")
        with socket.socket(socket.AF_UNIX) as c:
            c.connect(s.path("state/plumb.sock"))
            c.sendall(b'{"op":"sync","apps":["web"]}\n')
        r = json.loads(s.plumb("sync", "web", "-o", "json", status=None).out)
        eq(r[0]["phase"], "Succeeded")


@test("no secret value reaches logs, status, diffs, history or the store's files")
def _():
    secret = "hunter2-" + "x7Qz" * 4
    import base64
    encoded = base64.b64encode(secret.encode()).decode()
    text = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {p: %s}\ndata: {q: %s}\n"
    with Shop(files={"web/s.yaml": text % (secret, encoded)}) as s:
        p = s.start([PLUMB, "run", "-v"], log="daemon.log")
        s.settled()
        eq(stat.S_IMODE(os.stat(s.live("s", kind="Secret")).st_mode), 0o600, "mode of a live Secret")
        s.plumb("suspend", "web")
        s.commit("repo", {"web/s.yaml": text % (secret + "2", encoded)}, message="rotate")
        out = wait_for("a difference", lambda: (lambda r: r.out + r.err if r.status == 1 else "")(s.plumb("diff", "web", status=None)))
        has(out, "stringData" if "stringData" in out else "data", "+++")
        for args in (["status", "web", "-o", "json"], ["history", "web", "-o", "yaml"], ["diff", "web", "-o", "json"]):
            out += s.plumb(*args, status=None).out
        stop(p)
        out += s.read("daemon.log")
        for top, _, files in os.walk(s.path("state")):
            for f in files:
                if "/cache/" not in top + "/" and os.path.isfile(os.path.join(top, f)):
                    with open(os.path.join(top, f), "rb") as h:
                        out += h.read().decode("latin-1")
        lacks(out, secret, encoded)


main()
