# SPDX-License-Identifier: Apache-2.0
"""What a terminal gets, and only a terminal."""
import os
import pty
import subprocess

from harness import PLUMB, eq, main, own_mounts, run, test
from shop import Shop

if not os.path.exists("/dev/pts/ptmx"):  # a chroot may have no terminals of its own
    own_mounts()
    run(["mount", "-t", "devpts", "-o", "newinstance,ptmxmode=0666", "devpts", "/dev/pts"])


@test("colours and progress on a terminal only, never with NO_COLOR")
def _():
    with Shop(sync="{automated: false}") as s:
        for env, colored in (({"TERM": "xterm"}, True), ({"TERM": "xterm", "NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)):
            master, slave = pty.openpty()
            p = subprocess.Popen([PLUMB, "status"], cwd=s.dir, stdout=slave, stderr=slave, stdin=subprocess.DEVNULL,
                                 env=dict({k: v for k, v in os.environ.items() if k != "NO_COLOR"}, **(env or {})))
            os.close(slave)
            out = b""
            try:
                while True:
                    chunk = os.read(master, 65536)
                    if not chunk:
                        break
                    out += chunk
            except OSError:
                pass
            p.wait()
            os.close(master)
            eq(b"\033[" in out, colored, "colour with %r" % env)


main()
