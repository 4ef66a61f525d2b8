# SPDX-License-Identifier: Apache-2.0
"""Applications whose folders are kustomizations: what is rendered again when, errors that stay one application's, secrets."""
import base64
import glob
import re

from harness import *
from shop import Shop, config_map, get, kill

SYNC = "sync: {automated: true, prune: true, selfHeal: true}"
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 1
  template:
    spec:
      containers:
      - name: main
        image: shop/web:%s
        envFrom:
        - configMapRef: {name: settings}
"""
BASE = {
    "base/kustomization.yaml": "resources: [deployment.yaml]\nconfigMapGenerator:\n- {name: settings, envs: [settings.env]}\n",
    "base/deployment.yaml": DEPLOYMENT % "1.0",
    "base/settings.env": "CURRENCY=EUR\n",
    "base/README.md": "The base.\n",
}


def app(name, path=None, more=""):
    return "- {name: %s, source: shop, path: %s, target: here, namespace: ns-%s, %s%s}\n" % (name, path or "overlays/" + name, name, SYNC, more)


def overlay(name, *lines):
    return {"overlays/%s/kustomization.yaml" % name: "resources: [../../base]\n" + "".join(l + "\n" for l in lines)}


class Kustom(Shop):
    """`web` and further applications, and the figures of a daemon that runs for them."""

    def __init__(self, files, more_apps="", extra=""):
        self.port = free_port()
        super().__init__(files, more_apps=more_apps, extra="listen: 127.0.0.1:%d\n%s" % (self.port, extra))

    def daemon(self, program=None, env=None, *args):
        p = super().daemon(program, env, *args)
        wait_for("the daemon's port", lambda: can_connect(self.port))
        return p

    def figure(self, name):
        return int(re.search(r"^%s (\d+)$" % name, get(self.port, "/metrics")[1], re.M).group(1))

    def passes(self, more=2):
        first = self.figure("plumb_passes_total")
        wait_for("%d more passes" % more, lambda: self.figure("plumb_passes_total") >= first + more, 120, 0.1)

    def quiet(self):
        """Until two passes have rendered and applied nothing; the count of renders then."""
        names = ("plumb_renders_total", "plumb_applies_total", "plumb_prunes_total", "plumb_workqueue_depth")

        def look():
            before = [self.figure(n) for n in names]
            self.passes()
            return before == [self.figure(n) for n in names]
        wait_for("everything to settle", look, 120, 0.05)
        return self.figure("plumb_renders_total")

    def renders_after(self, files, remove=()):
        before = self.quiet()
        self.commit("repo", files, remove=remove)
        self.passes()
        return self.quiet() - before

    def names(self, ns, kind):
        return sorted(os.path.basename(f)[:-5] for f in glob.glob(self.path("live", ns, kind, "*.yaml")))

    def wait_message(self, name, *parts):
        """The application's status as a person reads it, once it has all of these parts."""
        def look():
            r = self.plumb("status", name, status=None)
            return r.out + r.err if all(p in r.out + r.err for p in parts) else None
        try:
            return wait_for("the status of %s to have %r" % (name, parts), look, 20, 0.1)
        except AssertionError as e:
            raise AssertionError("%s; it is:\n%r" % (e, self.plumb("status", name, status=None)))


@test("an overlay with a base and a component: a generator's new hash renames its ConfigMap, the Deployment follows, the old one goes")
def _():
    files = dict(BASE, **{
        "web/kustomization.yaml": "namePrefix: prod-\nresources: [../base]\ncomponents: [../parts/two]\nimages: [{name: shop/web, newTag: '1.4'}]\n",
        "parts/two/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nreplicas: [{name: web, count: 2}]\n"})
    with Kustom(files) as s:
        s.daemon()
        s.settled()
        old = s.names("shop", "ConfigMap")
        eq(len(old), 1)
        assert re.fullmatch(r"prod-settings-[2456789bcdfghkmt]{10}", old[0]), old
        has(s.live_text("prod-web", kind="Deployment.apps"), "replicas: 2", "image: shop/web:1.4", "name: " + old[0])
        s.commit("repo", {"base/settings.env": "CURRENCY=CHF\n"})
        wait_for("the old ConfigMap to go", lambda: s.names("shop", "ConfigMap") not in ([], old) and len(s.names("shop", "ConfigMap")) == 1)
        new = s.names("shop", "ConfigMap")
        s.settled()
        has(s.live_text(new[0]), "CURRENCY: CHF")
        text = s.live_text("prod-web", kind="Deployment.apps")
        has(text, "name: " + new[0])
        lacks(text, old[0])


