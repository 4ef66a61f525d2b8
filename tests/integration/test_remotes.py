#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Applications whose kustomizations take bases and files from other repositories and servers."""
import contextlib
import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fakes"))
from harness import eq, free_port, has, main, stop, test, wait_for  # noqa: E402
from shop import Shop, config_map  # noqa: E402
from files_server import Files  # noqa: E402
import git_servers as gs  # noqa: E402


def overlay(*urls):
    return "namePrefix: my-\nresources:\n" + "".join("- %s\n" % u for u in urls)


@contextlib.contextmanager
def shop(query="?ref=main", **how):
    """The application web over base/ of another repository, lib.git: (shop, server, URL)."""
    with Shop(files={"README": ""}, **how) as s:
        os.mkdir(s.path("srv"))
        s.repo("srv/lib.git", {"base/kustomization.yaml": "resources: [cm.yaml]\n", "base/cm.yaml": config_map("a", v="1")})
        web = gs.http_backend(s, s.path("srv"))
        url = web.url + "/lib.git/base" + query
        s.commit("repo", {"web/kustomization.yaml": overlay(url), "two/kustomization.yaml": overlay(url)})
        s.configure(extra="remoteHosts: [localhost:%d]" % web.port)
        yield s, web, url


def listings(s):
    return s.read("http/access.log").count("info/refs")



@test("without the operator's leave nothing is taken from elsewhere, and what would permit it is told")
def _():
    with shop() as (s, web, url):
        s.configure(extra="")
        s.daemon()
        error = wait_for("the error", lambda: (s.app() or {}).get("message"))
        has(error, "web/kustomization.yaml:3:3: ", "nothing may be taken from 'localhost:%d'" % web.port,
            "`remoteHosts: [localhost:%d]` in plumb.yaml permits it" % web.port)
        eq(listings(s), 0)
        s.configure(extra="remoteHosts: ['*.example.org', 'localhost:%d']" % web.port)
        s.running[-1].send_signal(signal.SIGHUP)
        wait_for("the live object", lambda: s.live_text("my-a"))
        s.configure(extra="remoteHosts: []")
        s.running[-1].send_signal(signal.SIGHUP)
        wait_for("the error", lambda: (s.app() or {}).get("message"))
        assert s.live_text("my-a"), "nothing is pruned for it"


@test("a host is permitted with its port, a domain with all below it; what one library might read another way is not")
def _():
    with Shop(files={"README": ""}) as s:
        port = free_port()
        here, repo = "http://127.0.0.1:%d" % port, "/lib.git/base"
        for hosts, url, permitted in (
                ("'127.0.0.1:%d'" % port, here + repo, True), ("'*'", here + repo, True), ("'*.0.0.1:%d'" % port, here + repo, True),
                ("'127.0.0.1:%d'" % port, here + "/cm.yaml", True),
                ("127.0.0.1", here + repo, False), ("'127.0.0.1:1'", here + repo, False), ("'*.127.0.0.1:%d'" % port, here + repo, False),
                ("'27.0.0.1:%d'" % port, here + repo, False), ("'localhost:%d'" % port, here + repo, False),
                ("good.example", "http://good.example\\@127.0.0.1:%d%s" % (port, repo), False),
                ("good.example", "http://good.example@127.0.0.1:%d%s" % (port, repo), False),
                ("good.example", "http://127.0.0.1:%d/good.example%s" % (port, repo), False),
                ("good.example", "http://good.example:80@127.0.0.1:%d%s" % (port, repo), False),
                ("good.example", "http://good.example#@127.0.0.1:%d/cm.yaml" % port, False),
                ("good.example", "http://127.0.0.1:%d#@good.example/cm.yaml" % port, False),
                ("good.example", "ssh://git@127.0.0.1:%d%s" % (port, repo), False),
                ("good.example", "git@bad.example:good.example/lib.git//base", False)):
            s.commit("repo", {"web/kustomization.yaml": "resources:\n- '%s'\n" % url})
            s.configure(extra="remoteHosts: [%s]" % hosts)
            err = s.plumb("render", "web", status=2).err
            has(err, "web/kustomization.yaml:2:3: ")
            refused = "may be taken from" in err or "lies on this machine" in err
            if permitted:
                has(err, "onnect")
            assert refused != permitted or "good.example" in hosts and "onnect" not in err, "%s for %s: %s" % (hosts, url, err)
        for hosts, says in (("https://example.org/x", "write 'example.org'"), ("'a b'", "'a b' is no host"), ("'x:y'", "'x:y' is no host")):
            s.configure(extra="remoteHosts: [%s]" % hosts)
            has(s.plumb("check", status=2).err, "plumb.yaml", "remoteHosts", says)


@test("what lies on this machine is never taken, whatever is permitted")
def _():
    with shop() as (s, web, url):
        for other in ("file://%s/base" % s.path("srv/lib.git"), "git::file://%s//base" % s.path("srv/lib.git")):
            s.commit("repo", {"web/kustomization.yaml": overlay(other)})
            s.configure(extra="remoteHosts: ['*']")
            r = s.once(status=1)
            eq(s.live_text("my-a"), "", other)
            has(r.err + str(s.plumb("status", "web", status=None).out), "web/kustomization.yaml:3:3: ")


