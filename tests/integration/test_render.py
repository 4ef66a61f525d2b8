#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""plumb render DIR: where the folder is, where it goes to, and what it takes from other repositories and servers."""
import contextlib
import os
import signal
import stat
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fakes"))
from harness import PLUMB, Scratch, eq, free_port, has, lacks, main, run, test  # noqa: E402
from files_server import Files  # noqa: E402
import git_servers as gs  # noqa: E402


def config_map(name, **data):
    lines = "".join('  %s: "%s"\n' % kv for kv in sorted(data.items()))
    return "apiVersion: v1\ndata:\n%skind: ConfigMap\nmetadata:\n  name: %s\n" % (lines, name)


class Place(Scratch):
    """A scratch folder with a cache of its own."""

    def render(self, *args, status=0, cwd=None, env=None):
        return run([PLUMB, "render"] + list(args), cwd=cwd or self.dir, status=status,
                   env=dict({"XDG_CACHE_HOME": self.path("cache")}, **(env or {})))

    def tree(self, **files):
        for name, text in files.items():
            self.write(name, text)

    def overlay(self, url, name="app"):
        self.write(name + "/kustomization.yaml", "namePrefix: my-\nresources:\n- %s\n" % url)
        return name


@contextlib.contextmanager
def git_server():
    """A repository shop.git with base/, behind git http-backend: (place, url of the repository, server)."""
    with Place() as s:
        os.mkdir(s.path("srv"))
        s.repo("srv/shop.git", {"base/kustomization.yaml": "resources: [cm.yaml]\n", "base/cm.yaml": config_map("a", v="1")})
        s.git("tag", "-a", "-m", "one", "v1", cwd=s.path("srv/shop.git"))
        web = gs.http_backend(s, s.path("srv"))
        yield s, web.url + "/shop.git", web


# ---- folders ----

BASE = {"base/kustomization.yaml": "resources: [cm.yaml]\n", "base/cm.yaml": config_map("a", v="1"),
        "overlays/prod/kustomization.yaml": "resources: [../../base]\nnamePrefix: prod-\n"}


@test("a base outside of the folder is reached without a work tree, however the folder is named")
def _():
    with Place() as s:
        s.tree(**BASE)
        want = config_map("prod-a", v="1")
        eq(s.render("overlays/prod").out, want)
        eq(s.render("overlays/prod/").out, want)
        eq(s.render(s.path("overlays/prod")).out, want)
        eq(s.render(".", cwd=s.path("overlays/prod")).out, want)
        eq(s.render(cwd=s.path("overlays/prod")).out, want, "without an argument")
        eq(s.render("../prod", cwd=s.path("overlays/prod")).out, want)
        os.symlink("overlays/prod", s.path("link"))
        eq(s.render("./link").out, want)
        assert not os.path.exists(s.path("cache")), "a folder without remotes leaves no cache"
        has(s.render(status=2).err, "name an application or a folder (there is no kustomization here)")
        has(s.render("base/cm.yaml", status=2).err, "base/cm.yaml", "not a folder")
        has(s.render("cm.yaml", cwd=s.path("base"), status=2).err, "cm.yaml", "not a folder")
        has(s.render("./none", status=2).err, "open the folder './none': No such file or directory")


@test("absolute names of files are taken wherever the user stands, also at the root; folders are told relative")
def _():
    with Place() as s:
        s.write("base/kustomization.yaml", "resources: [a.yaml]\n")
        s.write("base/a.yaml", config_map("a", v="1"))
        for cwd in ("/", s.dir, s.path("app")):
            s.write("app/kustomization.yaml", "resources: [%s/base/a.yaml]\n" % s.dir)
            eq(s.render("--load-restrictor=none", s.path("app"), cwd=cwd).out, config_map("a", v="1"))
            s.write("app/kustomization.yaml", "resources: [%s/base]\n" % s.dir)
            has(s.render(s.path("app"), cwd=cwd, status=2).err, "must be told relative")
        has(s.render(s.path("app"), cwd="/", status=2).err, "plumb: %s/app/kustomization.yaml:1:13: " % s.dir.lstrip("/"))