@test("exactly the applications that have read a file are rendered again")
def _():
    files = dict(BASE, **overlay("two"), **overlay("three", "components: [../../parts/extra]"))
    files["web/kustomization.yaml"] = "resources: [own.yaml]\n"
    files["web/own.yaml"] = config_map("own", v="1")
    files["parts/extra/kustomization.yaml"] = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches: [{path: patch.yaml}]\n"
    files["parts/extra/patch.yaml"] = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 5}\n"
    with Kustom(files, more_apps=app("two") + app("three")) as s:
        s.daemon()
        for name in ("web", "two", "three"):
            s.settled(name)
        for what, changed, remove, renders in (
                ("a resource of the base", {"base/deployment.yaml": DEPLOYMENT % "1.1"}, (), 2),
                ("a file of the base's generator", {"base/settings.env": "CURRENCY=USD\n"}, (), 2),
                ("the component's patch", {"parts/extra/patch.yaml": files["parts/extra/patch.yaml"].replace("5", "6")}, (), 1),
                ("an unread README of the base", {"base/README.md": "The base, explained.\n"}, (), 0),
                ("unread files that appear", {"base/NOTES": "x\n", "overlays/two/NOTES": "x\n", "web/unlisted.yaml": "a: [\n"}, (), 0),
                ("an overlay's own file", overlay("two", "nameSuffix: -x"), (), 1),
                ("a second kustomization file", {"web/Kustomization": "resources: []\n"}, (), 1),
                ("the second one goes", {}, ("web/Kustomization",), 1),
                ("a folder that nobody has read goes", {}, ("base/NOTES", "overlays/two/NOTES", "web/unlisted.yaml"), 0),
                ("a base that reads one file more", {"base/kustomization.yaml": BASE["base/kustomization.yaml"].replace("[deployment.yaml]", "[deployment.yaml, more.yaml]"),
                                                    "base/more.yaml": config_map("more", v="1")}, (), 2)):
            eq(s.renders_after(changed, remove), renders, "renders after " + what)
        has(s.live_text("web-x", kind="Deployment.apps", ns="ns-two"), "shop/web:1.1")
        has(s.live_text("web", kind="Deployment.apps", ns="ns-three"), "replicas: 6")
        has(s.live_text("more", ns="ns-three"), 'v: "1"')


@test("a file that was absent appears: the one application that looked for it is rendered, and in line")
def _():
    files = dict(BASE, **overlay("two", "- late.yaml"), **overlay("three"))
    files["web/kustomization.yaml"] = "resources: [../base]\n"
    files["overlays/two/kustomization.yaml"] = "resources: [../../base, late.yaml]\n"
    with Kustom(files, more_apps=app("two") + app("three")) as s:
        s.daemon()
        s.settled("web")
        s.settled("three")
        s.wait_message("two", "overlays/two/kustomization.yaml:1:25: ", "late.yaml")
        eq(s.renders_after({"base/NOTES": "x\n", "overlays/NOTES": "x\n"}), 0, "renders after files elsewhere")
        # the hint has read the folder's list, so the error, too, is said again when that has changed
        eq(s.renders_after({"overlays/two/later.yaml": config_map("later", v="1")}), 1, "renders after a file beside it")
        s.wait_message("two", "late.yaml", "did you mean 'later.yaml'?")
        eq(s.renders_after({"overlays/two/late.yaml": config_map("late", v="1")}), 1, "renders after the missing file")
        s.settled("two")
        has(s.live_text("late", ns="ns-two"), 'v: "1"')


