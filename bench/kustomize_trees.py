# SPDX-License-Identifier: Apache-2.0
"""Kustomizations of a chosen size, for timing: build(folder, shape, n) writes one and gives the folder to render.

    plain         n resources, 50 a file
    transform     the same under an overlay with prefix, namespace, labels and images
    refs          under an overlay with generators that Deployments mention, a prefix and patches (n/10 each)
    patches       n Deployments, a strategic patch for each
    json          n Deployments, a JSON patch for each by its target's name
    generators    n ConfigMap generators
    replacements  n replacements, each from its own ConfigMap into its own Deployment
    references    n Deployments, each with a reference to its own ConfigMap, under a prefix
    same          n Deployments that all mention one generated ConfigMap
    bindings      n ServiceAccounts, Roles and RoleBindings of them, under a prefix and in a namespace
    components    n Components, each with a patch for its own Deployment
    overlays      one base used n times, each time with a prefix of its own
    spaces        one base in n namespaces, a generated ConfigMap of each merged into
    transformers  n Deployments, a PatchTransformer for each in one file
    told          n resources with buildMetadata's annotations
    vars          n vars, each of its own ConfigMap and used in its own Deployment
    one_file      n resources in one file
    files         n resources, each in a file of its own
    deletions     n Deployments of which all but one are taken out by patches
    renames       n Deployments, each renamed by a JSON patch
"""
import os

HEAD = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"

DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: web-{i}
  labels:
    app: web-{i}
spec:
  replicas: 2
  selector:
    matchLabels:
      app: web-{i}
  template:
    metadata:
      labels:
        app: web-{i}
    spec:
      containers:
      - name: main
        image: registry.example.com/shop/web{image}:1.{i}
        args: ["--listen", "0.0.0.0:8080"]
        env:
        - name: LEVEL
          value: info
        - name: HOST
          valueFrom:
            configMapKeyRef:
              name: {config}
              key: host
        ports:
        - containerPort: 8080
          name: http
      volumes:
      - name: config
        configMap:
          name: {config}
"""
SERVICE = """apiVersion: v1
kind: Service
metadata:
  name: web-{i}
spec:
  selector:
    app: web-{i}
  ports:
  - name: http
    port: 80
    targetPort: 8080
"""
CONFIG = """apiVersion: v1
kind: ConfigMap
metadata:
  name: config-{i}
data:
  host: host-{i}.example.com
  file.conf: |
    listen = 0.0.0.0:8080
    level = info