@test("errors name files as they are seen from where the user stands")
def _():
    with Place() as s:
        s.tree(**BASE)
        s.write("base/kustomization.yaml", "resources: [cm.yaml]\nnamePrefx: x\n")
        os.makedirs(s.path("a/b/c/d/e"))
        for cwd, name in ((".", "base/kustomization.yaml"), ("base", "kustomization.yaml"), ("overlays", "../base/kustomization.yaml"),
                          ("a/b/c/d/e", os.path.realpath(s.path("base/kustomization.yaml"))), ("/", s.path("base/kustomization.yaml")[1:])):
            r = s.render(s.path("overlays/prod"), cwd=s.path(cwd), status=2)
            assert r.err.startswith("plumb: %s:2:1: " % name), r
            has(r.err, "did you mean 'namePrefix'?")
            eq(r.out, "")
        s.write("plain/x.yaml", "a: [\n")
        assert s.render("plain", "--renderer", "yaml", status=2).err.startswith("plumb: plain/x.yaml:"), "plain manifests, too"


@test("a file outside of the folder needs the load restrictor's leave, in any of its spellings")
def _():
    with Place() as s:
        s.write("cm.yaml", config_map("a", v="1"))
        s.write("app/kustomization.yaml", "resources: [../cm.yaml]\n")
        for option in ([], ["--load-restrictor=LoadRestrictionsRootOnly"], ["--load-restrictor", "rootOnly"]):
            has(s.render("app", *option, status=2).err, "app/kustomization.yaml:1:", "../cm.yaml")
        for option in (["--load-restrictor=LoadRestrictionsNone"], ["--load-restrictor", "LoadRestrictionsNone"], ["--load-restrictor=none"]):
            eq(s.render("app", *option).out, config_map("a", v="1"))
        has(s.render("app", "--load-restrictor=off", status=2).err, "--load-restrictor takes LoadRestrictionsRootOnly or", "'off'")


@test("plain manifests follow no link out of their folder")
def _():
    with Place() as s:
        s.write("secret.yaml", config_map("secret", v="1"))
        os.mkdir(s.path("app"))
        os.symlink(s.path("secret.yaml"), s.path("app/x.yaml"))
        r = s.render("app", "--renderer=yaml", status=2)
        has(r.err, "outside")
        eq(r.out, "")


# ---- where it goes ----

TWO = {"app/kustomization.yaml": "resources: [r.yaml]\n",
       "app/r.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: Web, namespace: x}\n---\n"
                     "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n---\n"
                     "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: 'system:Node'}\n"}


@test("-o FILE is whole or as it was, and keeps its mode")
def _():
    with Place() as s:
        s.tree(**TWO)
        want = s.render("app").out
        eq(want.count("---\n"), 2)
        eq(s.render("app", "-o", "out.yaml").out, "")
        eq(s.read("out.yaml"), want)
        eq(stat.S_IMODE(os.stat(s.path("out.yaml")).st_mode), 0o666 & ~current_umask())
        os.chmod(s.path("out.yaml"), 0o640)
        os.symlink("out.yaml", s.path("link.yaml"))
        s.write("out.yaml", "old\n")
        s.render("app", "--output=link.yaml")
        eq(s.read("out.yaml"), want)
        assert os.path.islink(s.path("link.yaml")), "a link stays one"
        eq(stat.S_IMODE(os.stat(s.path("out.yaml")).st_mode), 0o640)
        s.write("app/kustomization.yaml", "resources: [none.yaml]\n")
        s.render("app", "-o", "out.yaml", status=2)
        eq(s.read("out.yaml"), want, "a failed build")
        has(s.render("app", "-o", "no/such/out.yaml", status=2).err, "none.yaml")
        s.tree(**TWO)
        has(s.render("app", "-o", "no/such/out.yaml", status=2).err, "write 'no/such/out.yaml': No such file or directory")
        eq(sorted(os.listdir(s.dir)), ["app", "link.yaml", "out.yaml"], "nothing else is left")


def current_umask():
    mask = os.umask(0o22)
    os.umask(mask)
    return mask