@test("a broken kustomization is one application's error, with its place; the others go on, and the fix heals it")
def _():
    files = dict(BASE, **overlay("two"))
    files["web/kustomization.yaml"] = "resources: [../base]\n"
    with Kustom(files, more_apps=app("two")) as s:
        s.daemon()
        s.settled("web")
        s.settled("two")
        live = s.live_text("web", kind="Deployment.apps")
        s.commit("repo", dict({"web/kustomization.yaml": "resources: [../base]\nnamePrefx: a-\n"}, **overlay("two", "nameSuffix: -b")))
        s.wait_message("web", "web/kustomization.yaml:2:1: ", "namePrefx", "did you mean 'namePrefix'?")
        wait_for("the other application to go on", lambda: s.live_text("web-b", kind="Deployment.apps", ns="ns-two"))
        s.settled("two")
        eq(s.live_text("web", kind="Deployment.apps"), live, "what is live of the broken application")
        eq([h["phase"] for h in s.history()], ["Succeeded"], "syncs of the broken application")
        for command in ("sync", "diff", "render"):
            has(s.plumb(command, "web", status=2).err, "web/kustomization.yaml:2:1: ", "did you mean 'namePrefix'?")
        s.commit("repo", {"web/kustomization.yaml": "resources: [../base]\nnamePrefix: a-\n"})
        wait_for("the fix", lambda: s.live_text("a-web", kind="Deployment.apps"))
        lacks(repr(s.settled("web")), "namePrefx")
        # an error in a file that another application names, too, says so of both
        s.commit("repo", {"base/deployment.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: [\n"})
        for name in ("web", "two"):
            s.wait_message(name, "base/deployment.yaml:")
        s.commit("repo", {"base/deployment.yaml": DEPLOYMENT % "2.0"})
        for name in ("web", "two"):
            s.settled(name)
        has(s.live_text("a-web", kind="Deployment.apps"), "shop/web:2.0")


def all_of_state(s):
    for top, _, files in os.walk(s.path("state")):
        for f in files:
            if "/cache/" not in top + "/" and os.path.isfile(os.path.join(top, f)):
                with open(os.path.join(top, f), "rb") as h:
                    yield os.path.join(top, f), h.read().decode("latin-1")


@test("what a secretGenerator makes is live, and in no status, history, diff, log or unsealed store")
def _():
    words = ["hunter2-" + c * 12 for c in "abcd"]
    files = {"web/kustomization.yaml": "secretGenerator:\n- name: s\n  literals: [p=%s]\n  envs: [e.env]\n  files: [f.txt]\n" % words[0],
             "web/e.env": "E=%s\n" % words[1], "web/f.txt": words[2] + "\n"}
    with Kustom(files) as s:
        p = s.start([PLUMB, "run", "-v"], log="daemon.log")
        s.settled()
        name = s.names("shop", "Secret")[0]
        hidden = words + [base64.b64encode(w.encode()).decode().rstrip("=") for w in words] + [base64.b64encode((words[2] + "\n").encode()).decode()]
        has(s.live_text(name, kind="Secret"), *hidden[4:6])
        s.plumb("suspend", "web")
        s.commit("repo", {"web/e.env": "E=%s\n" % words[3]})
        out = wait_for("a difference", lambda: (lambda r: r.out + r.err if r.status == 1 else "")(s.plumb("diff", "web", status=None)))
        # errors beside secrets, too: an option that is none, a file that is no list of variables
        for broken in ("secretGenerator:\n- {name: s, literals: [p=%s], tpye: x}\n" % words[0],
                       "secretGenerator:\n- {name: s, literals: ['%s']}\n" % words[0],
                       "secretGenerator:\n- {name: s, literals: [p=%s, p=%s]}\n" % (words[0], words[1]),
                       "secretGenerator:\n- {name: s, envs: [f.txt]}\nnamePrefx: x\n"):
            s.commit("repo", {"web/kustomization.yaml": broken})
            out += s.wait_message("web", "web/kustomization.yaml:") if "envs" not in broken else s.plumb("status", "web", status=None).out
            s.passes()
        for args in (["status", "web", "-o", "json"], ["history", "web", "-o", "yaml"], ["diff", "web", "-o", "json"]):
            r = s.plumb(*args, status=None)
            out += r.out + r.err
        stop(p)
        lacks(out + s.read("daemon.log"), *hidden)
        for where, text in all_of_state(s):
            for w in hidden:
                assert w not in text, "%s is in %s" % (w, where)


@test("loadRestrictor is the step's option; one that is none is an error of the config, with its place")
def _():
    files = {"web/kustomization.yaml": "resources: [../common/a.yaml]\n", "common/a.yaml": config_map("a", v="1"),
             "overlays/two/kustomization.yaml": "resources: [../../common/a.yaml]\n"}
    more = app("two", more=", render: [{kustomize: {loadRestrictor: none}}]")
    with Kustom(files, more_apps=more) as s:
        s.once(status=None)
        has(s.live_text("a", ns="ns-two"), 'v: "1"')
        assert not os.path.exists(s.live("a"))
        s.wait_message("web", "web/kustomization.yaml:1:13: ", "common/a.yaml")
        for wrong, words in (("{loadRestrictor: nnoe}", ("loadRestrictor", "none", "rootOnly")), ("{loadRestricter: none}", ("loadRestricter", "did you mean 'loadRestrictor'?")),
                             ("{loadRestrictor: 3}", ("loadRestrictor",))):
            s.configure(more_apps=app("two", more=", render: [{kustomize: %s}]" % wrong))
            r = s.plumb("check", status=2)
            has(r.err, *words)
            line = s.read("plumb.yaml").split("\n").index(s.more_apps.strip()) + 1
            assert re.search(r"plumb\.yaml:%d:\d+: " % line, r.err), r.err


