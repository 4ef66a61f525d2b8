# SPDX-License-Identifier: Apache-2.0
"""Trees made to hurt: cycles, depth, size, escapes, bombs. Each ends with an answer or with an error that names its place."""
import resource

from harness import *

HEAD = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: %s\n"
SANITIZED = float(os.environ.get("TEST_SLOWNESS", "1")) > 1


def write(top, name, text):
    path = os.path.join(top, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb" if isinstance(text, bytes) else "w") as f:
        f.write(text)


def render(top, *args, status=2, memory=None):
    """memory: MB of address space at most; sanitizers need more than that for themselves."""
    def limit():
        if memory and not SANITIZED:
            resource.setrlimit(resource.RLIMIT_AS, (memory << 20, memory << 20))
    p = subprocess.run([PLUMB, "render"] + list(args), cwd=top, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       preexec_fn=limit, timeout=120 * SLOW)
    r = Result(p.returncode, p.stdout.decode("utf-8", "replace"), p.stderr.decode("utf-8", "replace"))
    assert r.status == status, "wanted exit %s, got exit %s: %s%s" % (status, r.status, r.out[:500], r.err[:2000])
    assert status == 0 or not r.out, r.out[:500]
    return r


def says(r, *words):
    for w in words:
        assert w in r.err, "the error lacks %r: %s" % (w, r.err[:2000])
    assert len(r.err) < 20000, "an error of %d bytes" % len(r.err)


@test("a kustomization that lists itself")
def _():
    with Scratch() as s:
        write(s.dir, "a/kustomization.yaml", HEAD + "resources:\n- ../a\n")
        says(render(s.dir, "a"), "a/kustomization.yaml:4", "cycle")


@test("a ring of three, and one over components")
def _():
    with Scratch() as s:
        for here, there in (("a", "b"), ("b", "c"), ("c", "a")):
            write(s.dir, here + "/kustomization.yaml", HEAD + "resources:\n- ../%s\n" % there)
        says(render(s.dir, "a"), "c/kustomization.yaml:4", "cycle")
        for here, there in (("x", "y"), ("y", "x")):
            write(s.dir, here + "/kustomization.yaml", "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\ncomponents:\n- ../%s\n" % there)
        write(s.dir, "top/kustomization.yaml", HEAD + "components: [../x]\n")
        says(render(s.dir, "top"), "y/kustomization.yaml", "cycle")


@test("a ring that goes through a link")
def _():
    with Scratch() as s:
        write(s.dir, "a/kustomization.yaml", HEAD + "resources:\n- ../b\n")
        os.symlink("a", os.path.join(s.dir, "b"))
        says(render(s.dir, "a"), "kustomization.yaml:4", "cycle")


@test("ten thousand levels")
def _():
    with Scratch() as s:
        for i in range(10000):
            write(s.dir, "l%d/kustomization.yaml" % i, HEAD + "resources: [../l%d]\n" % (i + 1))
        write(s.dir, "l10000/kustomization.yaml", HEAD + "resources: [a.yaml]\n")
        write(s.dir, "l10000/a.yaml", CONFIG % "a")
        r = render(s.dir, "l0", memory=1024)
        says(r, "deep")


@test("two bases a level, thirty levels: a billion paths to one file")
def _():
    with Scratch() as s:
        for i in range(30):
            write(s.dir, "l%d/kustomization.yaml" % i, HEAD + "resources: [../l%d]\ncomponents: []\n" % (i + 1))
            write(s.dir, "m%d/kustomization.yaml" % i, HEAD + "resources: [../m%d, ../m%d/../m%d]\nnamePrefix: p-\n" % (i + 1, i + 1, i + 1))
        for top in "lm":
            write(s.dir, top + "30/kustomization.yaml", HEAD + "resources: [a.yaml]\n")
            write(s.dir, top + "30/a.yaml", CONFIG % "a")
        assert "name: a\n" in render(s.dir, "l0", status=0).out
        # the second is the same base twice: the names collide at the deepest level, and that ends it
        says(render(s.dir, "m0", memory=1024), "already registered")


@test("a ConfigMap of a file of 100 MB")
def _():
    with Scratch() as s:
        write(s.dir, "big.txt", b"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\n" * (100 * 1024 * 1024 // 64))
        write(s.dir, "kustomization.yaml", HEAD + "configMapGenerator:\n- name: big\n  files: [big.txt]\n")
        with open(os.path.join(s.dir, "out"), "wb") as out:
            p = subprocess.run([PLUMB, "render", s.dir], stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE, timeout=200 * SLOW)
        size = os.path.getsize(os.path.join(s.dir, "out"))
        assert p.returncode == 0 and size > 100 * 1024 * 1024, (p.returncode, size, p.stderr[-500:])


@test("a binary file of 20 MB, in a Secret, hashed")
def _():
    with Scratch() as s:
        write(s.dir, "big.bin", bytes(range(256)) * (20 * 4096))
        write(s.dir, "kustomization.yaml", HEAD + "secretGenerator:\n- name: big\n  files: [big.bin]\n")
        r = render(s.dir, ".", status=0)
        assert "name: big-" in r.out and len(r.out) > 20 * 1024 * 1024 * 4 // 3, len(r.out)


@test("a path that leaves the folder")
def _():
    with Scratch() as s:
        write(s.dir, "outside.yaml", CONFIG % "a")
        for field, text in (("resources", "resources:\n- ../outside.yaml\n"), ("configMapGenerator", "configMapGenerator:\n- name: a\n  files: [../outside.yaml]\n"),
                            ("patches", "patches:\n- path: ../outside.yaml\n"), ("absolute", "resources:\n- %s/outside.yaml\n" % s.dir),
                            ("long", "resources:\n- " + "../" * 500 + "etc/passwd\n"), ("transformers", "transformers:\n- ../outside.yaml\n"),
                            ("configurations", "configurations:\n- ../outside.yaml\n"), ("openapi", "openapi:\n  path: ../outside.yaml\n"),
                            ("crds", "crds:\n- ../outside.yaml\n"), ("replacements", "replacements:\n- path: ../outside.yaml\n"),
                            ("envs", "secretGenerator:\n- name: a\n  envs: [../outside.yaml]\n")):
            write(s.dir, "k/kustomization.yaml", HEAD + text)
            r = render(s.dir, "k")
            says(r, "k/kustomization.yaml:")
            assert "root:" not in r.err, field


@test("a link that leaves the folder")
def _():
    with Scratch() as s:
        os.makedirs(os.path.join(s.dir, "k"))
        os.symlink("/etc/passwd", os.path.join(s.dir, "k/a.yaml"))
        os.symlink("/etc", os.path.join(s.dir, "k/etc"))
        for what in ("configMapGenerator:\n- name: a\n  files: [a.yaml]\n", "configMapGenerator:\n- name: a\n  files: [etc/passwd]\n", "resources: [a.yaml]\n"):
            write(s.dir, "k/kustomization.yaml", HEAD + what)
            r = render(s.dir, "k")
            says(r, "k/kustomization.yaml:")
            assert "root:" not in r.err, r.err


@test("links that lead to themselves, files that are none")
def _():
    with Scratch() as s:
        os.makedirs(os.path.join(s.dir, "k"))
        os.symlink("loop", os.path.join(s.dir, "k/loop"))
        os.mkfifo(os.path.join(s.dir, "k/pipe"))
        for name in ("loop", "pipe", "loop/x"):
            write(s.dir, "k/kustomization.yaml", HEAD + "resources:\n- %s\n" % name)
            says(render(s.dir, "k"), "k/kustomization.yaml:4")
        write(s.dir, "k/kustomization.yaml", HEAD + "resources:\n- /dev/zero\n")
        says(render(s.dir, "k", "--load-restrictor=LoadRestrictionsNone", memory=2048), "/dev/zero")


@test("alias bombs, in a resource, a patch and the kustomization")
def _():
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join("%s: &%s [%s]\n" % (b, b, ", ".join(["*" + a] * 9)) for a, b in zip("abcdefghi", "bcdefghij"))
    with Scratch() as s:
        write(s.dir, "bomb.yaml", CONFIG % "a" + "data:\n" + "".join("  " + l + "\n" for l in bomb.splitlines()))
        for text in ("resources: [bomb.yaml]\n", "patches:\n- path: bomb.yaml\n", "configurations: [bomb.yaml]\n"):
            write(s.dir, "kustomization.yaml", HEAD + text)
            says(render(s.dir, ".", memory=2048), "bomb.yaml:")
        write(s.dir, "kustomization.yaml", HEAD + bomb)
        says(render(s.dir, ".", memory=2048), "kustomization.yaml:")


@test("nesting without end")
def _():
    with Scratch() as s:
        write(s.dir, "deep.yaml", CONFIG % "a" + "data: " + "[" * 100000 + "]" * 100000 + "\n")
        write(s.dir, "kustomization.yaml", HEAD + "resources: [deep.yaml]\n")
        says(render(s.dir, ".", memory=1024), "deep.yaml:")
        write(s.dir, "kustomization.yaml", HEAD + "patches:\n- target: {kind: ConfigMap}\n  patch: '%s'\n" % ("[" * 100000))
        says(render(s.dir, ".", memory=1024), "kustomization.yaml:")


@test("expressions that others take forever for")
def _():
    with Scratch() as s:
        write(s.dir, "a.yaml", CONFIG % ("a" * 200))
        for name in ("(a+)+b", "(a|aa)+b", "(.*a){20}b", "a{1000}{1000}"):
            write(s.dir, "kustomization.yaml", HEAD + "resources: [a.yaml]\npatches:\n- target: {name: '%s'}\n  patch: '[{\"op\": \"remove\", \"path\": \"/data\"}]'\n" % name)
            r = render(s.dir, ".", status=2 if "1000" in name else 0, memory=1024)
            assert "1000" not in name or "kustomization.yaml:" in r.err, r.err


@test("texts that are no YAML, no UTF-8, or empty")
def _():
    with Scratch() as s:
        write(s.dir, "kustomization.yaml", HEAD + "resources: [a.yaml]\n")
        for text in (b"\xff\xfe\x00", b"\x00" * 100, b"%YAML 9.9\n---\n", b"a: [\n", b"\xc0\x80: 1\n", b"- 1\n- 2\n", b"just text\n"):
            write(s.dir, "a.yaml", text)
            says(render(s.dir, "."), "a.yaml")
        for text in (b"", b"# nothing\n", b"---\n---\n"):
            write(s.dir, "a.yaml", text)
            assert render(s.dir, ".", status=0).out == "", text


@test("names, paths and values of a megabyte")
def _():
    with Scratch() as s:
        long = "a" * (1 << 20)
        write(s.dir, "a.yaml", CONFIG % "a")
        for text in ("namePrefix: %s-\nresources: [a.yaml]\n", "resources: [%s]\n", "resources: [a.yaml]\nreplacements:\n- source: {kind: ConfigMap, fieldPath: %s}\n  targets: []\n",
                     "%s: 1\n", "resources: [a.yaml]\nimages:\n- name: %s\n  newTag: x\n"):
            write(s.dir, "kustomization.yaml", HEAD + text % long)
            p = subprocess.run([PLUMB, "render", s.dir], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60 * SLOW)
            assert p.returncode in (0, 2), (p.returncode, p.stderr[-300:])


@test("copies of copies: patches, replacements and vars that double what is there")
def _():
    into_itself = "- source: {kind: ConfigMap, fieldPath: data.x}\n  targets:\n  - select: {kind: ConfigMap}\n    fieldPaths: [%s]\n    options: %s\n"
    with Scratch() as s:
        write(s.dir, "a.yaml", CONFIG % "a" + "data:\n  x: {a: b, c: d}\n")
        write(s.dir, "text.yaml", CONFIG % "a" + "data:\n  x: hello\n")
        write(s.dir, "vars.yaml", CONFIG % "a" + "data:\n  x: %s\n  y: %s\n" % ("A" * (1 << 20), "$(V)" * 10000))
        write(s.dir, "c.yaml", "varReference:\n- path: data/y\n")
        for text in ("resources: [a.yaml]\npatches:\n- target: {kind: ConfigMap}\n  patch: |\n" + "".join("    - {op: copy, from: /data/x, path: /data/x/k%d}\n" % i for i in range(60)),
                     "resources: [a.yaml]\nreplacements:\n" + "".join(into_itself % ("data.x.k%d" % i, "{create: true}") for i in range(60)),
                     "resources: [text.yaml]\nreplacements:\n" + into_itself % ("data.x", "{delimiter: ',', index: -1}") * 60,
                     "resources: [vars.yaml]\nconfigurations: [c.yaml]\nvars:\n- name: V\n  objref: {apiVersion: v1, kind: ConfigMap, name: a}\n  fieldref: {fieldPath: data.x}\n"):
            write(s.dir, "kustomization.yaml", HEAD + text)
            says(render(s.dir, ".", memory=2048), "copies", ".yaml:")


@test("objects that get deeper with every patch")
def _():
    deep = '{"a": ' * 400 + "{}" + "}" * 400
    with Scratch() as s:
        write(s.dir, "a.yaml", CONFIG % "a" + "data: {x: {}}\n")
        write(s.dir, "b.yaml", CONFIG % "b" + "data: %s\n" % deep)
        steps = range(0, 4000, 400)
        for text in ("resources: [a.yaml]\npatches:\n" + "".join("- target: {kind: ConfigMap}\n  patch: '[{\"op\": \"add\", \"path\": \"/data/x%s\", \"value\": %s}]'\n"
                                                                 % ("/a" * n, deep) for n in steps),
                     "resources: [a.yaml, b.yaml]\nreplacements:\n" + "".join("- source: {kind: ConfigMap, name: b, fieldPath: data}\n  targets:\n  - select: {kind: ConfigMap, name: a}\n"
                                                                              "    fieldPaths: ['data%s']\n    options: {create: true}\n" % (".a" * (n + 1)) for n in steps),
                     "resources: [a.yaml]\ntransformers:\n- |\n  apiVersion: builtin\n  kind: PrefixTransformer\n  metadata: {name: x}\n  prefix: p\n  fieldSpecs:\n"
                     "  - {path: data%s, create: true}\n" % ("/a" * 100000),
                     "resources: [a.yaml]\ntransformers:\n- |\n  apiVersion: builtin\n  kind: ValueAddTransformer\n  metadata: {name: x}\n  value: p\n  targets:\n"
                     "  - {fieldPath: data%s}\n" % ("/a" * 100000)):
            write(s.dir, "kustomization.yaml", HEAD + text)
            r = render(s.dir, ".", memory=1024)
            assert "512" in r.err, r.err[-500:]


@test("tables of forty thousand fields")
def _():
    n = 40000
    with Scratch() as s:
        write(s.dir, "a.yaml", CONFIG % "a")
        write(s.dir, "c.yaml", "commonAnnotations:\n" + "".join("- {path: metadata/annotations%d, create: true}\n" % i for i in range(n)))
        write(s.dir, "crd.json", '{"x.K": {"Schema": {"properties": {"kind": {}, "apiVersion": {}, "metadata": {}, %s}}}}' % ", ".join(
            '"p%d": {"x-kubernetes-annotation": "", "x-kubernetes-object-ref-api-version": "v1", "x-kubernetes-object-ref-kind": "K%d"}' % (i, i) for i in range(n)))
        for field, file in (("configurations", "c.yaml"), ("crds", "crd.json")):
            write(s.dir, "kustomization.yaml", HEAD + "resources: [a.yaml]\n%s: [%s]\n" % (field, file))
            says(render(s.dir, ".", memory=1024), file + ":", "4096 field specs")


@test("fifty thousand entries in the lists")
def _():
    n = 10000 if SANITIZED else 50000
    with Scratch() as s:
        write(s.dir, "a.yaml", "---\n".join(CONFIG % ("c%d" % i) for i in range(n)))
        labels = "".join("  l%d: x\n" % i for i in range(5))
        write(s.dir, "kustomization.yaml", HEAD + "resources: [a.yaml]\nconfigMapGenerator:\n" + "".join("- {name: g%d}\n" % i for i in range(n))
              + "commonAnnotations:\n" + labels)
        r = render(s.dir, ".", status=0)
        eq(r.out.count("kind: ConfigMap"), 2 * n)


main()
