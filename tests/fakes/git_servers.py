# SPDX-License-Identifier: Apache-2.0
"""Git servers for tests, honest and hostile, all on loopback and ephemeral ports. Each is started inside a Scratch."""
import os
import pwd
import socket
import ssl
import subprocess
import threading

from harness import can_connect, free_port, need, run, wait_for


def git_daemon(s, base):
    """git://127.0.0.1:PORT/ serves every repository below base. The log tells each request."""
    need("git")
    port = free_port()
    p = s.start(["git", "daemon", "--verbose", "--export-all", "--reuseaddr", "--listen=127.0.0.1", "--port=%d" % port,
                 "--base-path=" + base, "--enable=upload-pack", base], log="daemon-%d.log" % port,
                env={"GIT_CONFIG_COUNT": "2", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*",
                     "GIT_CONFIG_KEY_1": "uploadpack.allowAnySHA1InWant", "GIT_CONFIG_VALUE_1": "false"})
    wait_for("git daemon", lambda: can_connect(port))
    p.port = port
    p.url = "git://127.0.0.1:%d" % port
    return p


def certificates(s, name="localhost"):
    """A CA and a server certificate for `name` (and 127.0.0.1 when name is localhost): (ca.pem, cert.pem, key.pem)."""
    need("openssl")
    d = s.path("tls-" + name)
    os.makedirs(d, exist_ok=True)
    alt = "DNS:%s" % name + (",IP:127.0.0.1" if name == "localhost" else "")
    s.write("tls-%s/ext" % name, "subjectAltName=%s\nbasicConstraints=CA:FALSE\n" % alt)
    ca, cert, key = os.path.join(d, "ca.pem"), os.path.join(d, "cert.pem"), os.path.join(d, "key.pem")
    new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    run(["openssl", "req", "-x509", "-days", "2", "-subj", "/CN=plumb test CA", "-keyout", d + "/ca.key", "-out", ca] + new)
    run(["openssl", "req", "-subj", "/CN=" + name, "-keyout", key, "-out", d + "/csr"] + new)
    run(["openssl", "x509", "-req", "-days", "2", "-in", d + "/csr", "-CA", ca, "-CAkey", d + "/ca.key", "-CAcreateserial",
         "-extfile", d + "/ext", "-out", cert])
    return ca, cert, key


NGINX = """
%(user)s
daemon off;
worker_processes 1;
pid %(dir)s/nginx.pid;
error_log %(dir)s/error.log info;
events { worker_connections 64; }
http {
  access_log %(dir)s/access.log combined;
  client_body_temp_path %(dir)s/body; proxy_temp_path %(dir)s/proxy; fastcgi_temp_path %(dir)s/fcgi;
  uwsgi_temp_path %(dir)s/uwsgi; scgi_temp_path %(dir)s/scgi;
  server {
    listen 127.0.0.1:%(port)d %(ssl)s;
    %(tls)s
    location / {
      %(auth)s
      fastcgi_pass unix:%(dir)s/fcgi.sock;
      fastcgi_param SCRIPT_FILENAME %(backend)s;
      fastcgi_param PATH_INFO $uri;
      fastcgi_param QUERY_STRING $query_string;
      fastcgi_param REQUEST_METHOD $request_method;
      fastcgi_param CONTENT_TYPE $content_type;
      fastcgi_param CONTENT_LENGTH $content_length;
      fastcgi_param REMOTE_USER $remote_user;
      fastcgi_param GIT_PROJECT_ROOT %(base)s;
      fastcgi_param GIT_HTTP_EXPORT_ALL 1;
      fastcgi_param GIT_CONFIG_COUNT 1;
      fastcgi_param GIT_CONFIG_KEY_0 safe.directory;
      fastcgi_param GIT_CONFIG_VALUE_0 *;
    }
  }
}
"""


