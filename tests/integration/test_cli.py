# SPDX-License-Identifier: Apache-2.0
"""Commands as people type them: outputs, exit statuses, mistakes."""
import json
import os
import shutil
import signal
import subprocess

from harness import PLUMB, Scratch, eq, has, lacks, main, run, test, wait_for
from shop import Shop, config_map


@test("help, version, completion and the manual page come from the table of commands")
def _():
    with Scratch() as s:
        has(s.plumb("--help").out, "usage: plumb COMMAND", "rollback", "plumb help config")
        has(s.plumb("sync", "--help").out, "usage: plumb sync [OPTIONS] APP", "--prune", "--resource KIND/NAME", "-o, --output")
        has(s.plumb("help", "diff").out, "as a unified diff")
        has(s.plumb("version").out, "plumb 0.")
        eq(json.loads(s.plumb("version", "-o", "json").out)["version"], s.plumb("--version").out.split()[1])
        eq(s.plumb("version", "-o", "name").out, s.plumb("version").out.split()[1] + "\n")
        has(s.plumb("help", "--man").out, ".TH PLUMB 1", ".SS plumb rollback")
        has(s.plumb("help", "config").out, "pollInterval", "selfHeal")
        pages = [s.plumb("help", "--man").out, s.plumb("help", "config", "--man").out]
        has(pages[1], ".TH PLUMB.YAML 5", "applications[].sync.selfHeal", "\\[u2026]")
        for page in pages:
            assert page.isascii(), "troff reads no UTF-8"
            if shutil.which("groff"):
                eq(run(["groff", "-man", "-ww", "-z"], stdin=page).err, "", "what groff complains of")


@test("run --once ends at a signal, and the next command goes on")
def _():
    deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {replicas: 1, template: {}}\nstatus: {replicas: 0}\n"
    with Shop(files={"web/d.yaml": deployment, "web/a.yaml": config_map("a", v="1")}) as s:
        p = s.start([PLUMB, "run", "--once"])
        wait_for("the apply", lambda: s.live_text("a"))
        p.send_signal(signal.SIGINT)
        eq(p.wait(20), -signal.SIGINT)
        s.plumb("run", "--once", "-q", "--timeout", "100ms", status=1)
        has(s.plumb("status", "web", status=1).out, "Deployment.apps", "Progressing")


@test("PLUMB_EXTERNAL_DIFF or KUBECTL_EXTERNAL_DIFF shows both sides, Secrets masked, and leaves nothing")
def _():
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {p: hunter2}\n"
    with Shop(sync="{automated: false}", files={"web/a.yaml": config_map("a", v="1"), "web/s.yaml": secret}) as s:
        s.plumb("sync", "web")
        s.commit("repo", {"web/a.yaml": config_map("a", v="2"), "web/b.yaml": config_map("b", v="1"), "web/s.yaml": secret.replace("hunter2", "hunter3")})
        os.mkdir(s.path("tmp"))
        for name, program in (("KUBECTL_EXTERNAL_DIFF", "diff -N -u"), ("PLUMB_EXTERNAL_DIFF", "diff -Nu")):
            r = s.plumb("diff", "web", status=1, env={name: program, "TMPDIR": s.path("tmp")})
            has(r.out, "/LIVE/ConfigMap.shop.a", "/DESIRED/ConfigMap.shop.a", '-  v: "1"', '+  v: "2"', "DESIRED/ConfigMap.shop.b", "Secret.shop.s")
            lacks(r.out + r.err, "hunter", "aHVudGVy")
            eq(os.listdir(s.path("tmp")), [])
        has(s.plumb("diff", "web", status=2, env={"PLUMB_EXTERNAL_DIFF": "no-such-program"}).err, "no-such-program")
        has(s.plumb("diff", "web", status=2, env={"PLUMB_EXTERNAL_DIFF": "diff --no-such-option"}).err, "'diff' failed")
        has(s.plumb("diff", "web", status=1, env={"PLUMB_EXTERNAL_DIFF": ""}).out, "+++ desired/ConfigMap:shop/a")
        s.plumb("sync", "web")
        eq(s.plumb("diff", "web", env={"PLUMB_EXTERNAL_DIFF": "no-such-program"}).out, "")


