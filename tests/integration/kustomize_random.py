# SPDX-License-Identifier: Apache-2.0
"""Random kustomizations: the same seed writes the same tree. generate(folder, seed) gives the folder to render."""
import json
import os
import random

NAMES = ["web", "api", "db", "cache", "web-2", "worker", "a", "job1"]
VALUES = ["x", "true", "'true'", "1", "'1'", "0644", "1.0", "1e3", "null", "''", "~", "yes", "a:b", "'#x'", "2020-01-02", "[1, 2]", "{a: b}", "-5", "0x1F",
          "1_000", ".5", "'two words'", "\"tab\\there\"", "é", "|\n      line1\n      line2\n", ">-\n      folded\n      text\n"]


class Tree:
    def __init__(self, top, seed):
        self.top, self.r = top, random.Random(seed)
        self.made = []  # (kind, name) of what the files hold, so that most patches and references hit something

    def write(self, name, text):
        path = os.path.join(self.top, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)

    def some(self, chance=0.5):
        return self.r.random() < chance

    # ---- resources: kind, name -> YAML ----

    def meta(self, name, ns=None):
        labels = "".join("    %s: %s\n" % (k, v) for k, v in (("app", name), ("tier", self.r.choice(["web", "'2'", "back"]))) if self.some())
        notes = "  annotations:\n    note: %s\n" % self.r.choice(["plain", "'true'", "\"8080\"", "'a: b'"]) if self.some(0.3) else ""
        return ("metadata:\n  name: %s\n" % name + ("  namespace: %s\n" % ns if ns else "") + ("  labels:\n" + labels if labels else "") + notes)

    def pod(self, indent):
        r = self.r
        lines = ["containers:"]
        for c in range(r.randint(1, 2)):
            lines += ["- name: c%d" % c, "  image: %s" % r.choice(["nginx", "nginx:1.2", "reg.io:5000/shop/app:v1", "shop/app@sha256:" + "a" * 64, "busybox"])]
            if self.some():
                lines += ["  env:", "  - name: A", "    value: %s" % r.choice(["'1'", "x", "$(HOST)"])]
                if self.some():
                    lines += ["  - name: B", "    valueFrom:", "      configMapKeyRef:", "        name: %s" % r.choice(NAMES), "        key: k"]
            if self.some(0.4):
                lines += ["  envFrom:", "  - %s:" % r.choice(["configMapRef", "secretRef"]), "      name: %s" % r.choice(NAMES)]
            if self.some(0.4):
                lines += ["  ports:", "  - containerPort: 80", "    name: http"]
                if self.some():
                    lines += ["  - containerPort: 80", "    protocol: UDP"]
            if self.some(0.3):
                lines += ["  args: [\"--a\", \"b c\", \"%s\"]" % r.choice(["1", "true", "x=y"])]
        if self.some(0.4):
            lines += ["volumes:", "- name: v", "  configMap:", "    name: %s" % r.choice(NAMES), "- name: w", "  persistentVolumeClaim:", "    claimName: %s" % r.choice(NAMES)]
        if self.some(0.4):
            lines += ["serviceAccountName: %s" % r.choice(NAMES)]
        if self.some(0.2):
            lines += ["imagePullSecrets:", "- name: %s" % r.choice(NAMES)]
        return "".join(" " * indent + l + "\n" for l in lines)

    def workload(self, kind, name, ns):
        head = "apiVersion: apps/v1\nkind: %s\n" % kind + self.meta(name, ns)
        spec = "spec:\n" + ("  replicas: %d\n" % self.r.randint(1, 4) if self.some() and kind != "DaemonSet" else "")
        spec += "  serviceName: %s\n" % self.r.choice(NAMES) if kind == "StatefulSet" else ""
        spec += "  selector:\n    matchLabels:\n      app: %s\n" % name
        labels = "    metadata:\n      labels:\n        app: %s\n" % name if self.some(0.8) else ""
        return head + spec + "  template:\n" + labels + "    spec:\n" + self.pod(6)

    def job(self, name, ns):
        return "apiVersion: batch/v1\nkind: Job\n" + self.meta(name, ns) + "spec:\n  template:\n    spec:\n" + self.pod(6)

    def cron_job(self, name, ns):
        return ("apiVersion: batch/v1\nkind: CronJob\n" + self.meta(name, ns) + "spec:\n  schedule: \"* * * * *\"\n  jobTemplate:\n    spec:\n      template:\n        spec:\n"
                + self.pod(10))

    def service(self, name, ns):
        return ("apiVersion: v1\nkind: Service\n" + self.meta(name, ns) + "spec:\n" + ("  selector:\n    app: %s\n" % name if self.some(0.8) else "")
                + "  ports:\n  - port: 80\n" + ("  - {port: 53, protocol: UDP}\n" if self.some(0.3) else ""))

    def config_map(self, name, ns):
        data = "".join("  k%d: %s\n" % (i, self.r.choice(["x", "'1'", "\"true\"", "|\n    a\n    b\n", "''", "a # c", "$(HOST)", "'  pad '", "\"\\u00e9\"", "2020-01-01", "'123'", "é"])) for i in range(self.r.randint(0, 3)))
        return "apiVersion: v1\nkind: ConfigMap\n" + self.meta(name, ns) + ("data:\n" + data if data else "")

    def secret(self, name, ns):
        return "apiVersion: v1\nkind: Secret\n" + self.meta(name, ns) + "type: Opaque\n" + self.r.choice(["data:\n  p: c2VjcmV0\n", "stringData:\n  p: hidden\n"])

    def account(self, name, ns):
        return "apiVersion: v1\nkind: ServiceAccount\n" + self.meta(name, ns)

    def binding(self, name, ns):
        cluster = self.some()
        return ("apiVersion: rbac.authorization.k8s.io/v1\nkind: %s\n" % ("ClusterRoleBinding" if cluster else "RoleBinding") + self.meta(name, None if cluster else ns)
                + "roleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: %s\n  name: %s\n" % (self.r.choice(["Role", "ClusterRole"]), self.r.choice(NAMES))
                + "subjects:\n- kind: ServiceAccount\n  name: %s\n" % self.r.choice(NAMES + ["default"]) + ("  namespace: %s\n" % self.r.choice(["default", "shop"]) if self.some(0.7) else ""))

    def role(self, name, ns):
        return ("apiVersion: rbac.authorization.k8s.io/v1\nkind: %s\n" % self.r.choice(["Role", "ClusterRole"]) + "metadata:\n  name: %s\n" % name
                + "rules:\n- apiGroups: [\"\"]\n  resources: [configmaps]\n  resourceNames: [%s]\n  verbs: [get]\n" % self.r.choice(NAMES))

    def ingress(self, name, ns):
        return ("apiVersion: networking.k8s.io/v1\nkind: Ingress\n" + self.meta(name, ns) + "spec:\n  rules:\n  - http:\n      paths:\n      - path: /\n        pathType: Prefix\n"
                "        backend:\n          service:\n            name: %s\n            port: {number: 80}\n" % self.r.choice(NAMES)
                + ("  tls:\n  - secretName: %s\n" % self.r.choice(NAMES) if self.some() else ""))

    def scaler(self, name, ns):
        return ("apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\n" + self.meta(name, ns) + "spec:\n  maxReplicas: 3\n  scaleTargetRef:\n    apiVersion: apps/v1\n    kind: %s\n    name: %s\n"
                % (self.r.choice(["Deployment", "StatefulSet"]), self.r.choice(NAMES)))

    def custom(self, name, ns):
        body = "".join("  f%d: %s\n" % (i, self.r.choice(VALUES)) for i in range(self.r.randint(1, 5)))
        lists = "  items:\n  - name: one\n    value: 1\n  - name: two\n    value: 2\n" if self.some() else ""
        return "apiVersion: example.com/v1\nkind: Widget\n" + self.meta(name, ns) + "spec:\n" + body.replace("\n      ", "\n    ") + lists

    def namespace(self, name, ns):
        return "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: %s\n" % name

    def claim(self, name, ns):
        return "apiVersion: v1\nkind: PersistentVolumeClaim\n" + self.meta(name, ns) + "spec:\n  accessModes: [ReadWriteOnce]\n  resources:\n    requests: {storage: 1Gi}\n"

    def policy(self, name, ns):
        return ("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n" + self.meta(name, ns) + "spec:\n  podSelector:\n    matchLabels:\n      app: %s\n  ingress:\n  - from:\n"
                "    - podSelector:\n        matchLabels:\n          app: x\n" % name)

    def resources(self, folder):
        makers = [lambda n, s: self.workload("Deployment", n, s), lambda n, s: self.workload("StatefulSet", n, s), lambda n, s: self.workload("DaemonSet", n, s),
                  self.job, self.cron_job, self.service, self.config_map, self.secret, self.account, self.binding, self.role, self.ingress, self.scaler,
                  self.custom, self.namespace, self.claim, self.policy]
        made, seen = [], set()
        for _ in range(self.r.randint(1, 9)):
            k, name = self.r.randrange(len(makers)), self.r.choice(NAMES)
            if (k, name) in seen:
                continue
            seen.add((k, name))
            made.append(makers[k](name, self.r.choice([None, None, None, "shop", "default"])))
            self.made.append((made[-1].split("kind: ", 1)[1].split("\n", 1)[0], name))
        files = []
        while made:
            n = self.r.randint(1, 3)
            files.append("r%d.yaml" % len(files))
            self.write(folder + "/" + files[-1], "---\n".join(made[:n]))
            made = made[n:]
        return files

    def name_of(self, *kinds):
        """Mostly one that there is; None when there is none of these kinds."""
        there = [n for k, n in self.made if k in kinds]
        return self.r.choice(NAMES) if self.some(0.03) else self.r.choice(there) if there else None

    # ---- a kustomization's fields ----

    def literals(self):
        return [self.r.choice(["a=1", "b=two words", "c=true", "d='quoted'", "e=", "f=x=y", "g=\"q\""]) for _ in range(self.r.randint(1, 2))][:1] + ["z=%d" % self.r.randint(0, 9)]

    def generator(self, folder, top):
        g = {"name": self.r.choice(NAMES) + self.r.choice(["", "-gen", "-gen"]), "literals": self.literals()}
        if self.some(0.3):
            g["options"] = self.r.choice([{"disableNameSuffixHash": True}, {"labels": {"gen": "yes"}}, {"annotations": {"n": "1"}}, {"immutable": True}])
        if self.some(0.3):
            self.write(folder + "/file.txt", self.r.choice(["text\n", "no end", "a: b\nc: d\n", "trailing  \n\n", "x\ttab\n", ""]))
            g["files"] = [self.r.choice(["file.txt", "key=file.txt"])]
        if self.some(0.2):
            self.write(folder + "/vars.env", "# comment\nHOST=example.com\n\nPORT=80\n")
            g["envs"] = ["vars.env"]
        if top and self.some(0.06):
            g["behavior"] = self.r.choice(["merge", "replace"])
        if self.some(0.1):
            g["namespace"] = "shop"
        return g

    def patch(self):
        r = self.r
        kind = r.choice([k for k in ("Deployment", "StatefulSet", "ConfigMap", "Service") if self.name_of(k)] or ["Deployment"])
        name = self.name_of(kind) or "web"
        version = {"Deployment": "apps/v1", "StatefulSet": "apps/v1"}.get(kind, "v1")
        if self.some(0.4):
            ops = r.choice([[{"op": "add", "path": "/metadata/labels", "value": {"p": "q"}}], [{"op": "add", "path": "/metadata/annotations", "value": {"x": "1"}}],
                            [{"op": "replace", "path": "/metadata/name", "value": "renamed"}]])
            return {"target": r.choice([{"kind": kind}, {"name": name}, {"kind": kind, "name": name}, {"labelSelector": "app=" + name}, {"kind": kind, "name": name[:1] + ".*"}]), "patch": json.dumps(ops)}
        body = {"apiVersion": version, "kind": kind, "metadata": {"name": name}}
        if kind in ("Deployment", "StatefulSet"):
            body["spec"] = r.choice([{"replicas": 7}, {"template": {"spec": {"containers": [{"name": "c0", "image": "patched:1", "env": [{"name": "A", "value": "new"}, {"name": "N", "value": "1"}]}]}}},
                                     {"template": {"spec": {"containers": [{"name": "c1", "$patch": "delete"}]}}}, {"template": {"spec": {"containers": [{"name": "side", "image": "car"}]}}},
                                     {"template": {"spec": {"volumes": None}}}, {"replicas": None}, {"template": {"metadata": {"annotations": {"a": "b"}}}},
                                     {"template": {"spec": {"containers": [{"name": "c0", "ports": [{"containerPort": 80, "name": "changed"}]}]}}}])
        elif kind == "ConfigMap":
            body["data"] = r.choice([{"k0": "patched"}, {"k0": None}, {"new": "true"}])
        else:
            body["spec"] = r.choice([{"ports": [{"port": 80, "name": "p"}]}, {"type": "LoadBalancer"}, {"selector": {"more": "x"}}])
        entry = {"patch": json.dumps(body)}
        if self.some(0.5):
            entry["target"] = r.choice([{"kind": kind}, {"kind": kind, "name": name}, {"group": "apps"}, {"name": ".*e.*", "kind": kind}])
        return entry

    def replacement(self):
        r = self.r
        kind = r.choice([k for k, _ in self.made] or ["ConfigMap"])
        return {"source": {"kind": kind, "name": self.name_of(kind), **r.choice([{}, {"fieldPath": "metadata.name"}, {"fieldPath": "metadata.namespace"}])},
                "targets": [{"select": r.choice([{"kind": "Deployment"}, {"kind": "Widget"}, {"name": r.choice(NAMES)}]),
                             "fieldPaths": [r.choice(["metadata.annotations.from", "metadata.annotations.from", "metadata.labels.app", "spec.template.spec.containers.[name=c0].image", "spec.template.spec.containers.*.name"])],
                             "options": r.choice([{"create": True}, {"create": True}, {"create": True}, {}, {"delimiter": "/", "index": 0}, {"delimiter": ":", "index": 1, "create": True}])}]}

    def fields(self, folder, level):
        r, k = self.r, {}
        chance = {0: 0.12, 1: 0.3, 2: 0.35}[level]
        if self.some(chance):
            k["namePrefix"] = r.choice(["p-", "prod-", "x"])
        if self.some(chance):
            k["nameSuffix"] = r.choice(["-s", "-v1"])
        if self.some(chance):
            k["namespace"] = r.choice(["shop", "prod", "default"])
        if self.some(chance):
            k["labels"] = [{"pairs": {"env": r.choice(["prod", "true", "1"])}, **r.choice([{}, {"includeSelectors": True}, {"includeTemplates": True}])}]
        elif self.some(chance):
            k["commonLabels"] = {"team": "blue"}
        if self.some(chance):
            k["commonAnnotations"] = {"by": r.choice(["me", "1", "true"])}
        if self.some(chance):
            k["images"] = [r.choice([{"name": "nginx", "newTag": "2.0"}, {"name": "nginx", "newName": "mirror/nginx"}, {"name": "reg.io:5000/shop/app", "newTag": "v9"},
                                     {"name": "shop/app", "digest": "sha256:" + "b" * 64}, {"name": "busybox", "newName": "b", "newTag": "1"}, {"name": "nginx", "tagSuffix": "-x"}])]
        if self.some(chance):
            name = self.name_of("Deployment", "StatefulSet")
            k["replicas"] = [{"name": name, "count": 5}] if name else []
        if self.some(chance):
            k["configMapGenerator"] = [self.generator(folder, level > 0)]
        if self.some(chance):
            k["secretGenerator"] = [self.generator(folder, False)]
        if self.some(chance * 0.5):
            k["generatorOptions"] = r.choice([{"disableNameSuffixHash": True}, {"labels": {"all": "gen"}}, {"annotations": {"o": "p"}}])
        if self.some(chance * 1.5):
            k["patches"] = [self.patch() for _ in range(r.randint(1, 2))]
        if self.some(chance * 0.6):
            k["replacements"] = [self.replacement()]
        if self.some(chance * 0.4):
            k["sortOptions"] = r.choice([{"order": "fifo"}, {"order": "legacy"}, {"order": "legacy", "legacySortOptions": {"orderFirst": ["Service"], "orderLast": ["ConfigMap"]}}])
        if self.some(chance * 0.4):
            k["buildMetadata"] = [r.choice(["originAnnotations", "transformerAnnotations"])]  # the label names the program's version
        if self.some(chance * 0.4) and self.name_of("Service"):
            k["vars"] = [{"name": "HOST", "objref": {"kind": "Service", "name": self.name_of("Service"), "apiVersion": "v1"}}]
        return k

    def kustomization(self, folder, level, resources, components=()):
        k = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
        if resources:
            k["resources"] = resources
        if components:
            k["components"] = list(components)
        k.update(self.fields(folder, level))
        # JSON is YAML: what is written says nothing about styles, so the fields alone are tried.
        self.write(folder + "/kustomization.yaml", json.dumps(k, indent=1) + "\n")

    def component(self, folder):
        k = {"apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component"}
        k.update(self.fields(folder, 1))
        k.pop("sortOptions", None)
        k.pop("buildMetadata", None)
        self.write(folder + "/kustomization.yaml", json.dumps(k, indent=1) + "\n")


def generate(top, seed):
    t = Tree(top, seed)
    t.kustomization("base", 0, t.resources("base"))
    levels = t.r.randint(0, 2)
    below = ["../base"]
    for level in range(1, levels + 1):
        components = []
        if t.some(0.25):
            t.component("comp%d" % level)
            components = ["../comp%d" % level]
        own = t.resources("over%d" % level) if t.some(0.3) else []
        if t.some(0.15):
            t.kustomization("side%d" % level, 1, t.resources("side%d" % level))
            below = below + ["../side%d" % level]
        t.kustomization("over%d" % level, level, below + own, components)
        below = ["../over%d" % level]
    return os.path.join(top, below[0][3:])
