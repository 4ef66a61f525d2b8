# SPDX-License-Identifier: Apache-2.0
"""Random Deployments and strategic merge patches for them, with every directive and a few mistakes."""
import random

NAMES = ["a", "b", "c", "d", "e"]


class Maker:
    def __init__(self, seed):
        self.r = random.Random(seed)

    def maybe(self, chance):
        return self.r.random() < chance

    def some(self, of, most=None):
        """A few of them in any order, each once."""
        v = list(of)
        self.r.shuffle(v)
        return v[:self.r.randint(0, len(v) if most is None else most)]

    def word(self):
        return self.r.choice(["x", "y", "z", "", "1"])

    # ---- documents ----

    def strings(self):
        return {k: self.word() for k in self.some(NAMES, 3)}

    def keyed(self, key, values, item):
        return [dict(item(), **{key: v}) for v in self.some(values)]

    def container(self):
        m = {"image": self.word()}
        if self.maybe(0.6):
            m["args"] = self.some(NAMES, 3)
        if self.maybe(0.6):
            m["ports"] = self.keyed("containerPort", [80, 81, 82, 83], lambda: {"name": self.word()} if self.maybe(0.5) else {})
        if self.maybe(0.6):
            m["env"] = self.keyed("name", NAMES, lambda: {"value": self.word()})
        if self.maybe(0.3):
            m["resources"] = {k: self.strings() for k in self.some(["limits", "requests"])}
        return m

    def volume(self):
        return self.r.choice([{"emptyDir": {}}, {"hostPath": {"path": self.word()}}, {"configMap": {"name": self.word(), "optional": True}}])

    def toleration(self):
        return {"key": self.word()}

    def strategy(self):
        return self.r.choice([{"type": "Recreate"}, {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}])

    def document(self, name):
        meta, spec = {"name": name}, {}
        if self.maybe(0.7):
            meta["finalizers"] = self.some(NAMES)
        if self.maybe(0.5):
            meta["labels"] = self.strings()
        if self.maybe(0.8):
            spec["containers"] = self.keyed("name", NAMES, self.container)
        if self.maybe(0.5):
            spec["volumes"] = self.keyed("name", NAMES, self.volume)
        if self.maybe(0.4):
            spec["tolerations"] = [self.toleration() for _ in range(self.r.randint(0, 2))]
        if self.maybe(0.4):
            spec["nodeSelector"] = self.strings()
        top = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta,
               "spec": {"template": {"spec": spec}, "replicas": self.r.randint(0, 3)}}
        if self.maybe(0.6):
            top["spec"]["strategy"] = self.strategy()
        return top

    # ---- patches ----

    def patch_strings(self):
        if self.maybe(0.1):
            return {"$patch": self.r.choice(["delete", "replace"]), **self.strings()}
        if self.maybe(0.1):
            return None
        return {k: None if self.maybe(0.3) else self.word() for k in self.some(NAMES, 3)}

    def patch_scalars(self, into, field):
        if self.maybe(0.1):
            into[field] = None
            return
        added = self.some(NAMES, 3)
        order = None
        if self.maybe(0.4):
            order = self.some(NAMES)
            if not self.maybe(0.1):
                added = [v for v in order if v in added]
        if self.maybe(0.3):
            into["$deleteFromPrimitiveList/" + field] = [v for v in self.some(NAMES, 2) if v not in added]
        # An order that is empty turns the peer's new items around.
        if order or order is not None and not added:
            into["$setElementOrder/" + field] = order
        if self.maybe(0.7):
            into[field] = added

    def patch_keyed(self, into, field, key, values, item):
        if self.maybe(0.07):
            into[field] = None
            return
        items = []
        for v in self.some(values):
            if self.maybe(0.2):
                items.append({key: v, "$patch": "delete"})
            elif self.maybe(0.03):
                items.append(item())
            else:
                items.append(dict(item(), **{key: v}))
        if self.maybe(0.08):
            items.insert(self.r.randint(0, len(items)), {"$patch": "replace"})
        if self.maybe(0.4):
            kept = [i[key] for i in items if key in i and "$patch" not in i]
            order = self.some(values)
            order = kept + [v for v in order if v not in kept]
            if self.maybe(0.5):
                # any merge of the patch's items and others
                others, order, left = order[len(kept):], [], list(kept)
                while others or left:
                    order.append((others if others and (not left or self.maybe(0.5)) else left).pop(0))
            elif self.maybe(0.1):
                self.r.shuffle(order)
            into["$setElementOrder/" + field] = [{key: v} for v in order]
            # Behind the last item of the order the peer takes a `$patch: replace` for an item that is not in it.
            items.sort(key=lambda i: i.get("$patch") != "replace")
        if self.maybe(0.85):
            into[field] = items

    def patch_container(self):
        m = {}
        if self.maybe(0.5):
            m["image"] = self.word() if self.maybe(0.8) else None
        if self.maybe(0.4):
            self.patch_scalars(m, "args") if self.maybe(0.5) else m.update(args=self.some(NAMES, 3))
        if self.maybe(0.4):
            self.patch_keyed(m, "ports", "containerPort", [80, 81, 82, 83], lambda: {"name": self.word()} if self.maybe(0.5) else {})
        if self.maybe(0.4):
            self.patch_keyed(m, "env", "name", NAMES, lambda: {"value": self.word()} if self.maybe(0.8) else {"valueFrom": {"x": None}})
        if self.maybe(0.2):
            m["resources"] = {k: self.patch_strings() for k in self.some(["limits", "requests"])}
        return m

    def patch_volume(self):
        m = self.volume()
        if self.maybe(0.3):
            m["$retainKeys"] = ["name"] + ([k for k in m] if self.maybe(0.9) else [])
        return m

    def patch_strategy(self):
        m = self.strategy()
        if self.maybe(0.5):
            m["$retainKeys"] = list(m)
        elif self.maybe(0.2):
            m = {"$patch": "replace", **m}
        return m

    def patch(self):
        meta, spec, top = {}, {}, {}
        if self.maybe(0.6):
            self.patch_scalars(meta, "finalizers")
        if self.maybe(0.4):
            meta["labels"] = self.patch_strings()
        if self.maybe(0.7):
            self.patch_keyed(spec, "containers", "name", NAMES, self.patch_container)
        if self.maybe(0.5):
            self.patch_keyed(spec, "volumes", "name", NAMES, self.patch_volume)
        if self.maybe(0.3):
            spec["tolerations"] = [self.toleration() for _ in range(self.r.randint(0, 2))]
        if self.maybe(0.3):
            spec["nodeSelector"] = self.patch_strings()
        if meta:
            top["metadata"] = meta
        top["spec"] = {"template": {"spec": spec}}
        if self.maybe(0.5):
            top["spec"]["strategy"] = self.patch_strategy()
        if self.maybe(0.1):
            top["spec"]["replicas"] = self.r.choice([None, 7, "8"])
        return top

    # ---- three sides ----

    def mixed(self, a, b):
        """What became of a on its way to b."""
        if isinstance(a, dict) and isinstance(b, dict):
            both = {k: self.mixed(a[k], b[k]) for k in a if k in b}
            keys = list(a) + [k for k in b if k not in a]
            return {k: both.get(k, a.get(k, b.get(k))) for k in keys if k in both or self.maybe(0.6)}
        if isinstance(a, list) and isinstance(b, list):
            first, second = ({item_key(v): v for v in side} for side in (a, b))
            keys = list(first) + [k for k in second if k not in first]
            return [self.mixed(first.get(k, second.get(k)), second.get(k, first.get(k))) for k in keys if self.maybe(0.8)]
        return a if self.maybe(0.5) else b

    def sides(self):
        """(original, modified, live) of one object."""
        original, other, another = (self.document("d") for _ in range(3))
        sides = [original, self.mixed(original, other), self.mixed(original, another)]
        for d in sides:
            d.update(apiVersion="apps/v1", kind="Deployment")
            d["metadata"] = dict(d.get("metadata", {}), name="d", namespace="default")
        return sides


def item_key(v):
    return v.get("containerPort", v.get("name", v.get("key"))) if isinstance(v, dict) else v
