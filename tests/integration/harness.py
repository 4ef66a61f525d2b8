# SPDX-License-Identifier: Apache-2.0
"""What the integration tests share: TAP, scratch folders, processes that surely end, bounded waits.

    from harness import *

    @test("a commit reaches the live folder")
    def _():
        with Scratch() as s: ...

    main()
"""
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get("BUILD", os.path.join(ROOT, "build")))
PLUMB = os.path.join(BUILD, "plumb")
# The same program with fault points; `make check` builds it.
PLUMB_FAULTS = os.path.join(os.path.abspath(os.environ.get("BUILD_FAULTS", os.path.join(ROOT, "build-faults"))), "plumb")
SLOW = float(os.environ.get("TEST_SLOWNESS", "1"))  # sanitizers stretch every wait

_tests = []


def test(name):
    def add(fn):
        _tests.append((name, fn))
        return fn
    return add


def main():
    only = sys.argv[1] if len(sys.argv) > 1 else ""
    todo = [t for t in _tests if only in t[0]]
    print("1..%d" % len(todo), flush=True)
    bad = 0
    for i, (name, fn) in enumerate(todo, 1):
        try:
            fn()
            print("ok %d - %s" % (i, name), flush=True)
        except BaseException:  # noqa: a KeyboardInterrupt is a failed run too
            bad += 1
            for line in traceback.format_exc().splitlines():
                print("# " + line)
            print("not ok %d - %s" % (i, name), flush=True)
    sys.exit(1 if bad else 0)


def need(*programs):
    """Fails with the package to install: a test that can't run is not a passed one."""
    packages = {"nginx": "nginx-light", "sshd": "openssh-server", "ssh-keygen": "openssh-client", "git": "git",
                "openssl": "openssl", "fcgiwrap": "fcgiwrap"}
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    for p in programs:
        if not shutil.which(p):
            raise AssertionError("%s is missing: install the package %s (make deps)" % (p, packages.get(p, p)))


