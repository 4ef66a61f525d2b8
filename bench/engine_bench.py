#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a pass costs, counted from outside: listings, renders and files opened by the daemon, its CPU and memory.

    engine_bench.py [APPLICATIONS]      (1000, of 4 objects each, in one repository)

Prints a line a figure: NAME VALUE UNIT (limit). Exits 1 when a limit is passed.
"""
import os
import re
import subprocess
import sys
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "integration"))
from harness import PLUMB, Scratch, can_connect, free_port, stop, wait_for  # noqa: E402
from shop import config_map  # noqa: E402

N = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
failed = []


def figure(name, value, unit, limit=None, exact=None):
    ok = (limit is None or value <= limit) and (exact is None or value == exact)
    bound = "" if limit is None and exact is None else " (exactly %s)" % exact if exact is not None else " (at most %s)" % limit
    print("%-52s %10s %-4s%s%s" % (name, ("%.1f" % value) if isinstance(value, float) else value, unit, bound, "" if ok else "  FAILED"), flush=True)
    if not ok:
        failed.append(name)


def counters(port):
    with urllib.request.urlopen("http://127.0.0.1:%d/metrics" % port, timeout=30) as r:
        text = r.read().decode()
    return {k: float(v) if "." in v else int(v) for k, v in re.findall(r"^(plumb_\w+) (\d+(?:\.\d+)?)$", text, re.M)}


def cpu_ms(pid):
    """Of the process itself, its workers apart."""
    total = 0
    for task in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/schedstat" % (pid, task)) as f:
            total += int(f.read().split()[0])
    return total / 1e6


def rss_mb(pid):
    with open("/proc/%d/status" % pid) as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1)) / 1024.0


def tree():
    files = {"base/common.yaml": config_map("common", v="1")}
    for i in range(N):
        for k in "abc":
            files["apps/%04d/%s.yaml" % (i, k)] = config_map(k, app=str(i), v="1")
    return files


def config(s, port, git_port):
    apps = "".join("- {name: app-%04d, source: all, path: apps/%04d, target: here, namespace: ns-%04d, sync: {automated: true, prune: true, selfHeal: true}}\n" % (i, i, i)
                   for i in range(N))
    s.write("plumb.yaml", "pollInterval: 2s\nstateDir: ./state\nlisten: 127.0.0.1:%d\nsources:\n  all: {git: {url: 'git://127.0.0.1:%d/repo', revision: main}}\n"
            "targets:\n  here: {directory: {path: ./live}}\napplications:\n%s" % (port, git_port, apps))


def passes(port, more):
    """Waits for `more` further passes; the counters then."""
    first = counters(port)["plumb_passes_total"]
    return wait_for("%d passes" % more, lambda: (lambda c: c if c["plumb_passes_total"] >= first + more else None)(counters(port)), 120, 0.2)


def settle(s, port, seconds=240):
    """Until nothing is left to do: two passes without a render or an apply between them."""
    def quiet():
        a = counters(port)
        time.sleep(2.5)
        b = counters(port)
        keys = ("plumb_renders_total", "plumb_applies_total", "plumb_prunes_total", "plumb_workqueue_depth")
        return b["plumb_passes_total"] > 0 and all(a[k] == b[k] for k in keys) and b
    return wait_for("everything to settle", quiet, seconds, 0.1)


def listings(s):
    with open(s.path("git.log")) as f:
        return f.read().count("Request upload-pack")


def unchanged(s, port, pid):
    before, asked, cpu = counters(port), listings(s), cpu_ms(pid)
    time.sleep(12)  # nobody asks for metrics meanwhile: answering costs, too
    spent, listed = cpu_ms(pid) - cpu, listings(s) - asked
    after = counters(port)
    n = after["plumb_passes_total"] - before["plumb_passes_total"]
    figure("unchanged pass: listings of references", listed / n, "", limit=1.3)
    figure("unchanged pass: renders", after["plumb_renders_total"] - before["plumb_renders_total"], "", exact=0)
    figure("unchanged pass: applies", after["plumb_applies_total"] - before["plumb_applies_total"], "", exact=0)
    figure("unchanged pass: CPU inside the daemon, all told", spent / n, "ms", limit=20)
    figure("unchanged pass: CPU as the daemon counts it", after["plumb_pass_cpu_seconds"] * 1000.0, "ms", limit=20)
    trace = s.path("strace.log")
    p = subprocess.Popen(["strace", "-f", "-q", "-e", "trace=openat,rename,renameat,fsync,fdatasync,pwrite64,unlink", "-o", trace, "-p", str(pid)],
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    passes(port, 2)
    p.terminate()
    p.wait()
    with open(trace) as f:
        calls = [line for line in f if "resumed" not in line and "SIG" not in line]
    figure("unchanged pass: writes, renames, fsyncs (two passes)", len([c for c in calls if "openat" not in c]), "", exact=0)
    figure("unchanged pass: live files opened (two passes)", len([c for c in calls if "openat" in c and ".yaml" in c]), "", exact=0)


def renders_after(s, port, files, remove=()):
    before = counters(port)["plumb_renders_total"]
    s.commit("repo", files, remove=remove)
    passes(port, 2)
    return settle(s, port)["plumb_renders_total"] - before


def main():
    with Scratch() as s:
        port, git_port = free_port(), free_port()
        print("a repository of %d applications…" % N, flush=True)
        s.repo("repo", {"x": "x"})
        files = tree()
        for i in range(N):  # one object of each lies outside its path
            p = s.path("repo/apps/%04d" % i)
            os.makedirs(p, exist_ok=True)
            if i % 10 == 0:
                os.symlink("../../base/common.yaml", os.path.join(p, "common.yaml"))
            else:
                files["apps/%04d/d.yaml" % i] = config_map("d", app=str(i))
        s.commit("repo", files)
        s.start(["git", "daemon", "--verbose", "--reuseaddr", "--export-all", "--base-path=" + s.dir, "--listen=127.0.0.1", "--port=%d" % git_port], log="git.log")
        wait_for("git daemon", lambda: can_connect(git_port))
        config(s, port, git_port)
        started = time.monotonic()
        p = s.start([PLUMB, "run", "-q"], log="plumb.log")
        wait_for("the daemon", lambda: can_connect(port), 60)
        wait_for("the first pass", lambda: counters(port)["plumb_applies_total"] >= 4 * N, 300, 0.3)
        print("first sync of everything: %.1f s" % (time.monotonic() - started), flush=True)
        settle(s, port)
        unchanged(s, port, p.pid)
        figure("one file changed: renders", renders_after(s, port, {"apps/0001/a.yaml": config_map("a", v="2")}), "", exact=1)
        figure("a base outside the path changed: renders", renders_after(s, port, {"base/common.yaml": config_map("common", v="2")}), "", exact=(N + 9) // 10)
        figure("an unread README changed: renders", renders_after(s, port, {"README.md": "news"}), "", exact=0)
        figure("a file appears: renders", renders_after(s, port, {"apps/0002/new.yaml": config_map("new", v="1")}), "", exact=1)
        figure("a listing changes by an unread file: renders", renders_after(s, port, {"apps/0003/README": "news"}), "", exact=1)
        time.sleep(3)
        figure("resident memory, idle", rss_mb(p.pid), "MB", limit=30)
        assert stop(p) == 0, s.read("plumb.log")
    best = min(timed() for _ in range(30))
    figure("plumb version: wall", best * 1000, "ms", limit=3)
    print("FAILED: " + ", ".join(failed) if failed else "every figure is within its limit")
    sys.exit(1 if failed else 0)


def timed():
    t = time.monotonic()
    subprocess.run([PLUMB, "version"], stdout=subprocess.DEVNULL, check=True)
    return time.monotonic() - t


main()
