#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The git source against real servers, hostile ones, and repositories that change in every way."""
import glob
import json
import os
import shutil
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fakes"))
from harness import BUILD, ROOT, SLOW, Scratch, eq, free_port, has, lacks, main, need, run, stop, test, wait_for  # noqa: E402
import git_servers as gs  # noqa: E402

DRIVER = os.path.join(BUILD, "tests", "git_driver")
PLUGINS = os.path.join(BUILD, "plugins")


def built():
    if not os.path.exists(DRIVER) or not os.path.exists(os.path.join(PLUGINS, "sources", "git.so")):
        run(["make", "-s", "-C", ROOT, "BUILD=" + BUILD, DRIVER, os.path.join(PLUGINS, "sources", "git.so")], timeout=300)


class Source:
    """One repository as the driver sees it."""

    def __init__(self, s, url, cache="cache", timeout=20, **options):
        self.s, self.cache, self.timeout = s, s.path(cache), timeout
        self.options = json.dumps(dict({"url": url}, **options))
        self.log = ""

    def command(self, *args):
        return [DRIVER, PLUGINS, self.cache, str(int(self.timeout * 1000 * SLOW)), self.options] + list(args)

    def run(self, *args, status=0, env=None):
        r = run(self.command(*args), status=status, env=env)
        self.log = r.err
        return r

    def json(self, *args, env=None):
        return [json.loads(x) for x in self.run(*args, env=env).out.splitlines()]

    def resolve(self, *wanted, env=None):
        return self.json("resolve", *wanted, env=env)[0]

    def one(self, wanted="", env=None):
        got = self.resolve(wanted, env=env)[0]
        eq(got["status"], "ok", "resolve %r: %s" % (wanted, got["error"]))
        return got["id"]

    def error(self, *args, status=1, env=None):
        return self.run(*args, status=status, env=env).err

    def fetch(self, *ids):
        return self.run("fetch", *ids)

    def cat(self, commit, path):
        return self.run("cat", commit, path).out

    def names(self, commit, path=""):
        return [x["name"] for x in self.json("ls", commit, path)[0]]

    def packs(self):
        return sorted(glob.glob(self.cache + "/repo/objects/pack/*"))


def bare(s, name="repo"):
    s.git("clone", "-q", "--bare", s.path(name), s.path("srv", name + ".git"))
    return s.path("srv", name + ".git")


def push(s, name="repo", *refs, force=False):
    s.git("push", "-q", *(["-f"] if force else []), s.path("srv", name + ".git"), *(refs or ["HEAD"]), cwd=s.path(name))


# ---- revisions ----

@test("one listing answers branches, tags, references and commit ids")
def _():
    with Scratch() as s:
        r = s.repo(files={"a": "1"})
        first = s.git("rev-parse", "HEAD", cwd=r).out.strip()
        s.git("tag", "-a", "v1", "-m", "one", cwd=r)
        s.git("tag", "light", cwd=r)
        s.git("branch", "v1", cwd=r)
        second = s.commit("repo", {"a": "2"})
        d = gs.git_daemon(s, s.dir)
        src = Source(s, d.url + "/repo")
        wanted = ["", "HEAD", "main", "v1", "refs/tags/v1", "tags/v1", "light", "refs/heads/main", "heads/main", first]
        got = src.resolve(*wanted)
        eq([x["id"] for x in got], [second, second, second, first, first, first, first, second, second, first])
        eq(got[0]["name"], "main@sha1:" + second)
        eq(got[4]["name"], "refs/tags/v1@sha1:" + first)
        eq(got[9]["name"], "sha1:" + first)
        with open(d.log) as f:
            eq(f.read().count("Request upload-pack"), 1, "listings")
        assert not os.path.exists(src.cache + "/repo"), "resolve has made a clone"


@test("a tag's commit can be fetched, by the tag and by its id")
def _():
    with Scratch() as s:
        r = s.repo(files={"a": "1"})
        first = s.git("rev-parse", "HEAD", cwd=r).out.strip()
        s.git("tag", "-a", "v1", "-m", "one", cwd=r)
        s.git("checkout", "-q", "--orphan", "other", cwd=r)
        s.commit("repo", {"a": "2"})
        s.git("branch", "-D", "main", cwd=r)
        src = Source(s, "file://" + r)
        eq(src.one("v1"), first)
        src.fetch(first)
        eq(src.cat(first, "a"), "1")


@test("what can't be resolved is told for each revision alone")
def _():
    with Scratch() as s:
        r = s.repo(files={"a": "1"})
        s.git("branch", "release-2", cwd=r)
        s.git("tag", "v1.0", cwd=r)
        src = Source(s, "file://" + r)
        got = src.resolve("main", "mian", "v1.1", "abcdef1", "ab" * 32, "refs/heads/none", "x" * 300, "main^{}", "*")
        eq([x["status"] for x in got], ["ok", "not found", "not found", "not found", "unsupported", "not found", "invalid", "not found",
                                        "not found"])
        has(got[1]["error"], "no branch or tag 'mian'", "did you mean 'main'?")
        has(got[2]["error"], "did you mean 'v1.0'?")
        has(got[3]["error"], "short commit id", "all 40 digits")
        has(got[4]["error"], "SHA-256")
        has(got[6]["error"], "at most 256 bytes")
        for x in got[1:]:
            assert x["status"] != "ok" and x["id"] == "" and x["error"], x