"""


def write(top, name, text):
    path = os.path.join(top, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def base(top, documents, more=""):
    names = []
    for at in range(0, len(documents), 50):
        names.append("resources-%05d.yaml" % (at // 50))
        write(top, "base/" + names[-1], "---\n".join(documents[at:at + 50]))
    listed = "resources:\n" + "".join("- %s\n" % n for n in names) if names else ""
    write(top, "base/kustomization.yaml", HEAD + listed + more)


def overlay(top, text):
    write(top, "overlay/kustomization.yaml", HEAD + "resources: [../base]\n" + text)
    return os.path.join(top, "overlay")


def deployment(i, config=None):
    return DEPLOYMENT.format(i=i, image=i % 20, config=config or "config-%d" % i)


def mixed(n):
    makers = (deployment, lambda i: SERVICE.format(i=i), lambda i: CONFIG.format(i=i))
    return [makers[i % 3](i) for i in range(n)]


def plain(top, n):
    base(top, mixed(n))
    return os.path.join(top, "base")


def transform(top, n):
    base(top, mixed(n))
    images = "".join("- {name: registry.example.com/shop/web%d, newTag: '2.%d'}\n" % (k, k) for k in range(5))
    return overlay(top, "namePrefix: prod-\nnamespace: shop\nlabels:\n- pairs: {env: prod, team: blue}\n  includeSelectors: true\nimages:\n" + images)


def refs(top, n):
    tenth = max(1, n // 10)
    documents = [deployment(i, "made-%d" % (i % tenth)) if i % 3 == 0 else SERVICE.format(i=i) for i in range(n)]
    base(top, documents, "configMapGenerator:\n" + "".join("- {name: made-%d, literals: [host=h%d]}\n" % (i, i) for i in range(tenth)))
    patches = "".join("- patch: |-\n    apiVersion: apps/v1\n    kind: Deployment\n    metadata: {name: web-%d}\n    spec: {replicas: 3}\n" % i
                      for i in range(0, n, 30))
    return overlay(top, "namePrefix: prod-\nnamespace: shop\npatches:\n" + patches)


def patches(top, n):
    base(top, [deployment(i) for i in range(n)])
    return overlay(top, "patches:\n" + "".join(
        "- patch: |-\n    apiVersion: apps/v1\n    kind: Deployment\n    metadata: {name: web-%d}\n    spec:\n      template:\n        spec:\n"
        "          containers:\n          - name: main\n            env: [{name: MORE, value: '%d'}]\n" % (i, i) for i in range(n)))


def json(top, n):
    base(top, [deployment(i) for i in range(n)])
    return overlay(top, "patches:\n" + "".join(
        "- target: {kind: Deployment, name: web-%d}\n  patch: '[{\"op\": \"replace\", \"path\": \"/spec/replicas\", \"value\": %d}]'\n" % (i, i) for i in range(n)))


def generators(top, n):
    base(top, [], "configMapGenerator:\n" + "".join("- {name: made-%d, literals: [host=h%d, port=%d]}\n" % (i, i, i) for i in range(n)))
    return overlay(top, "namePrefix: prod-\n")


def replacements(top, n):
    base(top, [d for i in range(n) for d in (deployment(i), CONFIG.format(i=i))])
    return overlay(top, "replacements:\n" + "".join(
        "- source: {kind: ConfigMap, name: config-%d, fieldPath: data.host}\n  targets:\n  - select: {kind: Deployment, name: web-%d}\n"
        "    fieldPaths: ['spec.template.spec.containers.[name=main].env.[name=LEVEL].value']\n" % (i, i) for i in range(n)))


def references(top, n):
    base(top, [d for i in range(n) for d in (deployment(i), CONFIG.format(i=i))])
    return overlay(top, "namePrefix: prod-\n")


def same(top, n):
    base(top, [deployment(i, "made") for i in range(n)], "configMapGenerator:\n- {name: made, literals: [host=h]}\n")
    return overlay(top, "namePrefix: prod-\n")


def bindings(top, n):
    rbac = "rbac.authorization.k8s.io"
    base(top, [d for i in range(n) for d in (
        "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: account-%d}\n" % i,
        "apiVersion: %s/v1\nkind: Role\nmetadata: {name: role-%d}\n" % (rbac, i),
        "apiVersion: %s/v1\nkind: RoleBinding\nmetadata: {name: binding-%d}\nroleRef: {apiGroup: %s, kind: Role, name: role-%d}\n"
        "subjects: [{kind: ServiceAccount, name: account-%d}]\n" % (rbac, i, rbac, i, i))])
    return overlay(top, "namePrefix: prod-\nnamespace: shop\n")


def components(top, n):
    base(top, [deployment(i) for i in range(n)])
    for i in range(n):
        write(top, "part-%d/kustomization.yaml" % i,
              "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches:\n- patch: |-\n    apiVersion: apps/v1\n"
              "    kind: Deployment\n    metadata: {name: web-%d}\n    spec: {replicas: 3}\n" % i)
    return overlay(top, "components:\n" + "".join("- ../part-%d\n" % i for i in range(n)))


def many_overlays(top, n, each, more=""):
    base(top, [deployment(0, "config"), CONFIG.format(i=0).replace("config-0", "config")], "configMapGenerator:\n- {name: made, literals: [a=b]}\n")
    for i in range(n):
        write(top, "use-%d/kustomization.yaml" % i, HEAD + "resources: [../base]\n" + each % i)
    write(top, "overlay/kustomization.yaml", HEAD + "resources:\n" + "".join("- ../use-%d\n" % i for i in range(n)) + more)
    return os.path.join(top, "overlay")


def overlays(top, n):
    return many_overlays(top, n, "namePrefix: use-%d-\n")


def spaces(top, n):
    return many_overlays(top, n, "namespace: space-%d\n", "configMapGenerator:\n" + "".join(
        "- {name: made, namespace: space-%d, behavior: merge, literals: [host=h%d]}\n" % (i, i) for i in range(n)))


def transformers(top, n):
    base(top, [deployment(i) for i in range(n)])
    write(top, "overlay/patches.yaml", "---\n".join(
        "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: p-%d}\ntarget: {kind: Deployment, name: web-%d}\n"
        "patch: '[{\"op\": \"replace\", \"path\": \"/spec/replicas\", \"value\": %d}]'\n" % (i, i, i) for i in range(n)))
    return overlay(top, "transformers: [patches.yaml]\n")


def told(top, n):
    base(top, mixed(n), "nameSuffix: -a\n")
    return overlay(top, "namePrefix: prod-\nbuildMetadata: [originAnnotations, transformerAnnotations, managedByLabel]\n")


def vars(top, n):
    base(top, [d for i in range(n) for d in (deployment(i).replace("value: info", "value: $(HOST_%d)" % i), CONFIG.format(i=i))])
    return overlay(top, "vars:\n" + "".join(
        "- {name: HOST_%d, objref: {apiVersion: v1, kind: ConfigMap, name: config-%d}, fieldref: {fieldpath: data.host}}\n" % (i, i) for i in range(n)))


def one_file(top, n):
    write(top, "base/all.yaml", "---\n".join(mixed(n)))
    write(top, "base/kustomization.yaml", HEAD + "resources: [all.yaml]\n")
    return os.path.join(top, "base")


def files(top, n):
    for i, document in enumerate(mixed(n)):
        write(top, "base/r-%d.yaml" % i, document)
    write(top, "base/kustomization.yaml", HEAD + "resources:\n" + "".join("- r-%d.yaml\n" % i for i in range(n)))
    return os.path.join(top, "base")


def deletions(top, n):
    base(top, [deployment(i) for i in range(n + 1)])
    return overlay(top, "patches:\n" + "".join(
        "- patch: |-\n    $patch: delete\n    apiVersion: apps/v1\n    kind: Deployment\n    metadata: {name: web-%d}\n" % i for i in range(n)))


def renames(top, n):
    base(top, [deployment(i) for i in range(n)])
    return overlay(top, "patches:\n" + "".join(
        "- target: {kind: Deployment, name: web-%d}\n  options: {allowNameChange: true}\n"
        "  patch: '[{\"op\": \"replace\", \"path\": \"/metadata/name\", \"value\": \"new-%d\"}]'\n" % (i, i) for i in range(n)))


SHAPES = {f.__name__: f for f in (
    plain, transform, refs, patches, json, generators, replacements, references, same, bindings, components, overlays, spaces, transformers,
    told, vars, one_file, files, deletions, renames)}


def build(top, shape, n):
    return SHAPES[shape](top, n)