@test("what is wrong with a source is told once")
def _():
    with Shop() as s:
        os.rename(s.path("repo"), s.path("gone"))
        r = s.plumb("status", status=1)
        has(r.out, "Unknown", "repo", "No such file")
        eq(r.err, "")


@test("completion knows commands, options, their values, plugins, and the applications of the config that is named")
def _():
    cases = [
        (["sta"], "status"), (["sync", "--pr"], "--prune"), (["sync", ""], "web"), (["status", "-o", ""], "table json yaml name"),
        (["status", "--output", "=", "y"], "yaml"), (["plugin", ""], "list show"), (["plugin", "show", "source/"], "source/git source/http"),
        (["help", "rollb"], "rollback"), (["sync", "--revision", ""], ""), (["-c", "other.yaml", "diff", ""], "else"),
        (["diff", "--config", "=", "other.yaml", "el"], "else"), (["completion", "f"], "fish"), (["health", ""], ""),
    ]
    with Shop() as s:
        s.write("other.yaml", s.read("plumb.yaml").replace("name: web", "name: else"))
        script = s.plumb("completion", "bash").out + 'PATH=%s:$PATH\nt() { COMP_WORDS=(plumb "$@"); COMP_CWORD=$#; COMPREPLY=(); _plumb; echo "${COMPREPLY[*]}"; }\n' % os.path.dirname(PLUMB)
        for words, _ in cases:
            script += "t %s\n" % " ".join("'%s'" % w for w in words)
        r = run(["bash", s.write("complete.bash", script)], cwd=s.dir)
        eq((r.out.split("\n")[:-1], r.err), ([want for _, want in cases], ""))
        assert not os.path.exists(s.path("state")), "completion touches nothing"
        for shell in ("zsh", "fish"):
            text = s.plumb("completion", shell).out
            has(text, "plumb completion apps", "rollback", "what a sync would change")
            if shutil.which(shell):
                run([shell, "-n", s.write("complete." + shell, text)])


@test("mistakes on the command line are told with the nearest right word, and exit 2")
def _():
    cases = [
        (["stauts"], "there is no command 'stauts' (did you mean 'status'?)"),
        (["sync"], "name an application"),
        (["sync"], "usage: plumb sync [OPTIONS] APP…\n"),
        (["status", ""], "an argument is empty"),
        (["help", "stauts"], "did you mean 'status'?"),
        (["-c", "plumb.yaml"], "name a command"),
        (["-c", "plumb.yaml", "frob"], "there is no command 'frob'"),
        (["--purne", "sync", "web"], "unknown option '--purne' (did you mean '--prune'?)"),
        (["sync", "--purne", "web"], "unknown option '--purne' (did you mean '--prune'?)"),
        (["sync", "--revision"], "option '--revision' needs a value"),
        (["status", "-o", "xml"], "-o takes table, json, yaml or name, not 'xml'"),
        (["status", "a", "b"], "'b' is one argument too many"),
        (["completion", "tcsh"], "not for 'tcsh'"),
        (["plugin", "frob"], "there is no 'plugin frob'"),
        (["history", "web", "--limit", "x"], "--limit takes a number"),
        (["rollback", "web", "x"], "'x' is not an id"),
        (["sync", "web", "--timeout", "soon"], "'soon' is not a duration"),
    ]
    with Shop() as s:
        for args, text in cases:
            has(s.plumb(*args, status=2).err, text)


@test("without a config the places that were looked at are named")
def _():
    with Scratch() as s:
        has(s.plumb("status", status=2).err, "plumb.yaml", "/etc/plumb/plumb.yaml")
        has(s.plumb("status", "-c", "none.yaml", status=2).err, "none.yaml")