@test("a commit id that is on no branch tip is fetched through the branches")
def _():
    with Scratch() as s:
        r = s.repo(files={"a": "1"})
        first = s.git("rev-parse", "HEAD", cwd=r).out.strip()
        s.commit("repo", {"a": "2"})
        d = gs.git_daemon(s, s.dir)
        src = Source(s, d.url + "/repo")
        eq(src.one(first), first)
        src.fetch(first)
        eq(src.cat(first, "a"), "1")
        err = src.error("fetch", "12" * 20)
        has(err, "not found", "no commit '%s'" % ("12" * 20))
        blob = s.git("rev-parse", "HEAD:a", cwd=r).out.strip()
        has(src.error("fetch", blob), "is not a commit")


@test("detached, empty and headless remotes")
def _():
    with Scratch() as s:
        r = s.repo(files={"a": "1"})
        first = s.git("rev-parse", "HEAD", cwd=r).out.strip()
        s.git("checkout", "-q", "--detach", cwd=r)
        at = s.commit("repo", {"a": "2"})
        d = gs.git_daemon(s, s.dir)
        src = Source(s, d.url + "/repo")
        got = src.resolve("", "main")
        eq([got[0]["id"], got[1]["id"]], [at, first])
        has(got[0]["name"], "@sha1:" + at)
        src.fetch(at)
        eq(src.cat(at, "a"), "2")
        s.git("symbolic-ref", "HEAD", "refs/heads/gone", cwd=r)
        for url in (d.url + "/repo", "file://" + r):
            got = Source(s, url, cache="c2").resolve("", "main")
            eq([got[0]["status"], got[1]["id"]], ["not found", first])
            has(got[0]["error"], "no default branch", "'main'")
        s.git("init", "-q", s.path("empty"))
        for url in (d.url + "/empty", "file://" + s.path("empty")):
            got = Source(s, url, cache="c3").resolve("", "main")
            for x in got:
                eq(x["status"], "not found")
                has(x["error"], "is empty")


# ---- urls and options ----

@test("urls and options that can't work are refused with the reason")
def _():
    with Scratch() as s:
        cases = [
            ("https://ann:s3cret@example.org/x.git", {}, "holds credentials"),
            ("https://s3cret@example.org/x.git", {}, "holds credentials"),
            ("ssh://git:s3cret@example.org/x.git", {}, "holds credentials"),
            ("ftp://example.org/x", {}, "scheme 'ftp'"),
            ("file://example.org/x", {}, "names a host"),
            ("relative/path", {}, "neither a url nor an absolute path"),
            ("example.org:path", {}, "has no user"),
            ("https:///x", {}, "names no host"),
            ("https://example.org:99999/x", {}, "port"),
            ("git://example.org/a\nb", {}, "control character"),
            ("git@example.org:x'; touch y; '.git", {}, "single quote"),
            ("ssh://git@example.org/x%27;touch y;%27.git", {}, "single quote"),
            ("/x", {"credentials": {"tokenFile": "/a", "tokenEnv": "B"}}, "both tokenFile and tokenEnv"),
            ("/x", {"credentials": {"tokenFile": "/a", "passwordEnv": "B"}}, "both a token and a password"),
            ("/x", {"credentials": {"username": "a", "usernameFile": "/b"}}, "both username and usernameFile"),
            ("/x", {"credentials": {"sshKeyPassphraseFile": "/b"}}, "no sshKeyFile"),
        ]
        for url, options, text in cases:
            err = Source(s, url, **options).error("resolve", "")
            has(err, text)
            lacks(err, "s3cret")
        has(Source(s, "/x", maxByte=1).error("resolve", "", status=2), "maxByte")
        has(Source(s, "/x", maxBytes=0).error("resolve", "", status=2), "maxBytes")
        has(Source(s, "/nowhere/at/all").error("resolve", ""), "not found", "/nowhere/at/all")
        has(Source(s, s.dir).error("resolve", ""), "not found", "there is no Git repository")
        has(Source(s, "file:///nowhere/at/all").error("resolve", ""), "/nowhere/at/all")
        has(Source(s, "git://127.0.0.1:%d/x" % free_port()).error("resolve", ""), "unavailable", "127.0.0.1")
        has(Source(s, "https://localhost:1/x", caFile="/nowhere/ca.pem").error("resolve", ""), "caFile '/nowhere/ca.pem'")


@test("the user's git configuration changes nothing")
def _():
    with Scratch() as s:
        r = s.repo(files={"a": "1"})
        other = s.repo("other", files={"a": "evil"})
        s.write(".gitconfig", '[url "file://%s"]\n\tinsteadOf = file://%s\n' % (other, r))
        src = Source(s, "file://" + r)
        eq(src.one(env={"HOME": s.dir}), s.git("rev-parse", "HEAD", cwd=r).out.strip())