def http_backend(s, base, user=None, password=None, tls=None, name="http"):
    """`git http-backend` behind nginx. tls: (cert, key). The result has .url, .access (path of the access log)."""
    need("git", "nginx", "fcgiwrap", "openssl")
    d = s.path(name)
    os.makedirs(d)
    port = free_port()
    auth = ""
    if user:
        crypted = run(["openssl", "passwd", "-apr1", password]).out.strip()
        s.write(name + "/users", "%s:%s\n" % (user, crypted))
        auth = 'auth_basic "git"; auth_basic_user_file %s/users;' % d
    backend = os.path.join(run(["git", "--exec-path"]).out.strip(), "git-http-backend")
    s.write(name + "/nginx.conf", NGINX % {
        "dir": d, "port": port, "base": base, "backend": backend, "auth": auth, "ssl": "ssl" if tls else "",
        "tls": "ssl_certificate %s; ssl_certificate_key %s;" % tls if tls else "",
        "user": "user root;" if os.getuid() == 0 else ""})
    s.start(["fcgiwrap", "-c", "2", "-s", "unix:%s/fcgi.sock" % d], log=name + "-fcgi.log")
    wait_for("fcgiwrap", lambda: os.path.exists(d + "/fcgi.sock"))
    p = s.start(["nginx", "-p", d, "-c", d + "/nginx.conf"], log=name + "-nginx.log")
    wait_for("nginx", lambda: can_connect(port) or p.poll() is not None)
    if p.poll() is not None:
        with open(p.log) as f:
            raise AssertionError("nginx did not start: " + f.read())
    p.port, p.access = port, d + "/access.log"
    p.url = "%s://localhost:%d" % ("https" if tls else "http", port)
    return p


def sshd(s, authorized, name="sshd", key_type="ed25519", host_key=None):
    """sshd on an unprivileged port, as the user who runs the test. Has .port, .user, .host_key (path)."""
    need("sshd", "ssh-keygen")
    d = s.path(name)
    os.makedirs(d)
    if not host_key:
        host_key = d + "/host"
        run(["ssh-keygen", "-q", "-t", key_type, "-N", "", "-f", host_key])
    s.write(name + "/authorized", "".join(open(k + ".pub").read() for k in authorized))
    port = free_port()
    s.write(name + "/config", "Port %d\nListenAddress 127.0.0.1\nHostKey %s\nPidFile %s/pid\nAuthorizedKeysFile %s/authorized\n"
            "StrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\nLogLevel VERBOSE\n" % (port, host_key, d, d))
    if os.getuid() == 0:
        os.makedirs("/run/sshd", exist_ok=True)
    binary = run(["sh", "-c", "command -v sshd"]).out.strip()
    p = s.start([binary, "-D", "-e", "-f", d + "/config"], log=name + ".log")
    wait_for("sshd", lambda: can_connect(port) or p.poll() is not None)
    p.port, p.host_key = port, host_key
    p.user = pwd.getpwuid(os.getuid()).pw_name
    return p


def known_hosts_line(server, key=None, host="127.0.0.1"):
    with open((key or server.host_key) + ".pub") as f:
        kind, text = f.read().split()[:2]
    return "[%s]:%d %s %s\n" % (host, server.port, kind, text)


# ---- hostile ones: a thread that answers each connection with a function ----

class Hostile:
    """with Hostile(fn) as h: h.port. fn(conn, h) speaks; h.requests is what was read by it; h.stop ends long talks."""

    def __init__(self, fn, tls=None):
        self.tls = None
        if tls:  # (cert, key)
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(*tls)
        self.fn, self.requests, self.stop, self.connections = fn, [], threading.Event(), 0

    def __enter__(self):
        self.sock = socket.socket()
        self.sock.bind(("127.0.0.1", 0))
        self.sock.listen(16)
        self.sock.settimeout(0.1)
        self.port = self.sock.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        return self

    def serve(self):
        while not self.stop.is_set():
            try:
                conn, _ = self.sock.accept()
            except OSError:
                continue
            self.connections += 1
            threading.Thread(target=self.one, args=(conn,), daemon=True).start()

    def one(self, conn):
        conn.settimeout(30)
        try:
            if self.tls:
                conn = self.tls.wrap_socket(conn, server_side=True)
            self.fn(conn, self)
        except OSError:
            pass
        finally:
            conn.close()

    def __exit__(self, *exc):
        self.stop.set()
        self.thread.join(5)
        self.sock.close()


def pkt(data):
    data = data if isinstance(data, bytes) else data.encode()
    return b"%04x" % (len(data) + 4) + data


def read_pkt(conn):
    n = int(conn.recv(4, socket.MSG_WAITALL) or b"0000", 16)
    return conn.recv(n - 4, socket.MSG_WAITALL) if n > 4 else b""