@test("an application that is not there is told with the nearest name")
def _():
    with Shop() as s:
        for args in (["sync", "wep"], ["diff", "wep"], ["history", "wep"], ["render", "wep"], ["status", "wep"], ["suspend", "wep"]):
            has(s.plumb(*args, status=2).err, "'wep'", "did you mean 'web'")


@test("status, diff and sync without a daemon; exit statuses say what is so")
def _():
    with Shop(sync="{automated: false}") as s:
        r = s.plumb("status", status=1)
        has(r.out, "NAME", "STATUS", "web", "OutOfSync")
        lacks(r.out, "\033[")
        d = s.plumb("diff", "web", status=1)
        has(d.out, "--- /dev/null", "+++ desired/ConfigMap:shop/a", "+kind: ConfigMap")
        assert not os.path.exists(s.live("a")), "a diff touches nothing"
        r = s.plumb("sync", "web", "--dry-run", status=None)
        assert not os.path.exists(s.live("a")), "a dry run touches nothing"
        has(s.plumb("sync", "web").out, "web: Succeeded", "Synced", "ConfigMap/a in shop")
        eq(s.plumb("diff", "web").out, "")
        r = s.plumb("status", "web")
        has(r.out, "Name:", "ConfigMap", "shop", "Synced")
        lacks(r.out, " \n")
        eq(s.plumb("-c", "plumb.yaml", "-o", "name", "status").out, "web\n")
        eq(s.plumb("status", "-o", "name").out, "web\n")
        eq(s.plumb("status", "web", "-o", "name").out, "ConfigMap/a\nConfigMap/b\n")
        a = json.loads(s.plumb("status", "-o", "json").out)[0]
        eq((a["sync"], a["status"], a["path"], a["target"]), ("Synced", "Synced", "web", "here"))
        assert a["revisionName"].startswith("main@sha1:"), a
        has(s.plumb("status", "-o", "yaml").out, "name: web")


@test("render prints manifests that read back the same; a folder needs no config")
def _():
    with Shop() as s:
        text = s.plumb("render", "web").out
        eq(text.count("kind: ConfigMap"), 2)
        s.write("folder/x.yaml", text)
        eq(s.plumb("render", "--renderer", "yaml", "./folder").out, text)
        eq(os.listdir(s.path("state")), ["sources"], "what rendering leaves: a cache, no store")
        eq(s.plumb("render", "--renderer", "yaml", "./folder", "-o", "name").out, "ConfigMap/a\nConfigMap/b\n")
        eq([json.loads(x)["metadata"]["name"] for x in s.plumb("render", "web", "-o", "json").out.splitlines()], ["a", "b"])
        s.write("folder/x.yaml", "a: [1\n")
        has(s.plumb("render", "--renderer", "yaml", "./folder", status=2).err, "x.yaml:", "folder")
        has(s.plumb("render", "./folder", status=2).err, "no kustomization.yaml", "--renderer yaml ./folder")
        has(s.plumb("render", "--renderer", "yaml", "./none", status=2).err, "'./none'")
        has(s.plumb("render", "--renderer", "ymal", "./folder", status=2).err, "ymal", "yaml")


@test("sync of one resource leaves the others")
def _():
    with Shop(sync="{automated: false}") as s:
        s.plumb("sync", "web", "--resource", "ConfigMap/b", status=None)
        eq((bool(s.live_text("a")), bool(s.live_text("b"))), (False, True))
        has(s.plumb("sync", "web", "--resource", "b", status=2).err, "KIND/NAME")