# ---- trees ----

@test("files are read from the object database: odd names, links, submodules, modes")
def _():
    with Scratch() as s:
        odd = ["with space", "quo\"te'", "new\nline", "tab\t", "ünïcödé", "-dash", "a", "a.b", "a0", "Z", "back\\slash", "日本"]
        r = s.repo(files={"odd/" + n: "text of " + n for n in odd})
        s.write("repo/odd/a-dir/x", "1")
        s.write("repo/run.sh", "#!/bin/sh\n")
        os.chmod(s.path("repo/run.sh"), 0o755)
        os.symlink("odd/a", s.path("repo/inside"))
        os.symlink("../../etc/passwd", s.path("repo/outside"))
        os.symlink("/etc/passwd", s.path("repo/absolute"))
        sub = s.repo("sub", files={"y": "2"})
        s.git("submodule", "add", "-q", sub, "module", cwd=r)
        s.write("repo/big", "x" * 100000)
        s.write("repo/null", b"a\0b\xff")
        c = s.commit("repo", {"empty": ""})
        src = Source(s, "file://" + r)
        src.fetch(c)
        names = src.names(c, "odd")
        want = sorted(odd + ["a-dir"], key=lambda x: x.encode())
        eq(names, want)
        for n in odd:
            eq(src.cat(c, "odd/" + n), "text of " + n)
        eq({x["name"]: x["type"] for x in src.json("ls", c, "")[0]},
           {"absolute": "link", "big": "file", "empty": "file", "inside": "link", "module": "submodule", "null": "file",
            "odd": "dir", "outside": "link", "run.sh": "file", ".gitmodules": "file"})
        eq(src.cat(c, "inside"), "text of a")
        eq(src.json("link", c, "outside")[0], "../../etc/passwd")
        has(src.error("cat", c, "outside"), "denied")
        has(src.error("cat", c, "absolute"), "denied")
        eq([src.json("type", c, x)[0]["executable"] for x in ("run.sh", "big")], [True, False])
        eq(src.json("type", c, "run.sh")[0]["id"], s.git("rev-parse", c + ":run.sh", cwd=r).out.strip())
        has(src.error("cat", c, "nope"), "not found")
        eq(len(src.cat(c, "big")), 100000)
        eq(src.cat(c, "empty"), "")


@test("10,000 files in one folder")
def _():
    with Scratch() as s:
        r = s.repo()
        run(["git", "fast-import", "--quiet"], cwd=r, stdin="commit refs/heads/many\ncommitter A <a@b> 1700000000 +0000\ndata 4\nmany\n"
            + "".join("M 644 inline f/%05d.yaml\ndata %d\n%s\n" % (i, len(str(i)), i) for i in range(10000)))
        src = Source(s, "file://" + r)
        c = src.one("many")
        src.fetch(c)
        names = src.names(c, "f")
        eq((len(names), names[0], names[-1]), (10000, "00000.yaml", "09999.yaml"))
        eq(src.cat(c, "f/07777.yaml"), "7777")


@test("who wrote a commit, what and when; also in Latin-1")
def _():
    with Scratch() as s:
        r = s.repo(files={"a": "1"})
        c = s.git("commit-tree", "-m", "größer\n\nbody", "HEAD^{tree}", cwd=r).out.strip()
        s.git("update-ref", "refs/heads/main", c, cwd=r)
        raw = s.git("cat-file", "-p", c, cwd=r).out.encode("latin-1", "replace")
        s.write("raw", raw.replace(b"Ann", b"Ann\xe9"))
        odd = run(["git", "hash-object", "-t", "commit", "-w", s.path("raw")], cwd=r).out.strip()
        s.git("update-ref", "refs/heads/odd", odd, cwd=r)
        src = Source(s, "file://" + r)
        src.fetch(c, odd)
        d = src.json("describe", c)[0]
        eq((d["author"], d["message"]), ("Ann <ann@example.org>", "größer\n\nbody\n"))
        eq(str(d["time"]), s.git("log", "-1", "--format=%at", c, cwd=r).out.strip())
        has(src.json("describe", odd)[0]["author"], "Ann? <")
        has(src.error("describe", "34" * 20), "not found", "not in the cache")
        has(src.error("ls", "34" * 20, ""), "not in the cache")


# ---- what changes on the other side ----

@test("a poll that finds nothing new lists once and moves no objects")
def _():
    with Scratch() as s:
        s.repo(files={"a": "1"})
        d = gs.git_daemon(s, s.dir)
        src = Source(s, d.url + "/repo")
        c = src.one()
        src.fetch(c)
        packs = src.packs()

        def requests():
            with open(d.log) as f:
                return f.read().count("Request upload-pack")
        before = requests()
        for _ in range(3):
            eq(src.one(), c)
            src.fetch(c)
        eq(requests() - before, 3, "listings of three polls")
        eq(src.packs(), packs)


