# SPDX-License-Identifier: Apache-2.0
"""The peer of `plumb patch`: a kubectl, named by PEER or found on PATH."""
import json
import re

from harness import *


def find_peer():
    peer = os.environ.get("PEER") or shutil.which("kubectl")
    if not peer:
        return None
    m = re.search(r"v1\.(\d+)", run([peer, "version", "--client"], status=None).out)
    return peer if m and int(m.group(1)) >= 30 else None


def without_directives(x, nulls=True):
    """The peer leaves directives (and nulls) in what is new or replaced, where a server drops them as unknown fields."""
    directive = lambda v: isinstance(v, dict) and "$patch" in v
    if isinstance(x, list):
        return [without_directives(v, nulls) for v in x if not directive(v)]
    if not isinstance(x, dict):
        return x
    names = ("$retainKeys", "$setElementOrder/", "$deleteFromPrimitiveList/")
    return {k: without_directives(v, nulls) for k, v in x.items()
            if not k.startswith(names) and not directive(v) and (nulls or v is not None)}


def peer_patch(peer, s, p, doc):
    """Whether the peer tripped over an order for a list that nobody has, and its result (None: refused)."""
    s.write("one.json", json.dumps(doc))
    r = run([peer, "patch", "--local", "--type", "strategic", "-f", "one.json", "-p", json.dumps(p), "-o", "json"], cwd=s.dir,
            env={"KUBECONFIG": os.devnull}, status=None)
    return "no elements in any of the given slices" in r.err, json.loads(r.out) if r.status == 0 else None