@test("history, rollback without the repository, and resume")
def _():
    with Shop(sync="{automated: false}") as s:
        s.plumb("sync", "web")
        s.commit("repo", {"web/a.yaml": config_map("a", v="2")}, message="Second\n\nwith a body")
        s.plumb("sync", "web")
        has(s.live_text("a"), 'v: "2"')
        h = s.history()
        eq([x["phase"] for x in h], ["Succeeded", "Succeeded"])
        assert h[0]["author"] == "Ann <ann@example.org>" and h[0]["initiator"].startswith("user "), h[0]
        has(s.plumb("history", "web").out, "ID", "PHASE", "Second", "1 updated", "2 created")
        lacks(s.plumb("history", "web").out, "with a body")
        eq(len(json.loads(s.plumb("history", "web", "--limit", "1", "-o", "json").out)), 1)
        os.rename(s.path("repo"), s.path("gone"))
        r = s.plumb("rollback", "web")
        has(r.err, "plumb resume web")
        has(s.live_text("a"), 'v: "1"')
        has(s.plumb("status", status=None).out, "pinned: rolled back to entry 1")
        has(s.plumb("sync", "web", status=2).err, "resume")
        os.rename(s.path("gone"), s.path("repo"))
        s.plumb("resume", "web")
        s.plumb("sync", "web")
        has(s.live_text("a"), 'v: "2"')
        has(s.plumb("rollback", "web", "99", status=2).err, "99")


@test("in a folder nobody rolls a Deployment out: it is not waited for, but the operator's own scripts judge it")
def _():
    deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {replicas: 2}\n"
    with Shop(files={"web/d.yaml": deployment}) as s:
        s.once()
        eq(json.loads(s.plumb("status", "web", "-o", "json").out)["resources"][0]["health"], "")
        s.write("health/apps/Deployment/health.lua", "return {status = 'Degraded', message = 'mine'}")
        s.write("plumb.yaml", s.read("plumb.yaml") + "  health: health\n")
        s.once(status=1)
        has(s.plumb("status", "web", status=1).out, "Degraded", "mine")


@test("suspend stops syncing and says so; resume ends it")
def _():
    with Shop() as s:
        s.once()
        s.plumb("suspend", "web", "--reason", "moving house")
        s.commit("repo", {"web/a.yaml": config_map("a", v="2")})
        s.once(status=1)
        has(s.live_text("a"), 'v: "1"')
        has(s.plumb("status", status=1).out, "moving house")
        s.plumb("resume", "web")
        s.once()
        has(s.live_text("a"), 'v: "2"')


@test("check tells every mistake with its place and touches nothing")
def _():
    with Shop() as s:
        has(s.plumb("check").out, "ok (1 application, 1 source, 1 target)")
        s.configure(sync="{automated: maybe}", more_apps="- {name: x, source: shpo, path: ../up, target: here}\n- {name: web, source: shop, path: a, target: there}")
        err = s.plumb("check", status=2).err
        has(err, "plumb.yaml:", "did you mean 'shop'", "'there'", "must be true or false", "../up")
        assert err.count("plumb.yaml:") >= 5, err
        s.configure(sync="{automated: true}", more_apps="")
        s.write("plumb.yaml", s.read("plumb.yaml").replace("git: {url:", "git: {ulr:"))
        has(s.plumb("check", status=2).err, "plumb.yaml:", "ulr", "did you mean 'url'")
        s.configure()
        s.write("plumb.yaml", s.read("plumb.yaml").replace("directory:", "direcctory:"))
        has(s.plumb("check", status=2).err, "plumb.yaml:", "direcctory", "did you mean 'directory'")
        s.configure(sync="{automated: maybe, prnue: on}",
                    more_apps="- {name: x, source: shop, path: a, target: here, health: nowhere, render: [yml, yaml: {recurse: 3}]}\n- {name: z}")
        s.write("plumb.yaml", s.read("plumb.yaml").replace("git: {url:", "git: {ulr:").replace("directory:", "direcctory:"))
        err = s.plumb("check", status=2).err.splitlines()
        has("\n".join(err), "'ulr'", "direcctory", "'automated' must be", "'prune'", "nowhere'", "did you mean 'yaml'", "recurse", "application 'z'")
        places = [tuple(map(int, line.split(":")[2:4])) for line in err]
        eq(places, sorted(places), "in the order of the file")
        assert not os.path.exists(s.path("state")) and not os.path.exists(s.path("live"))