CAPS = "multi_ack ofs-delta side-band-64k symref=HEAD:refs/heads/main agent=hostile"


def advertise(conn, refs, caps=CAPS):
    """The start of a git:// talk: reads the request, lists refs [(hex, name)]."""
    read_pkt(conn)
    first = True
    for hex_, name in refs:
        conn.sendall(pkt("%s %s%s\n" % (hex_, name, "\0" + caps if first else "")))
        first = False
    conn.sendall(b"0000")


def read_wants(conn):
    """Until the client's done."""
    while True:
        line = read_pkt(conn)
        if line.startswith(b"done"):
            return


def silent(conn, h):
    h.stop.wait(60)


def garbage(conn, h):
    read_pkt(conn)
    conn.sendall(b"zzzzthis is no pkt-line at all\n" * 20)


def drip(refs):
    """Sends the listing a byte at a time, never coming to an end."""
    def fn(conn, h):
        read_pkt(conn)
        data = b"".join(pkt("%s %s%s\n" % (x, n, "\0" + CAPS if i == 0 else "")) for i, (x, n) in enumerate(refs))
        for i in range(len(data)):
            if h.stop.wait(0.2):
                return
            conn.sendall(data[i:i + 1])
    return fn


def huge_listing(count):
    def fn(conn, h):
        read_pkt(conn)
        conn.sendall(pkt("%040x HEAD\0%s\n" % (1, CAPS)))
        block = b"".join(pkt("%040x refs/heads/%s%d\n" % (i + 1, "b" * 60, i)) for i in range(count))
        conn.sendall(block + b"0000")
        read_pkt(conn)
    return fn


def sha256_repository(conn, h):
    advertise(conn, [("ab" * 32, "HEAD"), ("ab" * 32, "refs/heads/main")], CAPS + " object-format=sha256")


def cut_proxy(port, limit):
    """Passes a git:// talk on, but hangs up after `limit` bytes of the answer."""
    def fn(conn, h):
        up = socket.create_connection(("127.0.0.1", port))

        def forth():
            try:
                while True:
                    data = conn.recv(65536)
                    if not data:
                        break
                    up.sendall(data)
            except OSError:
                pass
        threading.Thread(target=forth, daemon=True).start()
        left = limit
        while left > 0:
            data = up.recv(min(left, 4096))
            if not data:
                break
            conn.sendall(data)
            left -= len(data)
        conn.shutdown(socket.SHUT_RDWR)
        up.close()
    return fn


def pack_of(repo, objects):
    """A pack that holds only these objects."""
    return subprocess.run(["git", "pack-objects", "--stdout", "-q"], cwd=repo, input="\n".join(objects).encode() + b"\n",
                          stdout=subprocess.PIPE, check=True).stdout


def sends(refs, pack):
    """Lists refs and answers every fetch with this pack."""
    def fn(conn, h):
        advertise(conn, refs)
        if not conn.recv(1, socket.MSG_PEEK):
            return
        read_wants(conn)
        conn.sendall(pkt("NAK\n"))
        for i in range(0, len(pack), 60000):
            conn.sendall(pkt(b"\1" + pack[i:i + 60000]))
        conn.sendall(b"0000")
        h.stop.wait(1)
    return fn


def read_http(conn):
    data = b""
    while b"\r\n\r\n" not in data:
        more = conn.recv(65536)
        if not more:
            break
        data += more
    return data.decode("latin-1")


def http_redirect(target, first_ask=False):
    """Redirects every GET to target + its path; first_ask: asks for credentials before."""
    def fn(conn, h):
        while True:
            request = read_http(conn)
            if not request:
                return
            h.requests.append(request)
            path = request.split(" ")[1]
            if first_ask and "authorization:" not in request.lower():
                conn.sendall(b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n")
            else:
                conn.sendall(("HTTP/1.1 302 Found\r\nLocation: %s%s\r\nContent-Length: 0\r\n\r\n" % (target, path)).encode())
    return fn


def http_thief(conn, h):
    """Asks for credentials and notes what comes."""
    while True:
        request = read_http(conn)
        if not request:
            return
        h.requests.append(request)
        conn.sendall(b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n")


def http_answers(status, body=b"nothing here"):
    def fn(conn, h):
        h.requests.append(read_http(conn))
        conn.sendall(b"HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"
                     % (status.encode(), len(body), body))
    return fn


