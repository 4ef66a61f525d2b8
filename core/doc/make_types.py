#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_types.py FACTS.json > core/doc/types_table.c

Turns what an API server says of its kinds into the table that is compiled in (types_table.h says how it lies). FACTS has
`definitions` (OpenAPI v2, as /openapi/v2 serves them) and `scopes` ({"GROUP/VERSION/KIND": {"scope": …}}).
"""
import json
import sys

KINDS = {"boolean": 2, "integer": 3, "number": 3, "string": 4, "array": 5, "object": 6}  # PL_… + 1
STRATEGIES = {"merge": 1, "replace": 2, "retainKeys": 4}
LISTS = {"atomic": 1, "set": 2, "map": 3}
WHOLE, FIELDS, REF = 0x100, 0x200, 0x400
CLUSTER, NAMESPACED, UNKNOWN = 0, 1, -1

# Versions dropped since Kubernetes 1.21, whose types Kustomize has: they merge as the newest does. Older ones are as
# unknown to it as any custom resource, and so they must be here.
OLDER = """
admissionregistration.k8s.io v1beta1 MutatingWebhookConfiguration ValidatingWebhookConfiguration
apiextensions.k8s.io v1beta1 CustomResourceDefinition
apiregistration.k8s.io v1beta1 APIService
autoscaling v2beta1,v2beta2 HorizontalPodAutoscaler
batch v1beta1 CronJob
certificates.k8s.io v1beta1 CertificateSigningRequest
coordination.k8s.io v1beta1 Lease
discovery.k8s.io v1beta1 EndpointSlice
events.k8s.io v1beta1 Event
extensions=networking.k8s.io v1beta1 Ingress
flowcontrol.apiserver.k8s.io v1beta1 FlowSchema PriorityLevelConfiguration
networking.k8s.io v1beta1 Ingress IngressClass
node.k8s.io v1beta1 RuntimeClass
policy v1beta1 PodDisruptionBudget
rbac.authorization.k8s.io v1alpha1,v1beta1 ClusterRole ClusterRoleBinding Role RoleBinding
scheduling.k8s.io v1beta1 PriorityClass
storage.k8s.io v1beta1 CSIDriver CSINode CSIStorageCapacity StorageClass VolumeAttachment
"""

# Of these only the scope is known, whatever the version: alpha, beta and dropped kinds. + is namespaced.
SCOPES = """
admissionregistration.k8s.io MutatingAdmissionPolicy MutatingAdmissionPolicyBinding
certificates.k8s.io ClusterTrustBundle
coordination.k8s.io +LeaseCandidate
extensions PodSecurityPolicy +DaemonSet +Deployment +NetworkPolicy +ReplicaSet
internal.apiserver.k8s.io StorageVersion
networking.k8s.io IPAddress ServiceCIDR
policy +Eviction
resource.k8s.io +PodSchedulingContext +ResourceClaim +ResourceClaimParameters +ResourceClaimTemplate
resource.k8s.io +ResourceClassParameters DeviceClass ResourceClass ResourceSlice
settings.k8s.io +PodPreset
storage.k8s.io VolumeAttributesClass
storagemigration.k8s.io StorageVersionMigration
"""


class Pool:
    def __init__(self):
        self.at, self.n, self.texts = {}, 0, []
        self.add("")

    def add(self, text):
        if text not in self.at:
            assert text.isascii() and len(text) < 65536
            self.at[text] = self.n
            self.texts.append(text)
            self.n += 2 + len(text)
        return self.at[text]


def references(schema):
    if "$ref" in schema:
        yield schema["$ref"].rsplit("/", 1)[1]
    for part in [schema.get("items"), schema.get("additionalProperties"), *schema.get("properties", {}).values()]:
        if isinstance(part, dict):
            yield from references(part)


def needed(definitions):
    """What objects are made of; not their lists and what only requests and answers carry."""
    found = {}
    todo = [n for n, d in definitions.items()
            if len(d.get("x-kubernetes-group-version-kind", [])) == 1 and not n.endswith("List")]
    while todo:
        name = todo.pop()
        if name not in found:
            found[name] = definitions[name]
            todo += references(definitions[name])
    return found


class Table:
    def __init__(self, definitions):
        self.definitions = definitions
        self.pool = Pool()
        self.nodes, self.node_at = [(0, 0, 0, 0, 0)], {}
        self.fields, self.fields_at = [], {}
        self.keys, self.keys_at = [0], {}
        self.named = {}
        for name in sorted(definitions):  # numbers first: definitions lead to each other in circles
            self.named[name] = len(self.nodes)
            self.nodes.append(None)
        for name in sorted(definitions):
            self.nodes[self.named[name]] = self.node(definitions[name])

    def number(self, schema):
        """The node's number; plain references have that of what they lead to, equal nodes have one."""
        if set(schema) <= {"$ref", "description", "default"} and "$ref" in schema:
            return self.named[schema["$ref"].rsplit("/", 1)[1]]
        return self.place(self.node(schema))

    def place(self, node):
        if node not in self.node_at:
            self.node_at[node] = len(self.nodes)
            self.nodes.append(node)
        return self.node_at[node]

    def node(self, schema):
        bits, part = 0, 0
        for s in filter(None, schema.get("x-kubernetes-patch-strategy", "").split(",")):
            bits |= STRATEGIES[s]
        bits |= LISTS.get(schema.get("x-kubernetes-list-type"), 0) << 3
        if "$ref" in schema:
            return (bits | REF, 0, 0, self.named[schema["$ref"].rsplit("/", 1)[1]], self.said_keys(schema))
        if schema.get("format") != "int-or-string":
            bits |= KINDS.get(schema.get("type"), 0) << 5
        bits |= WHOLE if schema.get("type") == "integer" else 0
        bits |= FIELDS if "properties" in schema else 0
        for name in ("items", "additionalProperties"):
            if isinstance(schema.get(name), dict):
                part = self.number(schema[name])
        fields = tuple((self.pool.add(n), self.number(s)) for n, s in sorted(schema.get("properties", {}).items()))
        if fields not in self.fields_at:
            self.fields_at[fields] = len(self.fields) if fields else 0
            self.fields += fields
        return (bits, self.fields_at[fields], len(fields), part, self.said_keys(schema))

    def said_keys(self, schema):
        merge = schema.get("x-kubernetes-patch-merge-key", "")
        keys = schema.get("x-kubernetes-list-map-keys", [])
        if not merge and not keys:
            return 0
        said = (self.pool.add(merge), len(keys)) + tuple(self.pool.add(k) for k in keys)
        if said not in self.keys_at:
            self.keys_at[said] = len(self.keys)
            self.keys += said
        return self.keys_at[said]