@test("check reads the health scripts, and runs none")
def _():
    with Shop() as s:
        s.write("plumb.yaml", s.read("plumb.yaml").replace("  path: web\n", "  path: web\n  health: [h, h]\n"))
        s.write("h/example.org/Good/health.lua", "io.open('ran', 'w'); return {status = 'Healthy'}")
        has(s.plumb("check").out, "ok")
        s.write("h/example.org/Bad/health.lua", "return {\n  status = \n}")
        s.write("h/Worse/health.lua", "if")
        r = s.plumb("check", status=2)
        has(r.err, "h/example.org/Bad/health.lua", "health.lua:3: unexpected symbol", "h/Worse/health.lua")
        eq(r.err.count("\n"), 2, "each is told once")
        lacks(r.err, "Good")


@test("health judges by plugin, shipped script and given script")
def _():
    with Scratch() as s:
        s.write("svc.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {type: ClusterIP}\n")
        eq(json.loads(s.plumb("health", "svc.yaml").out), {"status": "Healthy", "message": ""})
        s.write("cm.yaml", config_map("a", v="1"))
        eq(json.loads(s.plumb("health", "cm.yaml").out)["status"], None)
        s.write("s.lua", "return {status = 'Degraded', message = 'v is ' .. obj.data.v}")
        eq(json.loads(s.plumb("health", "--script", "s.lua", "cm.yaml").out), {"status": "Degraded", "message": "v is 1"})
        eq(json.loads(s.plumb("health", "--script", "s.lua", "-", stdin=config_map("a", v="2")).out)["message"], "v is 2")
        slow = "(sleep 0.3; cat cm.yaml) | '%s' health --script s.lua -; '%s' health --script s.lua <(sleep 0.3; cat cm.yaml)" % (PLUMB, PLUMB)
        eq([json.loads(x)["message"] for x in run(["bash", "-c", slow], cwd=s.dir).out.splitlines()], ["v is 1"] * 2)
        has(s.plumb("health", ".", status=2).err, "read '.': Is a directory")
        has(s.plumb("health", "--script", "none.lua", "cm.yaml", status=2).err, "none.lua")
        has(s.plumb("health", "none.yaml", status=2).err, "none.yaml")
        s.write("my/ConfigMap/health.lua", "return {status = 'Progressing', message = 'mine'}")
        eq(json.loads(s.plumb("health", "--folder", "my", "cm.yaml").out), {"status": "Progressing", "message": "mine"})
        s.write("bad.yaml", "a: [")
        has(s.plumb("health", "bad.yaml", status=2).err, "bad.yaml:")


@test("plugins are listed and shown with their options")
def _():
    with Scratch() as s:
        out = s.plumb("plugin", "list").out
        has(out, "KIND", "source", "git", "renderer", "yaml", "applier", "directory", "health", "kubernetes")
        has(s.plumb("plugin", "show", "git").out, "ABI:", "SHA-256:", "credentials.tokenFile", "required")
        eq(json.loads(s.plumb("plugin", "show", "directory", "-o", "json").out)["kind"], "applier")
        has(s.plumb("plugin", "show", "gti", status=2).err, "did you mean 'git'")
        has(s.plumb("plugin", "show", status=2).err, "name a plugin")


@test("a full disk behind stdout is an error")
def _():
    with Scratch() as s:
        with open("/dev/full", "w") as full:
            p = subprocess.run([PLUMB, "help"], stdout=full, stderr=subprocess.PIPE)
        eq(p.returncode, 2)
        has(p.stderr.decode(), "stdout")


main()