@test("-o DIR gets a file for each resource, named as kustomize names them")
def _():
    with Place() as s:
        s.tree(**TWO)
        os.mkdir(s.path("out"))
        eq(s.render("app", "-o", "out").out, "")
        eq(sorted(os.listdir(s.path("out"))), ["default_v1_service_web.yaml", "rbac.authorization.k8s.io_v1_clusterrole_system:node.yaml",
                                               "x_apps_v1_deployment_web.yaml"])
        eq(s.read("out/default_v1_service_web.yaml"), "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n")
        s.write("app/r.yaml", TWO["app/r.yaml"].replace(", namespace: x", ""))
        os.mkdir(s.path("one"))
        s.render("app", "-o", "one/")
        eq(sorted(os.listdir(s.path("one"))), ["apps_v1_deployment_web.yaml", "rbac.authorization.k8s.io_v1_clusterrole_system:node.yaml",
                                               "v1_service_web.yaml"])
        s.write("app/r.yaml", "".join("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\n" % n for n in ("A", "a")))
        os.mkdir(s.path("twice"))
        has(s.render("app", "-o", "twice", status=2).err, "two resources would be written to the file 'v1_configmap_a.yaml'")
        eq(os.listdir(s.path("twice")), [])


@test("-o json, yaml and name are forms, whatever is called so")
def _():
    with Place() as s:
        s.tree(**TWO)
        os.mkdir(s.path("name"))
        eq(s.render("app", "-o", "name").out.splitlines(), ["ClusterRole.rbac.authorization.k8s.io/system:Node", "Service/web", "Deployment.apps/Web"])
        eq(len(s.render("app", "-o", "json").out.splitlines()), 3)
        eq(s.render("app", "-o", "yaml").out, s.render("app").out)
        eq(os.listdir(s.path("name")), [])
        s.render("app", "-o", "./name")
        eq(len(os.listdir(s.path("name"))), 3)


@test("a full disk is an error with its reason; a reader that leaves ends it")
def _():
    with Place() as s:
        s.write("app/kustomization.yaml", "resources: [r.yaml]\n")
        s.write("app/r.yaml", "".join("---\n" + config_map("a%d" % i, v="x" * 200) for i in range(2000)))
        with open("/dev/full", "wb") as full:
            p = subprocess.run([PLUMB, "render", "app"], cwd=s.dir, stdout=full, stderr=subprocess.PIPE)
        eq(p.returncode, 2)
        has(p.stderr.decode(), "print on stdout", "No space left on device")
        has(s.render("app", "-o", "/dev/full", status=2).err, "write '/dev/full': write: No space left on device")
        for deaf in (False, True):
            p = subprocess.Popen([PLUMB, "render", "app"], cwd=s.dir, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 preexec_fn=lambda d=deaf: signal.signal(signal.SIGPIPE, signal.SIG_IGN if d else signal.SIG_DFL),
                                 restore_signals=False)
            p.stdout.read(1)
            p.stdout.close()
            err = p.stderr.read().decode()
            p.stderr.close()
            eq(p.wait(20), 2 if deaf else -signal.SIGPIPE)
            (has if deaf else lacks)(err, "Broken pipe")


# ---- other repositories ----

@test("a remote base by branch, tag, commit or none; a moved branch is seen, a tag and a commit stay")
def _():
    with git_server() as (s, url, web):
        first = s.git("rev-parse", "HEAD", cwd=s.path("srv/shop.git")).out.strip()
        refs = {"main": "?ref=main", "default": "", "v1": "?ref=v1", "commit": "?ref=" + first}
        for name, query in refs.items():
            s.overlay(url + "/base" + query, name)
            eq(s.render(name).out, config_map("my-a", v="1"), name)
        s.commit("srv/shop.git", {"base/cm.yaml": config_map("a", v="2")})
        for name in refs:
            eq(s.render(name).out, config_map("my-a", v="2" if name in ("main", "default") else "1"), name)
        eq(stat.S_IMODE(os.stat(s.path("cache/plumb")).st_mode), 0o700)