def version_rank(version):
    """v1 before v1beta2 before v1alpha1, v2 before v1."""
    number = int("".join(c for c in version.lstrip("v").split("beta")[0].split("alpha")[0]))
    return ("alpha" not in version, "beta" not in version, number)


def kinds_of(table, facts):
    """{(group, kind, version): [type, scope]}"""
    kinds = {}
    for name, d in facts["definitions"].items():
        gvks = d.get("x-kubernetes-group-version-kind", [])
        if len(gvks) == 1:  # those of all groups are what requests carry, no objects
            k = gvks[0]
            kinds[k["group"], k["kind"], k["version"]] = [table.named[name], UNKNOWN]
    for name, d in facts["scopes"].items():
        group, version, kind = name.split("/")
        entry = kinds.setdefault((group, kind, version), [0, UNKNOWN])
        entry[1] = {"Cluster": CLUSTER, "Namespaced": NAMESPACED}[d["scope"]]
    newest = {}
    for group, kind, version in sorted(kinds, key=lambda k: version_rank(k[2])):
        newest[group, kind] = kinds[group, kind, version]
    for line in filter(None, OLDER.split("\n")):
        groups, versions, *names = line.split()
        group, _, same_as = groups.partition("=")
        for version in versions.split(","):
            for kind in names:
                kinds.setdefault((group, kind, version), newest[same_as or group, kind])
    metadata = table.place(table.node({"type": "object", "properties": {
        "apiVersion": {"type": "string"}, "kind": {"type": "string"},
        "metadata": {"$ref": "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"}}}))
    kinds["policy", "PodSecurityPolicy", "v1beta1"] = [metadata, CLUSTER]
    for line in filter(None, SCOPES.split("\n")):
        group, *names = line.split()
        for kind in names:
            key = (group, kind.lstrip("+"), "")
            kinds.setdefault(key, [0, NAMESPACED if kind.startswith("+") else CLUSTER])
    return kinds


def print_array(head, rows):
    """Rows of text, as many a line as fit."""
    print("\nconst %s[] = {" % head)
    line = "\t"
    for row in rows:
        if len(line.expandtabs(8)) + len(row) + 1 > 120:
            print(line.rstrip())
            line = "\t"
        line += row + ","
    print(line + "\n};")


def print_pool(pool):
    print("\nconst char types_pool[] =")
    line = ""
    for text in pool.texts:
        low, high = "\\%o" % (len(text) & 255), "\\%o" % (len(text) >> 8)
        if text[:1].isdigit():
            high = "\\%03o" % (len(text) >> 8)
        for piece in [low, high] + list(text):
            if len(line) + len(piece) > 109:
                print('\t"%s"' % line)
                line = ""
            line += piece
    print('\t"%s";' % line)


def braces(row):
    return "{%s}" % ",".join(map(str, row))


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        facts = json.load(f)
    facts["definitions"] = needed(facts["definitions"])
    table = Table(facts["definitions"])
    kinds = kinds_of(table, facts)
    defs = sorted((name, at) for name, at in table.named.items())
    rows = [(table.pool.add(g), table.pool.add(v), table.pool.add(k)) + tuple(kinds[g, k, v])
            for g, k, v in sorted(kinds)]
    defs = [(table.pool.add(name), at) for name, at in defs]
    print("/* SPDX-License-Identifier: Apache-2.0 */")
    print("/* Made by make_types.py from what a Kubernetes 1.32 API server says of its kinds. Do not edit. */")
    print('#include "core/doc/types_table.h"\n')
    print("/* A string may be longer than any compiler has to bear; all that are used do. */")
    print('#pragma GCC diagnostic ignored "-Woverlength-strings"\n\n/* clang-format off */')
    print_pool(table.pool)
    print_array("struct type_node types_nodes", map(braces, table.nodes))
    print_array("struct type_field types_fields", map(braces, table.fields))
    print_array("uint32_t types_keys", map(str, table.keys))
    print_array("struct type_def types_defs", map(braces, defs))
    print_array("struct type_kind types_kinds", map(braces, rows))
    print("\nconst size_t types_n_nodes = %d, types_n_defs = %d, types_n_kinds = %d;"
          % (len(table.nodes), len(defs), len(rows)))
    print("/* clang-format on */")
    size = table.pool.n + 20 * len(table.nodes) + 8 * len(table.fields) + 4 * len(table.keys) + 8 * len(defs)
    print("%d bytes" % (size + 20 * len(rows)), file=sys.stderr)


if __name__ == "__main__":
    main()
