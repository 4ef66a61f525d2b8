# SPDX-License-Identifier: Apache-2.0
"""plumb patch: every type, every way to give files, mistakes, hostile input, and a peer's answer to random patches.

    tests/integration/test_patch.py [NAME [FIRST LAST]]

PEER names the peer; by default the kubectl on PATH, when it knows `patch --local`. FIRST and LAST are other seeds.
"""
import json

from harness import *
from patch_peer import find_peer, peer_patch, without_directives
import patch_random

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: p, finalizers: [a/one]}
spec:
  containers:
  - name: web
    image: web:1
    args: [-v]
  - name: log
    image: log:1
"""
# A kind that nobody knows, with a list that merges.
SCHEMA = {"definitions": {"example.Shop": {
    "type": "object",
    "properties": {"shelves": {"type": "array", "items": {"type": "object"},
                               "x-kubernetes-patch-strategy": "merge", "x-kubernetes-patch-merge-key": "id"}},
    "x-kubernetes-group-version-kind": [{"group": "example.org", "version": "v1", "kind": "Shop"}]}}}
SHOP = "apiVersion: example.org/v1\nkind: Shop\nshelves:\n- {id: a, size: 1}\n- {id: b}\n"


def patch(s, *args, stdin=None, status=0):
    return run([PLUMB, "patch"] + list(args), cwd=s.dir, stdin=stdin, status=status)


def patched(s, *args, stdin=None):
    return json.loads(patch(s, *args, stdin=stdin).out)


@test("a strategic merge patch goes by the kind of the document")
def _():
    with Scratch() as s:
        s.write("pod.yaml", POD)
        s.write("patch.yaml", "spec: {containers: [{name: log, image: 'log:2'}, {name: web, $patch: delete}]}\n")
        got = patched(s, "--patch", "patch.yaml", "pod.yaml")
        eq(got["spec"]["containers"], [{"name": "log", "image": "log:2"}])
        eq(got["metadata"], {"name": "p", "finalizers": ["a/one"]})
        eq(list(got), ["apiVersion", "kind", "metadata", "spec"], "the document's order")
        eq(patched(s, "--type", "strategic", "-p", '{"metadata": {"finalizers": ["b/two"]}}', "pod.yaml")["metadata"]["finalizers"],
           ["b/two", "a/one"])


@test("other kinds merge by --schema; without one their lists are replaced")
def _():
    with Scratch() as s:
        s.write("shop.yaml", SHOP)
        s.write("schema.json", json.dumps(SCHEMA))
        s.write("schema.yaml", json.dumps(SCHEMA, indent=2))
        p = '{"shelves": [{"id": "a", "size": 2}]}'
        eq(patched(s, "-p", p, "shop.yaml")["shelves"], [{"id": "a", "size": 2}])
        for args in (["--schema", "schema.json"], ["-s", "schema.yaml", "-d", "example.Shop"]):
            eq(patched(s, "-p", p, *args, "shop.yaml")["shelves"], [{"id": "a", "size": 2}, {"id": "b"}])
        has(patch(s, "-p", p, "-s", "schema.json", "-d", "example.Shap", "shop.yaml", status=2).err, "there is no definition 'example.Shap' in 'schema.json'")
        # A CustomResourceDefinition has no merge keys, but is a schema.
        crd = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "shops.example.org"},
               "spec": {"group": "example.org", "scope": "Namespaced", "names": {"kind": "Shop", "plural": "shops"},
                        "versions": [{"name": "v1", "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                            "shelves": {"type": "array", "items": {"type": "object"}}}}}}]}}
        s.write("crd.json", json.dumps(crd))
        eq(patched(s, "-p", p, "-s", "crd.json", "shop.yaml")["shelves"], [{"id": "a", "size": 2}])


@test("JSON patches and merge patches")
def _():
    with Scratch() as s:
        s.write("pod.yaml", POD)
        s.write("ops.yaml", "- {op: replace, path: /spec/containers/0/image, value: 'web:2'}\n- {op: remove, path: /metadata/finalizers}\n")
        got = patched(s, "--type", "json", "-p", "ops.yaml", "pod.yaml")
        eq((got["spec"]["containers"][0]["image"], got["metadata"]), ("web:2", {"name": "p"}))
        got = patched(s, "--type=merge", "-p", '{"spec": {"containers": [1]}, "metadata": null}', "pod.yaml")
        eq(got, {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [1]}})
        eq(patched(s, "-t", "json", "-p", '[{"op": "add", "path": "", "value": 1.10}]', "pod.yaml"), 1.10)


@test("three-way: what was applied before and is no longer wanted goes, what others added stays")
def _():
    with Scratch() as s:
        s.write("original.yaml", POD)
        s.write("modified.yaml", POD.replace("web:1", "web:2").replace("  - name: log\n    image: log:1\n", "").replace("[a/one]", "[]"))
        s.write("live.yaml", POD.replace("log:1", "log:1\n  - {name: mesh, image: mesh}").replace("{name: p", "{name: p, uid: u") + "status: {phase: Running}\n")
        three = ["-t", "three-way", "-p", "modified.yaml"]
        got = patched(s, *three, "--original", "original.yaml", "live.yaml")
        eq([c["image"] for c in got["spec"]["containers"]], ["web:2", "mesh"])
        eq(got["metadata"], {"name": "p", "uid": "u", "finalizers": []})
        eq(got["status"], {"phase": "Running"})
        # Nothing is known of before: nothing goes.
        eq([c["image"] for c in patched(s, *three, "live.yaml")["spec"]["containers"]], ["web:2", "log:1", "mesh"])
        unchanged = ["-t", "three-way", "-p", "original.yaml", "--original", "original.yaml", "live.yaml"]
        eq(patched(s, *unchanged), json.loads(run([PLUMB, "yaml", "live.yaml"], cwd=s.dir).out))


@test("any one of the files is standard input; patches are applied in their order")
def _():
    with Scratch() as s:
        s.write("pod.yaml", POD)
        s.write("a.json", '{"spec": {"a": 1, "b": 1}}')
        for args, stdin in ((["-p", "a.json", "-"], POD), (["-p", "-", "pod.yaml"], '{"spec": {"a": 1, "b": 1}}'), (["--patch=-", "pod.yaml"], "spec: {a: 1, b: 1}")):
            got = patched(s, *args, stdin=stdin)["spec"]
            eq((got["a"], got["b"]), (1, 1))
        eq(patched(s, "-t", "three-way", "-p", "pod.yaml", "--original", "-", "pod.yaml", stdin=POD + "x: 1\n")["kind"], "Pod")
        got = patched(s, "-p", "a.json", "-p", '{"spec": {"b": 2, "c": 2}}', "-p", '{"spec": {"a": null}}', "pod.yaml")["spec"]
        eq((got.get("a"), got["b"], got["c"]), (None, 2, 2))


@test("-o yaml prints YAML that reads back the same; numbers keep their digits")
def _():
    with Scratch() as s:
        s.write("pod.yaml", POD + "big: 12345678901234567890123\nprecise: 1.10\n")
        out = patch(s, "-p", '{"spec": {"port": "80"}}', "-o", "yaml", "pod.yaml").out
        has(out, "kind: Pod\n", "port: \"80\"\n", "big: 12345678901234567890123\n", "precise: 1.10\n")
        s.write("out.yaml", out)
        eq(json.loads(run([PLUMB, "yaml", "out.yaml"], cwd=s.dir).out), patched(s, "-p", '{"spec": {"port": "80"}}', "pod.yaml"))


@test("a refused patch: exit status 2, its place, nothing on standard output")
def _():
    cases = [
        (["-p", "missing-key.yaml"], "missing-key.yaml:3:5: item of 'containers' has no 'name' to merge by"),
        (["-p", "word.yaml"], "word.yaml:2:11: unknown '$patch: replaced' (did you mean 'replace'?)"),
        (["-p", '{"spec": {"$patch": "merge"}}'], "--patch:1:21: '$patch: merge' is not known"),
        (["-t", "json", "-p", "ops.json"], "ops.json:1:"),
        (["-t", "json", "-p", "word.yaml"], "word.yaml:1:1: a JSON patch must be a list of operations"),
        (["-p", "broken.json"], "broken.json:1:"),
        (["-p", "two.yaml"], "two.yaml:3:1: must hold one document, not 2"),
        (["-p", "empty.yaml"], "empty.yaml: must hold one document, not 0"),
        (["-p", "nowhere.yaml"], "open 'nowhere.yaml': No such file or directory"),
        (["-p", "{}", "-s", "broken.json"], "broken.json:1:"),
    ]
    with Scratch() as s:
        s.write("pod.yaml", POD)
        s.write("missing-key.yaml", "spec:\n  containers:\n  - image: x\n")
        s.write("word.yaml", "spec:\n  $patch: replaced\n")
        s.write("ops.json", '[{"op": "remove", "path": "/spec/nothing"}]')
        s.write("broken.json", '{"a": ')
        s.write("two.yaml", "a: 1\n---\nb: 1\n")
        s.write("empty.yaml", "")
        for args, wanted in cases:
            r = patch(s, *args, "pod.yaml", status=2)
            has(r.err, "plumb: ", wanted)
            eq(r.out, "")
            eq(r.err.count("\n"), 1, "one line")


@test("wrong use is told with what is right")
def _():
    cases = [
        (["pod.yaml"], "say what to do with --patch"),
        (["-p", "{}"], "name the file to patch"),
        (["-t", "strategy", "-p", "{}", "pod.yaml"], "there is no patch type 'strategy' (did you mean 'strategic'?)"),
        (["-t", "x", "-p", "{}", "pod.yaml"], "there are strategic, three-way, merge, json"),
        (["-t", "three-way", "-p", "{}", "-p", "{}", "pod.yaml"], "three-way takes one --patch"),
        (["--original", "pod.yaml", "-p", "{}", "pod.yaml"], "--original is for --type three-way"),
        (["-d", "a.B", "-p", "{}", "pod.yaml"], "--definition names a definition of --schema"),
        (["-p", "-", "-"], "only one file can be standard input"),
        (["-o", "name", "-p", "{}", "pod.yaml"], "-o takes json or yaml here"),
        (["--pach", "{}", "pod.yaml"], "did you mean '--patch'?"),
    ]
    with Scratch() as s:
        s.write("pod.yaml", POD)
        for args, wanted in cases:
            has(patch(s, *args, status=2).err, wanted, "usage: plumb patch")
        has(patch(s, "--help").out, "--original FILE", "--definition NAME")


@test("a Secret's values are in no error")
def _():
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {p: hunter2}\ndata: {q: aHVudGVy}\n"
    with Scratch() as s:
        s.write("secret.yaml", secret)
        for p in ('{"stringData": {"$retainKeys": ["hunter3"], "p": "hunter4"}}', '{"metadata": {"finalizers": ["hunter5", 1]}}',
                  '{"data": {"$setElementOrder/q": ["hunter6"], "q": "hunter7"}}'):
            r = patch(s, "-p", p, "secret.yaml", status=None)
            lacks(r.err, "hunter", "aHVudGVy")


@test("depth, length and cycles end with an error or a result")
def _():
    deep = '{"a":' * 400 + "1" + "}" * 400
    with Scratch() as s:
        s.write("deep.json", deep)
        eq(patched(s, "-p", deep.replace("1", "2"), "deep.json"), json.loads(deep.replace("1", "2")))
        s.write("deeper.json", '{"a":' * 100000)
        s.write("deeper.yaml", "[" * 100000)
        for f in ("deeper.json", "deeper.yaml"):
            has(patch(s, "-p", f, "deep.json", status=2).err, "%s:1:" % f)
            has(patch(s, "-p", "{}", f, status=2).err, "%s:1:" % f)
        s.write("bomb.yaml", "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join("%s: &%s [%s]\n" % (n, n, ", ".join(["*" + p] * 9)) for p, n in zip("abcdefg", "bcdefgh")))
        has(patch(s, "-p", "bomb.yaml", "deep.json", status=2).err, "bomb.yaml:")
        n = 20000
        pod = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "c%d" % i, "image": "a"} for i in range(n)]}}
        s.write("many.json", json.dumps(pod))
        order = [{"name": "c%d" % i} for i in reversed(range(n))]
        s.write("many-patch.json", json.dumps({"spec": {"$setElementOrder/containers": order, "containers": [dict(c, image="b") for c in order]}}))
        eq(patched(s, "-p", "many-patch.json", "many.json")["spec"]["containers"], [dict(c, image="b") for c in order])
        s.write("fewer.json", json.dumps(dict(pod, spec={"containers": pod["spec"]["containers"][::2]})))
        eq(patched(s, "-t", "three-way", "-p", "fewer.json", "--original", "many.json", "many.json"), json.loads(s.read("fewer.json")))


# ---- a peer ----

def compare(peer, s, seed):
    m = patch_random.Maker(seed)
    doc, p = m.document("d"), m.patch()
    empty, theirs = peer_patch(peer, s, p, doc)
    ours = patch(s, "-p", json.dumps(p), "one.json", status=None)
    if empty:
        return
    what = "seed %d: %s with %s" % (seed, json.dumps(doc), json.dumps(p))
    eq(ours.status == 0, theirs is not None, what)
    if theirs is not None:
        eq(json.loads(ours.out), without_directives(theirs), what)


@test("random patches give what the peer gives")
def _():
    peer = find_peer()
    if not peer:
        print("# skipped: no kubectl 1.30 or later (name one with PEER)")
        return
    first, last = (int(v) for v in sys.argv[2:4]) if len(sys.argv) > 3 else (0, 100)
    with Scratch() as s:
        for seed in range(first, last):
            compare(peer, s, seed)


main()