@test("force-pushed, renamed, emptied, deleted: the old commit stays readable")
def _():
    with Scratch() as s:
        r = s.repo(files={"a": "1"})
        srv = bare(s)
        d = gs.git_daemon(s, s.path("srv"))
        src = Source(s, d.url + "/repo.git")
        old = src.one()
        src.fetch(old)
        s.git("commit", "-q", "--amend", "-m", "again", cwd=r)
        s.commit("repo", {"a": "2"})
        push(s, force=True)
        s.git("reflog", "expire", "--expire=now", "--all", cwd=srv)
        s.git("gc", "-q", "--prune=now", cwd=srv)
        new = src.one()
        src.fetch(new)
        eq((src.cat(old, "a"), src.cat(new, "a")), ("1", "2"))
        s.git("branch", "-m", "main", "trunk", cwd=srv)
        got = src.resolve("", "main", "trunk")
        eq([x["status"] for x in got], ["ok", "not found", "ok"])
        has(got[1]["error"], "'trunk'")
        s.git("update-ref", "-d", "refs/heads/trunk", cwd=srv)
        has(src.resolve("main")[0]["error"], "is empty")
        shutil.rmtree(srv)
        err = src.error("resolve", "main")
        has(err, "not found", "/repo.git")
        src.fetch(old, new)
        eq((src.cat(old, "a"), src.cat(new, "a")), ("1", "2"))


@test("an ancestor of what is there is kept without asking")
def _():
    with Scratch() as s:
        r = s.repo(files={"a": "1"})
        first = s.git("rev-parse", "HEAD", cwd=r).out.strip()
        c = s.commit("repo", {"a": "2"})
        src = Source(s, "file://" + r)
        src.fetch(c)
        eq(src.json("has", first), [False])
        shutil.rmtree(r)
        src.fetch(first)
        eq(src.cat(first, "a"), "1")


@test("SHA-256 repositories are refused")
def _():
    with Scratch() as s:
        s.git("init", "-q", "--object-format=sha256", s.path("repo"))
        s.commit("repo", {"a": "1"})
        has(Source(s, "file://" + s.path("repo")).error("resolve", ""), "SHA-256")
        with gs.Hostile(gs.sha256_repository) as h:
            has(Source(s, "git://127.0.0.1:%d/x" % h.port).error("resolve", ""), "SHA-256")


# ---- the cache ----

def objects_of(cache):
    return glob.glob(cache + "/repo/objects/pack/*.pack")


@test("a fetch that is killed leaves a usable cache")
def _():
    with Scratch() as s:
        r = s.repo()
        for i in range(200):
            s.write("repo/f%d" % i, os.urandom(20000))
        c = s.commit("repo", {"a": "1"})
        d = gs.git_daemon(s, s.dir)
        for delay in (0.005, 0.02, 0.05, 0.1, 0.2):
            with gs.Hostile(slow_proxy(d.port)) as h:
                src = Source(s, "git://127.0.0.1:%d/repo" % h.port)
                p = s.start(src.command("fetch", c))
                time.sleep(delay * SLOW)
                os.killpg(p.pid, signal.SIGKILL)
                p.wait()
        os.makedirs(src.cache + "/repo/refs/plumb/keep", exist_ok=True)
        s.write("cache/repo/refs/plumb/keep/%s.lock" % c, "")
        s.write("cache/repo/objects/pack/pack_git2_abc", "half")
        src = Source(s, d.url + "/repo")
        new = s.commit("repo", {"a": "2"})
        src.fetch(c, new)
        eq((src.cat(c, "a"), src.cat(new, "a")), ("1", "2"))
        assert not os.path.exists(src.cache + "/repo/objects/pack/pack_git2_abc"), "a half pack is left"
        eq(glob.glob(src.cache + "/broken"), [])


def slow_proxy(port):
    return gs.cut_proxy(port, 1 << 30)


