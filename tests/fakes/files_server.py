# SPDX-License-Identifier: Apache-2.0
"""A web server for single files, on loopback and an ephemeral port."""
import contextlib
import http.server
import threading


class Files:
    """A web server: answers[path] is (status, headers, body) or a function of the request's headers."""

    def __enter__(self):
        outer = self
        self.answers, self.requests = {}, []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.requests.append((self.path, dict(self.headers)))
                found = outer.answers.get(self.path, (404, {}, b"nothing"))
                status, headers, body = found(self.headers) if callable(found) else found
                self.send_response(status)
                for k, v in dict({"Content-Length": str(len(body))}, **headers).items():
                    self.send_header(k, v)
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(body)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exc):
        self.server.shutdown()
        self.server.server_close()

    def put(self, path, text, etag=None):
        def answer(headers):
            if etag and headers.get("If-None-Match") == etag:
                return 304, {}, b""
            return 200, {"ETag": etag} if etag else {}, text.encode()
        self.answers[path] = answer