def own_mounts():
    """Starts the test again in a mount namespace of its own, as root there, so that it can mount what it needs."""
    if os.environ.get("PLUMB_TEST_UNSHARED"):
        return
    kept = ["%s=%s" % (k, os.environ[k]) for k in ("PATH", "BUILD", "BUILD_FAULTS", "TEST_SLOWNESS", "LC_ALL", "TZ", "ASAN_OPTIONS",
                                                   "UBSAN_OPTIONS", "TSAN_OPTIONS") if k in os.environ]
    # In a chroot the root is no mount point whose propagation could be changed, and there are no user namespaces.
    as_root = [["unshare", "--mount"], ["unshare", "--mount", "--propagation", "unchanged"]]
    ways = as_root if os.geteuid() == 0 else [["unshare", "--mount", "--user", "--map-root-user"]] + [["sudo", "-n"] + w for w in as_root]
    for start in ways:
        try:
            quiet = subprocess.run(start + ["true"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        except FileNotFoundError:
            continue
        if quiet.returncode == 0:
            os.execvp(start[0], start + ["env"] + kept + ["PLUMB_TEST_UNSHARED=1", sys.executable] + sys.argv)
    raise AssertionError("this test mounts small file systems: run it as root or with sudo, or allow user namespaces")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(what, fn, seconds=20.0, every=0.02):
    """Polls until fn() is true; fails with `what` after the time."""
    end = time.monotonic() + seconds * SLOW
    while True:
        got = fn()
        if got:
            return got
        if time.monotonic() > end:
            raise AssertionError("waited %.0f s for %s" % (seconds * SLOW, what))
        time.sleep(every)


def can_connect(port, host="127.0.0.1"):
    with contextlib.suppress(OSError), socket.create_connection((host, port), 1):
        return True
    return False


class Result:
    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    def __repr__(self):
        return "exit %s\n--- stdout\n%s--- stderr\n%s" % (self.status, self.out, self.err)


def run(cmd, cwd=None, env=None, status=0, timeout=60, stdin=None):
    """Runs to the end. status None: any is fine."""
    p = subprocess.run(cmd, cwd=cwd, env=dict(os.environ, **(env or {})), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       input=stdin if stdin is None or isinstance(stdin, bytes) else stdin.encode(),
                       stdin=subprocess.DEVNULL if stdin is None else None, timeout=timeout * SLOW)
    r = Result(p.returncode, p.stdout.decode("utf-8", "replace"), p.stderr.decode("utf-8", "replace"))
    if status is not None and r.status != status:
        raise AssertionError("%s: wanted exit %s, got %r" % (" ".join(map(str, cmd)), status, r))
    return r


class Scratch:
    """A folder of its own, a git identity, and processes that end with it."""

    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix="plumb-test-")
        self.running = []
        return self

    def __exit__(self, *exc):
        for p in reversed(self.running):
            stop(p)
        shutil.rmtree(self.dir, ignore_errors=True)

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def write(self, name, text):
        p = self.path(name)
        os.makedirs(os.path.dirname(p), exist_ok=True)
        with open(p, "wb") as f:
            f.write(text if isinstance(text, bytes) else text.encode())
        return p

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as f:
            return f.read()

    def start(self, cmd, cwd=None, env=None, log=None):
        """A process of this test; its output goes to the file `log` (default NAME.log)."""
        name = log or "%s-%d.log" % (os.path.basename(cmd[0]), len(self.running))
        with open(self.path(name), "ab") as f:
            p = subprocess.Popen(cmd, cwd=cwd or self.dir, env=dict(os.environ, **(env or {})), stdin=subprocess.DEVNULL,
                                 stdout=f, stderr=subprocess.STDOUT, start_new_session=True,
                                 # A shell's background job is born deaf to ^C.
                                 preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        p.log = self.path(name)
        self.running.append(p)
        return p

    def git(self, *args, cwd=None, status=0):
        return run(["git", "-c", "init.defaultBranch=main", "-c", "user.name=Ann", "-c", "user.email=ann@example.org",
                    "-c", "protocol.file.allow=always", "-c", "commit.gpgsign=false"] + list(args),
                   cwd=cwd or self.dir, status=status, env={"GIT_CONFIG_NOSYSTEM": "1", "HOME": self.dir})

    def repo(self, name="repo", files=None):
        """A repository with one commit on main."""
        d = self.path(name)
        os.makedirs(d, exist_ok=True)
        self.git("init", "-q", cwd=d)
        self.commit(name, files or {})
        return d

    def commit(self, name, files, message="change", remove=()):
        d = self.path(name)
        for f in remove:
            self.git("rm", "-rqf", "--", f, cwd=d)
        for f, text in files.items():
            self.write(os.path.join(name, f), text)
        self.git("add", "-A", cwd=d)
        self.git("commit", "-q", "--allow-empty", "-m", message, cwd=d)
        return self.git("rev-parse", "HEAD", cwd=d).out.strip()

    def plumb(self, *args, status=0, timeout=60, env=None, program=None, stdin=None):
        return run([program or PLUMB] + list(args), cwd=self.dir, status=status, timeout=timeout, env=env, stdin=stdin)


def stop(p, how=signal.SIGTERM, seconds=10):
    """Ends a process and all it has started; returns its status."""
    if p.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            p.send_signal(how)
        try:
            p.wait(seconds * SLOW)
        except subprocess.TimeoutExpired:
            pass
    with contextlib.suppress(ProcessLookupError):
        os.killpg(p.pid, signal.SIGKILL)
    p.wait()
    return p.returncode


def eq(got, want, what=""):
    if got != want:
        raise AssertionError("%s: got %r, wanted %r" % (what or "values", got, want))


def has(text, *parts):
    for part in parts:
        if part not in text:
            raise AssertionError("%r is not in:\n%s" % (part, text))


def lacks(text, *parts):
    for part in parts:
        if part in text:
            raise AssertionError("%r is in:\n%s" % (part, text))