@test("a damaged cache is noticed, moved aside and fetched again")
def _():
    def truncate_pack(cache):
        for f in objects_of(cache):
            os.chmod(f, 0o600)
            os.truncate(f, os.path.getsize(f) // 2)

    def flip_bytes(cache):
        for f in objects_of(cache):
            os.chmod(f, 0o600)
            with open(f, "r+b") as x:
                x.seek(12)
                x.write(b"\xff" * (os.path.getsize(f) - 40))

    def no_head(cache):
        os.unlink(cache + "/repo/HEAD")

    def no_config(cache):
        with open(cache + "/repo/config", "w") as f:
            f.write("[core\nnonsense")

    def no_packs(cache):
        for f in glob.glob(cache + "/repo/objects/pack/*"):
            os.unlink(f)

    def empty_keep(cache):
        for f in glob.glob(cache + "/repo/refs/plumb/keep/*"):
            os.truncate(f, 0)

    with Scratch() as s:
        r = s.repo(files={"a": "1", "d/b": "2" * 5000, "d/c": "text\n" * 300})
        first = s.git("rev-parse", "HEAD", cwd=r).out.strip()
        for damage in (truncate_pack, flip_bytes, no_head, no_config, no_packs, empty_keep):
            src = Source(s, "file://" + r, cache=damage.__name__)
            src.fetch(first)
            damage(src.cache)
            reads = run(src.command("cat", first, "d/b"), status=None)
            assert reads.status != 0, "%s went unnoticed" % damage.__name__
            lacks(reads.out, "2" * 10)
            src.fetch(first)
            eq(src.cat(first, "d/b"), "2" * 5000, damage.__name__)
            eq(src.cat(first, "d/c"), "text\n" * 300, damage.__name__)
        packs = src.packs()
        open(src.cache + "/damaged", "w").close()
        os.rename(r, r + "-away")
        has(src.error("fetch", first), r)
        eq(src.packs(), packs, "given up for a server that does not answer")
        os.rename(r + "-away", r)
        src.fetch(first)
        eq(src.cat(first, "a"), "1")


@test("damage below a delta is found when a fetch stumbles over it")
def _():
    with Scratch() as s:
        r = s.repo(files={"f": "".join("line %d\n" % i for i in range(3000))})
        first = s.git("rev-parse", "HEAD", cwd=r).out.strip()
        d = gs.git_daemon(s, s.dir)
        src = Source(s, d.url + "/repo")
        src.fetch(first)
        for f in objects_of(src.cache):
            os.chmod(f, 0o600)
            with open(f, "r+b") as x:
                x.seek(200)
                x.write(b"\0" * (os.path.getsize(f) - 260))
        second = s.commit("repo", {"f": "".join("line %d\n" % i for i in range(1, 3001))})
        src.fetch(second)
        eq(src.cat(second, "f")[:7], "line 1\n")


@test("two processes fetch into one cache at the same time")
def _():
    with Scratch() as s:
        r = s.repo()
        ids = [s.commit("repo", {"f%d" % i: str(i) * 1000}) for i in range(6)]
        src = Source(s, "file://" + r)
        ps = [s.start(src.command("fetch", c, "--", "cat", c, "f%d" % i), log="p%d" % i) for i, c in enumerate(ids)]
        for p in ps:
            p.wait(60 * SLOW)
        for i, c in enumerate(ids):
            with open(ps[i].log) as f:
                text = f.read()
            eq(ps[i].returncode, 0, text)
            eq(src.cat(c, "f%d" % i), str(i) * 1000)


@test("an open handle goes on after another process has rebuilt the cache")
def _():
    with Scratch() as s:
        r = s.repo(files={"a": "1"})
        c = s.git("rev-parse", "HEAD", cwd=r).out.strip()
        src = Source(s, "file://" + r)
        p = s.start(src.command("fetch", c, "--", "cat", c, "a", "--", "touch", s.path("go"), "--", "wait", s.path("done"),
                                "--", "cat", c, "a", "--", "fetch", c), log="out")
        wait_for("the first read", lambda: os.path.exists(s.path("go")))
        open(src.cache + "/damaged", "w").close()
        src.fetch(c)
        assert os.path.isdir(src.cache + "/broken"), "the cache was not rebuilt"
        s.write("done", "")
        p.wait(60 * SLOW)
        eq(p.returncode, 0, s.read("out"))
        has(s.read("out"), "true\n11true\n")


@test("many kept commits do not stay one file each")
def _():
    with Scratch() as s:
        r = s.repo()
        run(["git", "fast-import", "--quiet"], cwd=r, stdin="".join(
            "commit refs/heads/many\ncommitter A <a@b> %d +0000\ndata 1\nx\nM 644 inline f\ndata 3\n%03d\n" % (1700000000 + i, i)
            for i in range(300)))
        ids = s.git("rev-list", "many", cwd=r).out.split()
        src = Source(s, "file://" + r)
        src.fetch(*ids)
        last = s.commit("repo", {"z": "1"})
        src.fetch(last)
        assert len(glob.glob(src.cache + "/repo/refs/plumb/keep/*")) < 256
        eq(src.cat(ids[7], "f"), "292")
        eq(src.json("has", ids[299]), [True])


@test("the limit on received bytes holds")
def _():
    with Scratch() as s:
        s.repo()
        c = s.commit("repo", {"big": os.urandom(300000)})
        d = gs.git_daemon(s, s.dir)
        src = Source(s, d.url + "/repo", maxBytes=100000)
        has(src.error("fetch", c), "too big", "more than 100000 bytes", "maxBytes")
        eq(src.packs(), [])
        Source(s, d.url + "/repo", maxBytes=1000000).fetch(c)
        has(Source(s, "file://" + s.path("repo"), cache="local", maxBytes=100000).error("fetch", c), "more than 100000 bytes")


# ---- http ----

@test("http: basic credentials by file and environment; one listing a poll in the access log")
def _():
    with Scratch() as s:
        s.repo(files={"a": "1"})
        bare(s)
        w = gs.http_backend(s, s.path("srv"), user="ann", password="pw-s3cret")
        url = w.url + "/repo.git"
        s.write("pw", "pw-s3cret\n")
        s.write("user", "ann\n")
        has(Source(s, url).error("resolve", ""), "not authorised", "asks for credentials", "tokenFile")
        s.write("wrong", "wrong-s3cret")
        err = Source(s, url, credentials={"username": "ann", "passwordFile": s.path("wrong")}).error("resolve", "")
        has(err, "not authorised", "has refused the user name and password")
        lacks(err, "s3cret")
        err = Source(s, url, credentials={"username": "ann", "passwordFile": "/nowhere/pw"}).error("resolve", "")
        has(err, "/nowhere/pw")
        has(Source(s, url, credentials={"tokenEnv": "PLUMB_NO_TOKEN"}).error("resolve", ""), "PLUMB_NO_TOKEN")
        env = {"TOKEN_OF_TEST": "pw-s3cret"}
        eq(len(Source(s, url, credentials={"username": "ann", "tokenEnv": "TOKEN_OF_TEST"}).one(env=env)), 40)
        src = Source(s, url, credentials={"usernameFile": s.path("user"), "passwordFile": s.path("pw")})
        c = src.one()
        src.fetch(c)
        eq(src.cat(c, "a"), "1")
        lacks(src.log, "s3cret")
        open(w.access, "w").close()
        src.one()
        src.fetch(c)
        log = wait_for("the access log", lambda: open(w.access).read())
        eq(log.count(" 200 "), 1, log)
        lacks(log, "POST")
        found = run(["grep", "-rl", "s3cret", src.cache], status=None).out
        eq(found, "", "the secret was written")


@test("https: the certificate must be right")
def _():
    with Scratch() as s:
        s.repo(files={"a": "1"})
        bare(s)
        ca, cert, key = gs.certificates(s)
        w = gs.http_backend(s, s.path("srv"), tls=(cert, key), name="good")
        src = Source(s, w.url + "/repo.git", caFile=ca)
        c = src.one()
        src.fetch(c)
        eq(src.cat(c, "a"), "1")
        err = Source(s, w.url + "/repo.git").error("resolve", "")
        has(err, "denied", "certificate")
        other, cert2, key2 = gs.certificates(s, "other.example.org")
        w2 = gs.http_backend(s, s.path("srv"), tls=(cert2, key2), name="wrong")
        has(Source(s, w2.url + "/repo.git", caFile=other).error("resolve", ""), "denied", "certificate")
        s.write("empty.pem", "")
        has(Source(s, w.url + "/repo.git", caFile=s.path("empty.pem")).error("resolve", ""), "caFile")


@test("http: redirects are followed without credentials; credentials never go to another host")
def _():
    with Scratch() as s:
        s.repo(files={"a": "1"})
        bare(s)
        w = gs.http_backend(s, s.path("srv"))
        with gs.Hostile(gs.http_redirect(w.url)) as h:
            src = Source(s, "http://127.0.0.1:%d/repo.git" % h.port)
            c = src.one()
            src.fetch(c)
            eq(src.cat(c, "a"), "1")
        s.write("token", "tok-s3cret")
        secret = {"tokenFile": s.path("token")}
        for first_ask in (False, True):
            with gs.Hostile(gs.http_thief) as thief:
                with gs.Hostile(gs.http_redirect("http://localhost:%d" % thief.port, first_ask)) as h:
                    err = Source(s, "http://127.0.0.1:%d/repo.git" % h.port, credentials=secret).error("resolve", "")
                    has(err, "denied", "cannot redirect", "another host")
                eq([x for x in thief.requests if "authorization" in x.lower()], [], "credentials went to the other host")
        ca, cert, key = gs.certificates(s)
        for first_ask in (False, True):
            with gs.Hostile(gs.http_thief) as thief:
                with gs.Hostile(gs.http_redirect("http://localhost:%d" % thief.port, first_ask), tls=(cert, key)) as h:
                    Source(s, "https://localhost:%d/repo.git" % h.port, credentials=secret, caFile=ca).error("resolve", "")
                    assert h.requests, "nobody asked"
                eq([x for x in thief.requests if "authorization" in x.lower()], [], "credentials went out without TLS")
        with gs.Hostile(gs.http_redirect("ftp://localhost/x")) as h:
            has(Source(s, "http://127.0.0.1:%d/repo.git" % h.port).error("resolve", ""), "scheme")


@test("http: answers that are no git server's")
def _():
    with Scratch() as s:
        for status, text in (("404 Not Found", "404"), ("500 Oops", "500"), ("200 OK", "content-type"), ("403 Forbidden", "403")):
            with gs.Hostile(gs.http_answers(status)) as h:
                has(Source(s, "http://127.0.0.1:%d/x.git" % h.port).error("resolve", ""), text)


# ---- ssh ----

def ssh_setup(s, **kind):
    need("ssh-keygen")
    key = s.path("id")
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", kind.pop("passphrase", ""), "-f", key])
    d = gs.sshd(s, [key], **kind)
    s.write("known", gs.known_hosts_line(d))
    return key, d


@test("ssh: a key and a known host")
def _():
    with Scratch() as s:
        r = s.repo(files={"a": "1"})
        key, d = ssh_setup(s, passphrase="pass-s3cret")
        s.write("phrase", "pass-s3cret\n")
        creds = {"sshKeyFile": key, "sshKeyPassphraseFile": s.path("phrase"), "knownHostsFile": s.path("known")}
        url = "ssh://%s@127.0.0.1:%d%s" % (d.user, d.port, r)
        src = Source(s, url, credentials=creds)
        c = src.one()
        src.fetch(c)
        eq(src.cat(c, "a"), "1")
        eq(Source(s, "ssh://127.0.0.1:%d%s" % (d.port, r), credentials=dict(creds, username=d.user)).one(), c)
        s.write("phrase", "wrong-s3cret\n")
        err = src.error("resolve", "")
        has(err, "not authorised", "passphrase")
        lacks(err, "s3cret")
        has(Source(s, url, credentials={"knownHostsFile": s.path("known")}).error("resolve", ""), "sshKeyFile")
        has(Source(s, url, credentials=dict(creds, sshKeyFile="/nowhere/id")).error("resolve", ""), "/nowhere/id")
        other = s.path("other")
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", other])
        err = Source(s, url, credentials={"sshKeyFile": other, "knownHostsFile": s.path("known")}).error("resolve", "")
        has(err, "not authorised", "has refused the key")
        has(Source(s, url + "-nowhere", credentials={"sshKeyFile": other, "knownHostsFile": s.path("known")}).error("resolve", ""),
            "-nowhere")
        has(Source(s, url + "-nowhere", credentials=dict(creds, sshKeyPassphraseFile=s.write("right", "pass-s3cret"))).error("resolve", ""),
            "not found", "does not appear to be a git repository")


@test("ssh: host keys that are unknown, changed, revoked, of another port or hashed")
def _():
    with Scratch() as s:
        r = s.repo(files={"a": "1"})
        key, d = ssh_setup(s)
        other = s.path("other")
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", other])
        good = gs.known_hosts_line(d)
        print_ = run(["ssh-keygen", "-lf", d.host_key + ".pub"]).out.split()[1]
        url = "ssh://%s@127.0.0.1:%d%s" % (d.user, d.port, r)

        def known(text, **more):
            s.write("known", text)
            return Source(s, url, credentials={"sshKeyFile": key, "knownHostsFile": s.path("known")})
        has(known("").error("resolve", ""), "denied", "is not known", print_, "ssh-keyscan -p %d" % d.port)
        has(known(good.replace("[127.0.0.1]:%d" % d.port, "127.0.0.1")).error("resolve", ""), "is not known", print_)
        has(known("# c\n\n" + gs.known_hosts_line(d, other)).error("resolve", ""), "has changed", print_, "known:3")
        has(known("@revoked " + good + good).error("resolve", ""), "is revoked", print_)
        has(known("@cert-authority " + good).error("resolve", ""), "certificate authority", print_)
        has(known("!*:%d,%s" % (d.port, good.replace("127.0.0.1", "127.0.0.1"))).error("resolve", ""), "is not known")
        for text in (good, "[127.0.0.?]:%d,x %s" % (d.port, good.split(" ", 1)[1]), gs.known_hosts_line(d, other) + good):
            eq(len(known(text).one()), 40)
        s.write("known", good)
        run(["ssh-keygen", "-q", "-H", "-f", s.path("known")])
        with open(s.path("known")) as f:
            hashed = f.read()
        has(hashed, "|1|")
        eq(len(known(hashed).one()), 40)
        home = s.path("home")
        s.write("home/.ssh/known_hosts", good)
        eq(len(Source(s, url, credentials={"sshKeyFile": key}).one(env={"HOME": home})), 40)
        has(Source(s, url, credentials={"sshKeyFile": key, "knownHostsFile": "/nowhere/known"}).error("resolve", ""), "/nowhere/known")


@test("ssh: the type of host key that is known is the one that is asked for")
def _():
    with Scratch() as s:
        r = s.repo(files={"a": "1"})
        for kind in ("ecdsa", "ed25519"):
            with Scratch() as t:
                key = t.path("id")
                run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key])
                d = gs.sshd(t, [key], key_type=kind)
                other = t.path("sshd", "second")
                run(["ssh-keygen", "-q", "-t", "ecdsa" if kind == "ed25519" else "ed25519", "-N", "", "-f", other])
                with open(t.path("sshd", "config"), "a") as f:
                    f.write("HostKey %s\n" % other)
                os.kill(d.pid, signal.SIGHUP)
                wait_for("sshd's second key", lambda: len(run(["ssh-keyscan", "-p", str(d.port), "127.0.0.1"], status=None).out.split("\n")) > 2)
                t.write("known", gs.known_hosts_line(d))
                url = "ssh://%s@127.0.0.1:%d%s" % (d.user, d.port, r)
                eq(len(Source(t, url, credentials={"sshKeyFile": key, "knownHostsFile": t.path("known")}).one()), 40)