@test("a base of another repository: a moved branch is synced; one listing a cycle serves all; unmoved it is not rendered again")
def _():
    with shop(poll="500ms") as (s, web, url):
        extra = "- {name: two, source: shop, path: two, target: here, namespace: two, sync: {automated: true}}\n"
        s.configure(more_apps=extra)
        s.daemon()
        wait_for("both", lambda: s.live_text("my-a") and s.live_text("my-a", ns="two"))
        start, at = listings(s), time.monotonic()
        wait_for("some polls", lambda: listings(s) >= start + 3)
        cycles = (time.monotonic() - at) / 0.45
        assert listings(s) - start <= cycles + 2, "%d listings in %.1f cycles" % (listings(s) - start, cycles)
        s.commit("srv/lib.git", {"base/cm.yaml": config_map("a", v="2")})
        wait_for("the new revision", lambda: '"2"' in s.live_text("my-a") and '"2"' in s.live_text("my-a", ns="two"))
        s.commit("srv/lib.git", {"base/kustomization.yaml": "resources: [cm.yaml]\nnamePrefx: x\n"})
        has(wait_for("the error", lambda: (s.app() or {}).get("message")), "@main//base/kustomization.yaml:2:1: ")
        s.commit("srv/lib.git", {"base/kustomization.yaml": "resources: [cm.yaml]\nnameSuffix: -x\n"})
        wait_for("the repaired one", lambda: s.live_text("my-a-x"))


@test("a commit is not asked for again, and the last render stays in force while the other side is away")
def _():
    with shop() as (s, web, url):
        first = s.git("rev-parse", "HEAD", cwd=s.path("srv/lib.git")).out.strip()
        s.commit("repo", {"web/kustomization.yaml": overlay(url.replace("main", first))})
        s.daemon()
        wait_for("the live object", lambda: s.live_text("my-a"))
        asked = listings(s)
        s.commit("repo", {"web/kustomization.yaml": overlay(url.replace("main", first)).replace("my-", "our-")})
        wait_for("the next render", lambda: s.live_text("our-a"))
        eq(listings(s), asked)


@test("a restart while the other side is away goes on with the stored render; a new render says what is missing")
def _():
    with shop() as (s, web, url):
        s.once()
        assert s.live_text("my-a")
        stop(web)
        s.once()
        has(s.plumb("status", "web").out, "Synced")
        s.commit("repo", {"web/kustomization.yaml": overlay(url).replace("my-", "our-")})
        s.once(status=1)
        assert s.live_text("my-a"), "nothing is pruned for it"
        has(s.plumb("status", "web", status=None).out, "web/kustomization.yaml:3:3: ")


@test("a sync that a person asks for takes the newest of other repositories, too")
def _():
    with shop(poll="1h", sync="{automated: false}") as (s, web, url):
        s.daemon()
        s.plumb("sync", "web")
        has(s.live_text("my-a"), '"1"')
        s.commit("srv/lib.git", {"base/cm.yaml": config_map("a", v="2")})
        s.plumb("sync", "web")
        has(s.live_text("my-a"), '"2"')
        s.commit("srv/lib.git", {"base/cm.yaml": config_map("a", v="3")})
        s.plumb("status", "--refresh", status=None)
        wait_for("the difference", lambda: (s.app() or {}).get("sync") == "OutOfSync")


@test("a branch that comes into being later is rendered then")
def _():
    with shop("?ref=later") as (s, web, url):
        s.daemon()
        has(wait_for("the error", lambda: (s.app() or {}).get("message")), "later")
        s.git("branch", "later", cwd=s.path("srv/lib.git"))
        wait_for("the live object", lambda: s.live_text("my-a"))


@test("a file by its URL is followed; a redirect leads only where the operator lets it")
def _():
    with Shop(files={"README": ""}) as s, Files() as web, Files() as other:
        port = int(web.url.rsplit(":", 1)[1])
        web.put("/cm.yaml", config_map("a", v="1"), etag='"1"')
        s.commit("repo", {"web/kustomization.yaml": overlay(web.url + "/cm.yaml")})
        s.configure(extra="remoteHosts: ['127.0.0.1:%d']" % port)
        s.daemon()
        wait_for("the live object", lambda: s.live_text("my-a"))
        web.put("/cm.yaml", config_map("a", v="2"), etag='"2"')
        wait_for("the new content", lambda: '"2"' in s.live_text("my-a"))
        other.put("/cm.yaml", config_map("secret", v="1"))
        web.answers["/cm.yaml"] = (302, {"Location": other.url + "/cm.yaml"}, b"")
        wait_for("the warning", lambda: "which is not allowed" in s.read("daemon.log"))
        eq(other.requests, [])
        has(s.live_text("my-a"), '"2"')


@test("a repository that is redirected to another host is not followed there")
def _():
    with shop() as (s, web, url), gs.Hostile(gs.http_redirect(web.url)) as h:
        s.commit("repo", {"web/kustomization.yaml": overlay("http://127.0.0.1:%d/lib.git/base?ref=main" % h.port)})
        s.configure(extra="remoteHosts: ['127.0.0.1:%d']" % h.port)
        s.once(status=1)
        assert h.requests
        eq(listings(s), 0)
        eq(s.live_text("my-a"), "")


if __name__ == "__main__":
    main()
