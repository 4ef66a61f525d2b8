# SPDX-License-Identifier: Apache-2.0
"""A scratch folder with a repository, a config and a live folder, for tests of the whole program."""
import json
import os
import signal
import urllib.error
import urllib.request

from harness import PLUMB, Scratch, run, stop, wait_for


def config_map(name, **data):
    """A ConfigMap as YAML, strings quoted."""
    return "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: %s\ndata:\n%s" % (
        name, "".join("  %s: %s\n" % (k, json.dumps(v)) for k, v in data.items()))


class Shop(Scratch):
    """One application `web` from the folder web of the repository; `sync` is its sync block."""

    def __init__(self, files=None, sync="{automated: true, prune: true, selfHeal: true}", poll="200ms", extra="", more_apps="",
                 revision="main"):
        self.files = files if files is not None else {"web/a.yaml": config_map("a", v="1"), "web/b.yaml": config_map("b", v="1")}
        self.sync, self.poll, self.extra, self.more_apps, self.revision = sync, poll, extra, more_apps, revision

    def __enter__(self):
        super().__enter__()
        self.repo("repo", self.files)
        self.configure()
        return self

    def configure(self, **changes):
        self.__dict__.update(changes)
        self.write("plumb.yaml", """\
pollInterval: %s
stateDir: ./state
%s
sources:
  shop: {git: {url: "file://%s", revision: %s}}
targets:
  here: {directory: {path: ./live}}
applications:
- name: web
  source: shop
  path: web
  target: here
  namespace: shop
  sync: %s
%s
""" % (self.poll, self.extra, self.path("repo"), self.revision, self.sync, self.more_apps))

    def live(self, name, kind="ConfigMap", ns="shop"):
        return self.path("live", ns, kind, name + ".yaml")

    def live_text(self, name, **where):
        try:
            with open(self.live(name, **where), encoding="utf-8") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def once(self, status=0, **how):
        return self.plumb("run", "--once", "-q", status=status, **how)

    def app(self, name="web", program=None):
        """The application's status as JSON; None while nobody answers."""
        r = run([program or PLUMB, "status", "-o", "json"], cwd=self.dir, status=None)
        if r.status == 2:
            return None
        return {a["name"]: a for a in json.loads(r.out)}.get(name)

    def daemon(self, program=None, env=None, *args):
        p = self.start([program or PLUMB, "run", *args], env=env, log="daemon.log")
        wait_for("the daemon's socket", lambda: os.path.exists(self.path("state", "plumb.sock")) or p.poll() is not None)
        if p.poll() is not None:
            raise AssertionError("the daemon ended: " + self.read("daemon.log"))
        return p

    def settled(self, name="web", seconds=20):
        """Waits until the application is Synced and Healthy (or judged by nobody)."""
        def look():
            a = self.app(name)
            return a and a["sync"] == "Synced" and a["health"]["status"] in ("", "Healthy") and a
        return wait_for("%s to be in line" % name, look, seconds, 0.1)

    def history(self, name="web"):
        return json.loads(self.plumb("history", name, "-o", "json").out)


def get(port, path):
    """Status and body of an HTTP GET on loopback."""
    try:
        with urllib.request.urlopen("http://127.0.0.1:%d%s" % (port, path), timeout=5) as r:
            return r.status, r.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode()


def kill(p):
    return stop(p, signal.SIGKILL)