# ---- hostile servers ----

@test("a silent server and a slow one are given up in time, over every protocol")
def _():
    with Scratch() as s:
        key = s.path("id")
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key])
        s.write("known", "")
        for scheme in ("git", "http", "https", "ssh"):
            with gs.Hostile(gs.silent) as h:
                creds = {"credentials": {"sshKeyFile": key, "knownHostsFile": s.path("known")}} if scheme == "ssh" else {}
                src = Source(s, "%s://127.0.0.1:%d/x" % (scheme, h.port), timeout=1, **creds)
                has(src.error("resolve", ""), "timed out")
        with gs.Hostile(gs.drip([("12" * 20, "refs/heads/b%d" % i) for i in range(100)])) as h:
            has(Source(s, "git://127.0.0.1:%d/x" % h.port, timeout=1).error("resolve", ""), "timed out")


@test("a connection cut off anywhere in a fetch is an error, and the next fetch works")
def _():
    with Scratch() as s:
        s.repo(files={"f%d" % i: "x%d" % i * 500 for i in range(20)})
        c = s.commit("repo", {"a": os.urandom(50000)})
        d = gs.git_daemon(s, s.dir)
        for limit in (1, 60, 200, 400, 1000, 20000, 50000):
            with gs.Hostile(gs.cut_proxy(d.port, limit)) as h:
                src = Source(s, "git://127.0.0.1:%d/repo" % h.port)
                err = src.error("fetch", c)
                has(err, "127.0.0.1:%d" % h.port)
                eq(src.json("has", c), [False], "after %d bytes" % limit)
        src = Source(s, d.url + "/repo")
        src.fetch(c)
        eq(src.cat(c, "f7"), "x7" * 500)
        eq(glob.glob(src.cache + "/broken"), [])


