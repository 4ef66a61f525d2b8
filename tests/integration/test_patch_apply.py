# SPDX-License-Identifier: Apache-2.0
"""Three-way merges against a peer's client-side apply: a server that knows one object takes the patch that the peer makes.

    tests/integration/test_patch_apply.py [NAME [FIRST LAST]]

PEER names the peer; by default the kubectl on PATH. FIRST and LAST are other seeds.
"""
import http.server
import json
import threading

from harness import *
from patch_peer import find_peer, peer_patch, without_directives
import patch_random

APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
DISCOVERY = {
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": []},
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": [
        {"name": "apps", "versions": [{"groupVersion": "apps/v1", "version": "v1"}], "preferredVersion": {"groupVersion": "apps/v1", "version": "v1"}}]},
    "/apis/apps/v1": {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "apps/v1", "resources": [
        {"name": "deployments", "singularName": "", "namespaced": True, "kind": "Deployment", "verbs": ["get", "patch"]}]},
}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def reply(self, status, body):
        body = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        path = self.path.split("?")[0]
        if path in DISCOVERY:
            self.reply(200, DISCOVERY[path])
        elif "/deployments/" in path:
            self.reply(200, self.server.live)
        else:
            self.reply(404, {"kind": "Status", "code": 404, "reason": "NotFound"})

    def do_PATCH(self):
        self.server.patch = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.reply(200, self.server.live)


@contextlib.contextmanager
def object_server():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def peer_apply(peer, server, s, modified):
    """The patch that the peer makes; None when there is nothing to do."""
    server.patch = None
    s.write("modified.json", json.dumps(modified))
    run([peer, "apply", "--validate=false", "--openapi-patch=false", "--cache-dir", s.path("cache"),
         "-s", "http://127.0.0.1:%d" % server.server_address[1], "-f", "modified.json"], cwd=s.dir, env={"KUBECONFIG": os.devnull})
    return server.patch


def comparable(d):
    d = without_directives(d, nulls=False)
    d["metadata"].get("annotations", {}).pop(APPLIED, None)
    if not d["metadata"].get("annotations", True):
        del d["metadata"]["annotations"]
    return d


def compare(peer, server, s, seed):
    original, modified, live = patch_random.Maker(seed).sides()
    live["metadata"]["annotations"] = {APPLIED: json.dumps(original)}
    server.live = live
    p = peer_apply(peer, server, s, modified)
    empty, theirs = peer_patch(peer, s, p, live) if p else (False, live)
    for name, d in (("original.json", original), ("modified.json", modified), ("live.json", live)):
        s.write(name, json.dumps(d))
    ours = run([PLUMB, "patch", "--type", "three-way", "--original", "original.json", "-p", "modified.json", "live.json"], cwd=s.dir)
    if not empty:
        eq(comparable(json.loads(ours.out)), comparable(theirs), "seed %d: %s" % (seed, json.dumps([original, modified, live])))


@test("a three-way merge leaves what the peer's apply leaves")
def _():
    peer = find_peer()
    if not peer:
        print("# skipped: no kubectl 1.30 or later (name one with PEER)")
        return
    first, last = (int(v) for v in sys.argv[2:4]) if len(sys.argv) > 3 else (0, 50)
    with Scratch() as s, object_server() as server:
        for seed in range(first, last):
            compare(peer, server, s, seed)


main()