@test("--offline takes what was seen before, and says what was not")
def _():
    with git_server() as (s, url, web):
        s.overlay(url + "/base?ref=main")
        has(s.render("app", "--offline", status=2).err, "app/kustomization.yaml:3:3: ", "revision 'main' of '%s" % url, "is not in the cache")
        assert not os.path.exists(s.path("cache")), "--offline leaves nothing"
        s.render("app")
        first = s.git("rev-parse", "HEAD", cwd=s.path("srv/shop.git")).out.strip()
        s.commit("srv/shop.git", {"base/cm.yaml": config_map("a", v="2")})
        web.terminate()
        web.wait()
        eq(s.render("app", "--offline").out, config_map("my-a", v="1"))
        eq(s.render(s.overlay(url + "/base?ref=" + first, "pinned"), "--offline").out, config_map("my-a", v="1"))
        eq(s.render("pinned").out, config_map("my-a", v="1"), "a full id needs no server once it was fetched")
        has(s.render(s.overlay(url + "/base?ref=v1", "tag"), "--offline", status=2).err, "revision 'v1'", "is not in the cache")
        has(s.render(s.overlay(url + "/base?ref=" + "a" * 40, "none"), "--offline", status=2).err, "a" * 40, "is not in the cache")
        has(s.render("app", status=2).err, "app/kustomization.yaml:3:3: ", url, "fetch")


@test("what is wrong on the other side is told with its place")
def _():
    with git_server() as (s, url, web):
        has(s.render(s.overlay(url + "/base?ref=mian"), status=2).err, "app/kustomization.yaml:3:3: ", "mian", "did you mean 'main'?")
        has(s.render(s.overlay(url + "/bsae?ref=main"), status=2).err, "app/kustomization.yaml:3:3: ", "bsae")
        has(s.render(s.overlay(web.url + "/none.git/base"), status=2).err, "app/kustomization.yaml:3:3: ", "/none.git")
        has(s.render(s.overlay("http://127.0.0.1:%d/shop.git/base" % free_port()), status=2).err, "app/kustomization.yaml:3:3: ", "fetch")
        s.commit("srv/shop.git", {"base/kustomization.yaml": "resources: [cm.yaml]\nnamePrefx: x\n"})
        has(s.render(s.overlay(url + "/base?ref=main"), status=2).err, "@main//base/kustomization.yaml:2:1: ", "did you mean 'namePrefix'?")


@test("a remote tree is read within itself only")
def _():
    with git_server() as (s, url, web):
        s.write("secret.yaml", config_map("secret", v="1"))
        d = s.path("srv/shop.git")
        os.symlink(s.path("secret.yaml"), os.path.join(d, "base", "out.yaml"))
        s.commit("srv/shop.git", {"base/kustomization.yaml": "resources: [out.yaml]\n",
                                  "up/kustomization.yaml": "resources: [../../../secret.yaml]\n",
                                  "near/kustomization.yaml": "resources: [../shared]\n",
                                  "shared/kustomization.yaml": "resources: [cm.yaml]\n", "shared/cm.yaml": config_map("b", v="1")})
        for name in ("base", "up"):
            for option in ([], ["--load-restrictor=none"]):
                r = s.render(s.overlay(url + "/" + name + "?ref=main"), *option, status=2)
                lacks(r.out + r.err, "secret\n")
        eq(s.render(s.overlay(url + "/near?ref=main")).out, config_map("my-b", v="1"))


@test("a kustomization by its URL")
def _():
    with git_server() as (s, url, web):
        eq(s.render(url + "/base?ref=v1").out, config_map("a", v="1"))
        eq(s.render(url + "//base?ref=v1", "--offline").out, config_map("a", v="1"))
        has(s.render(url + "/none?ref=v1", status=2).err, "none")
        has(s.render("https://localhost", status=2).err, "'https://localhost' is no repository")


@test("a URL's user and query are not shown, also where the URL is the argument")
def _():
    with Place() as s:
        for url in ("https://me:hush@127.0.0.1:1/o/r//p?ref=x&token=hush", "https://me:hu@sh@127.0.0.1:1/o?hush", "https://hush@127.0.0.1:1"):
            r = s.render("--offline", url, status=2)
            has(r.err, "render 'https://127.0.0.1:1")
            lacks(r.err, "hush", "hu@sh", "me:")