@test("servers that lie: garbage, commits without files, what was not asked for")
def _():
    with Scratch() as s:
        r = s.repo(files={"a": "1", "d/b": "2"})
        c = s.git("rev-parse", "HEAD", cwd=r).out.strip()
        tree = s.git("rev-parse", "HEAD^{tree}", cwd=r).out.strip()
        sub = s.git("rev-parse", "HEAD:d", cwd=r).out.strip()
        refs = [(c, "HEAD"), (c, "refs/heads/main")]
        with gs.Hostile(gs.garbage) as h:
            has(Source(s, "git://127.0.0.1:%d/x" % h.port).error("resolve", ""), "127.0.0.1:%d" % h.port)
        empty = gs.pack_of(r, [sub])
        for pack in (gs.pack_of(r, [c]), gs.pack_of(r, [c, tree]), gs.pack_of(r, [c, tree, sub]), empty, b"PACK" + b"\0" * 40,
                     gs.pack_of(r, [c, tree])[:-30], b"x" * 5000):
            with gs.Hostile(gs.sends(refs, pack)) as h:
                src = Source(s, "git://127.0.0.1:%d/x" % h.port)
                eq(src.one(), c)
                src.error("fetch", c)
                eq(src.json("has", c), [False])
                eq(src.packs(), [], "what it sent is left behind")
        src = Source(s, "file://" + r)
        src.fetch(c)
        eq(src.cat(c, "d/b"), "2")