@test("killed before and after each render, the next start ends where Git is")
def _():
    files = dict(BASE, **overlay("two"))
    files["web/kustomization.yaml"] = "resources: [../base]\nnamePrefix: a-\n"
    with Kustom(files, more_apps=app("two")) as s:
        def check(where):
            for ns, prefix in (("shop", "a-"), ("ns-two", "")):
                eq(len(s.names(ns, "ConfigMap")), 1, "ConfigMaps in %s after %s" % (ns, where))
                has(s.live_text(prefix + "web", kind="Deployment.apps", ns=ns), "shop/web:" + version, s.names(ns, "ConfigMap")[0])
            for name in ("web", "two"):
                h = s.history(name)
                eq([x["phase"] for x in h if x["phase"] != "Succeeded"], [], "other phases after " + where)
        n = 0
        for name in ("engine.render.before", "engine.render.after"):
            for nth in (1, 2):
                n += 1
                version = "1.%d" % n
                s.commit("repo", {"base/deployment.yaml": DEPLOYMENT % version, "base/settings.env": "N=%d\n" % n})
                r = s.plumb("run", "--once", "-q", program=PLUMB_FAULTS, env={"PLUMB_FAULT": "%s:%d" % (name, nth)}, status=None)
                eq(r.status, -9, "the status of a killed run at %s:%d" % (name, nth))
                s.once()
                check("%s:%d" % (name, nth))
        # a daemon, too, in the midst of its work
        p = s.daemon(program=PLUMB_FAULTS)
        s.commit("repo", {"base/deployment.yaml": DEPLOYMENT % "3.0"})
        kill(p)
        s.once()
        version = "3.0"
        check("a kill of the daemon")


@test("two hundred overlays of one base: its change reaches all, an overlay's one")
def _():
    names = ["o%03d" % i for i in range(200)]
    files = dict(BASE)
    for name in names:
        files.update(overlay(name, "nameSuffix: -" + name))
    files["web/kustomization.yaml"] = "resources: [../base]\n"
    with Kustom(files, more_apps="".join(app(n) for n in names)) as s:
        p = s.daemon()
        wait_for("all to be live", lambda: len(glob.glob(s.path("live/*/Deployment.apps/*.yaml"))) == 201, 120, 0.2)
        eq(s.quiet(), 201, "renders of the first pass")
        eq(s.renders_after({"base/deployment.yaml": DEPLOYMENT % "2.0"}), 201, "renders after a change of the base")
        for f in glob.glob(s.path("live/*/Deployment.apps/*.yaml")):
            with open(f, encoding="utf-8") as h:
                has(h.read(), "shop/web:2.0")
        eq(s.renders_after(overlay("o007", "nameSuffix: -seven")), 1, "renders after a change of one overlay")
        eq(s.names("ns-o007", "Deployment.apps"), ["web-seven"])
        eq(stop(p), 0, "the daemon's status")


def memory(pid):
    with open("/proc/%d/status" % pid) as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1)) * 1024


@test("rendering again and again keeps no memory")
def _():
    many = "---\n".join(config_map("c%d" % i, v="x" * 500) for i in range(2000))
    files = {"web/kustomization.yaml": "resources: [../base]\nnamePrefix: n0-\n", "base/kustomization.yaml": "resources: [many.yaml]\n", "base/many.yaml": many}
    with Kustom(files) as s:
        s.configure(sync="{automated: false}")
        p = s.daemon()

        def again(times, first):
            for i in range(first, first + times):
                before = s.figure("plumb_renders_total")
                s.commit("repo", {"web/kustomization.yaml": "resources: [../base]\ncommonAnnotations: {n: '%d'}\n" % i})
                wait_for("a render", lambda: s.figure("plumb_renders_total") > before)
            s.quiet()
        again(5, 0)
        early = memory(p.pid)
        again(45, 5)
        late = memory(p.pid)
        # One render makes more than 1 MB of text, and several of tree: were it kept, 45 would be far past this.
        assert SLOW > 1 or late < early + (16 << 20), "resident memory grew from %d to %d bytes in 45 renders" % (early, late)
        eq(stop(p), 0, "the daemon's status")


main()