@test("one repository is asked once, however many bases come from it")
def _():
    with git_server() as (s, url, web):
        s.commit("srv/shop.git", {"b%d/%s" % (i, f): t for i in range(5) for f, t in
                                  (("kustomization.yaml", "resources: [cm.yaml]\n"), ("cm.yaml", config_map("m%d" % i, v="1")))})
        s.write("app/kustomization.yaml", "resources:\n" + "".join("- %s/b%d?ref=main\n" % (url, i) for i in range(5)))
        eq(s.render("app", "-o", "name").out.splitlines(), ["ConfigMap/m%d" % i for i in range(5)])
        asked = s.read("http/access.log").count("info/refs")
        s.render("app")
        eq(s.read("http/access.log").count("info/refs") - asked, 1)


# ---- files by their URL ----

@test("a file by its URL is asked for again only when it has changed, and kept for --offline")
def _():
    with Place() as s, Files() as web:
        web.put("/x/cm.yaml", config_map("a", v="1"), etag='"one"')
        s.overlay(web.url + "/x/cm.yaml")
        has(s.render("app", "--offline", status=2).err, "app/kustomization.yaml:3:3: ", "is not in the cache")
        eq(s.render("app").out, config_map("my-a", v="1"))
        eq(s.render("app").out, config_map("my-a", v="1"))
        eq([h.get("If-None-Match") for _, h in web.requests], [None, '"one"'])
        web.put("/x/cm.yaml", config_map("a", v="2"), etag='"two"')
        eq(s.render("app").out, config_map("my-a", v="2"))
        asked = len(web.requests)
        eq(s.render("app", "--offline").out, config_map("my-a", v="2"))
        eq(len(web.requests), asked)


@test("what a web server answers else is told with the status and the URL, without what may be secret in it")
def _():
    with Place() as s, Files() as web:
        web.answers["/500"] = (500, {}, b"")
        web.answers["/403?token=hunter2"] = (403, {}, b"")
        for path, says in (("/none.yaml", "404 Not Found"), ("/500", "500 Internal Server Error"), ("/403?token=hunter2", "403 Forbidden")):
            r = s.render(s.overlay(web.url + path), status=2)
            has(r.err, "app/kustomization.yaml:3:3: ", says, web.url + path.split("?")[0])
            lacks(r.err, "hunter2")
        web.answers["/bad.yaml"] = (200, {}, b"a: [\n")
        has(s.render(s.overlay(web.url + "/bad.yaml"), status=2).err, web.url + "/bad.yaml:")
        r = s.render(s.overlay("http://127.0.0.1:%d/x.yaml" % free_port()), status=2)
        has(r.err, "app/kustomization.yaml:3:3: ", "onnect")


@test("redirects are followed ten times, never to another scheme")
def _():
    with Place() as s, Files() as web:
        s.write("local.yaml", config_map("local", v="1"))
        web.put("/end.yaml", config_map("a", v="1"))
        for i in range(12):
            web.answers["/r%d.yaml" % i] = (302, {"Location": "/r%d.yaml" % (i - 1) if i else "/end.yaml"}, b"")
        web.answers["/file.yaml"] = (302, {"Location": "file://" + s.path("local.yaml")}, b"")
        eq(s.render(s.overlay(web.url + "/r9.yaml")).out, config_map("my-a", v="1"))
        has(s.render(s.overlay(web.url + "/r10.yaml"), status=2).err, "more than 10 redirects")
        r = s.render(s.overlay(web.url + "/file.yaml"), status=2)
        has(r.err, "redirected to 'file://", "not allowed")
        lacks(r.out, "local")


@test("a certificate that nobody vouches for is refused")
def _():
    with Place() as s:
        ca, cert, key = gs.certificates(s)
        with gs.Hostile(gs.http_answers("200 OK", config_map("a", v="1").encode()), tls=(cert, key)) as h:
            r = s.render(s.overlay("https://localhost:%d/cm.yaml" % h.port), status=2)
            has(r.err, "app/kustomization.yaml:3:3: ", "certificate")
            eq(h.requests, [])


if __name__ == "__main__":
    main()