@test("trees with forbidden names are refused")
def _():
    with Scratch() as s:
        r = s.repo(files={"a": "1"})
        blob = bytes.fromhex(s.git("rev-parse", "HEAD:a", cwd=r).out.strip())
        for i, raw in enumerate([b"100644 ..\0" + blob, b"100644 a/b\0" + blob, b"100644 .\0" + blob,
                                 b"100644 a\0" + blob + b"100644 a\0" + blob]):
            s.write("tree", raw)
            t = run(["git", "hash-object", "-t", "tree", "-w", "--literally", s.path("tree")], cwd=r).out.strip()
            c = s.git("commit-tree", "-m", "x", t, cwd=r).out.strip()
            s.git("update-ref", "refs/heads/bad%d" % i, c, cwd=r)
            src = Source(s, "file://" + r)
            src.fetch(c)
            has(src.error("ls", c, ""), "holds the name")


@test("a folder that holds itself a billion times costs nothing to fetch")
def _():
    with Scratch() as s:
        r = s.repo(files={"a": "1"})
        t = s.git("rev-parse", "HEAD^{tree}", cwd=r).out.strip()
        for _ in range(30):
            t = run(["git", "mktree"], cwd=r, stdin="".join("040000 tree %s\t%d\n" % (t, i) for i in range(10))).out.strip()
        c = s.git("commit-tree", "-m", "bomb", t, cwd=r).out.strip()
        s.git("update-ref", "refs/heads/bomb", c, cwd=r)
        src = Source(s, "file://" + r)
        src.fetch(c)
        eq(len(src.names(c)), 10)


@test("a listing of 100,000 references")
def _():
    with Scratch() as s:
        with gs.Hostile(gs.huge_listing(100000)) as h:
            src = Source(s, "git://127.0.0.1:%d/x" % h.port, timeout=60)
            eq(src.one("b" * 60 + "99999"), "%040x" % 100000)
            has(src.resolve("nope")[0]["error"], "no branch or tag 'nope'")


need("git")
built()
main()
