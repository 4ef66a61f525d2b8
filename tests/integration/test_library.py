# SPDX-License-Identifier: Apache-2.0
"""What others build against: libplumb's symbols, the public headers, the installed tree."""
import glob
import re

from harness import *

LIBRARY = os.path.join(BUILD, "libplumb.so.0")
HEADERS = sorted(glob.glob(os.path.join(ROOT, "include/plumb/*.h")))


def exported(path):
    """(name, version) of what a shared object defines for others."""
    names = [line.split()[-1] for line in run(["nm", "-D", "--defined-only", path]).out.splitlines()]
    return sorted(tuple((n.replace("@@", "@") + "@").split("@")[:2]) for n in names
                  if not n.startswith(("PLUMB_", "__")))  # the versions themselves; what sanitizers add


def sanitizer():
    """The flags that what is linked with a sanitized library needs."""
    wanted = run(["nm", "-D", LIBRARY]).out
    return (["-fsanitize=address,undefined"] if "__asan_init" in wanted else
            ["-fsanitize=thread"] if "__tsan_init" in wanted else [])


def make(*args, dest):
    """From what is built: nothing is built beside running tests."""
    return run(["make", "-s", "-o", "all", "BUILD=" + os.path.relpath(BUILD, ROOT), "DESTDIR=" + dest, "PREFIX=/usr"] + list(args),
               cwd=ROOT, env={"MAKEFLAGS": "", "MAKELEVEL": ""})


def tree(top):
    """Files, links, and folders that bear the project's name."""
    found = set()
    for here, dirs, files in os.walk(top):
        found.update(os.path.relpath(os.path.join(here, f), top) for f in files)
        found.update(os.path.relpath(os.path.join(here, d), top) for d in dirs
                     if d == "plumb" or os.path.islink(os.path.join(here, d)))
    return found


@test("libplumb exports in PLUMB_0 just what the public headers declare")
def _():
    declared = set()
    for h in HEADERS:
        with open(h, encoding="utf-8") as f:
            declared.update(re.findall(r"PL_API[^;{]*?\b(pl_\w+)\(", f.read()))
    public = {n for n, version in exported(LIBRARY) if version == "PLUMB_0"}
    assert len(declared) > 40, declared
    eq(public - declared - {"pl_plugin_entry"}, set(), "exported, not declared")
    eq(declared - public - {"pl_plugin_entry"}, set(), "declared, not exported")


@test("all else that libplumb exports is marked as private and has no public name")
def _():
    rest = [s for s in exported(LIBRARY) if s[1] != "PLUMB_0"]
    assert rest
    eq([s for s in rest if s[1] != "PLUMB_PRIVATE" or s[0].startswith("pl_")], [])


@test("a plugin exports its entry and needs nothing private of libplumb")
def _():
    plugins = glob.glob(os.path.join(BUILD, "plugins/*/*.so"))
    assert len(plugins) >= 4, plugins
    private = {n for n, version in exported(LIBRARY) if version == "PLUMB_PRIVATE"}
    for p in plugins:
        eq([n for n, _ in exported(p)], ["pl_plugin_entry"], p)
        needed = {line.split()[-1].split("@")[0] for line in run(["nm", "-D", "--undefined-only", p]).out.splitlines()}
        eq(needed & private, set(), p)


@test("each public header stands alone as C99, C17 and C++11")
def _():
    need("g++")
    strict = ["-pedantic", "-Wall", "-Wextra", "-Werror", "-I" + os.path.join(ROOT, "include"), "-fsyntax-only"]
    assert len(HEADERS) == 5, HEADERS
    for h in HEADERS:
        for compiler, language, standard in (("gcc", "c", "c99"), ("gcc", "c", "c17"), ("g++", "c++", "c++11")):
            run([compiler, "-std=" + standard] + strict + ["-include", h, "-x", language, "/dev/null"])


@test("install lays out everything, the installed program runs, uninstall leaves nothing")
def _():
    with Scratch() as s:
        dest = s.path("root")
        make("install", dest=dest)
        there = tree(dest)
        wanted = {"usr/bin/plumb", "usr/lib/libplumb.so", "usr/lib/libplumb.so.0", "usr/lib/pkgconfig/plumb.pc",
                  "usr/lib/plumb/modules/http.so", "usr/lib/plumb/modules/regex.so", "usr/lib/plumb/modules/crypto.so",
                  "usr/share/man/man1/plumb.1", "usr/share/man/man5/plumb.yaml.5",
                  "usr/lib/systemd/system/plumb.service", "usr/share/bash-completion/completions/plumb", "usr/share/zsh/site-functions/_plumb",
                  "usr/share/fish/vendor_completions.d/plumb.fish"}
        wanted |= {"usr/include/plumb/" + os.path.basename(h) for h in HEADERS}
        wanted |= {"usr/lib/plumb/" + os.path.relpath(p, BUILD) for p in glob.glob(os.path.join(BUILD, "plugins/*/*.so"))}
        for here, _, files in os.walk(os.path.join(ROOT, "scripts")):
            wanted.update(os.path.join("usr/share/plumb", os.path.relpath(os.path.join(here, f), ROOT)) for f in files)
        eq(wanted - there, set(), "not installed")
        eq({f for f in there - wanted if os.path.basename(f) != "plumb"}, set(), "installed beside")

        with open(os.path.join(dest, "usr/lib/systemd/system/plumb.service"), encoding="utf-8") as f:
            has(f.read(), "ExecStart=/usr/bin/plumb run")
        plumb = os.path.join(dest, "usr/bin/plumb")
        has(run([plumb, "version"], cwd=s.dir).out, "plumb ")
        listed = run([plumb, "plugin", "list"], cwd=s.dir).out
        for p in glob.glob(os.path.join(dest, "usr/lib/plumb/plugins/*/*.so")):
            has(listed.replace("/bin/../", "/"), p)
        s.write("app/config.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {colour: blue}\n")
        has(run([plumb, "render", "--renderer=yaml", s.path("app")], cwd=s.dir).out, "colour: blue")
        # a pattern with special characters loads the module for them
        s.write("app/kustomization.yaml", "resources: [config.yaml]\npatches:\n- target: {name: set.+}\n"
                "  patch: '[{\"op\": \"replace\", \"path\": \"/data/colour\", \"value\": \"green\"}]'\n")
        has(run([plumb, "render", s.path("app")], cwd=s.dir).out, "colour: green")
        with open(os.path.join(dest, "usr/share/man/man1/plumb.1"), encoding="utf-8") as f:
            has(f.read(), ".TH", "rollback")
        with open(os.path.join(dest, "usr/share/bash-completion/completions/plumb"), encoding="utf-8") as f:
            has(f.read(), "rollback")

        make("uninstall", dest=dest)
        eq(tree(dest), set(), "left behind")


@test("a program of others compiles and runs by pkg-config alone")
def _():
    need("pkg-config")
    with Scratch() as s:
        dest = s.path("root")
        make("install", dest=dest)
        # The prefix is /usr, which pkg-config leaves out as the compiler's own place.
        env = {"PKG_CONFIG_PATH": os.path.join(dest, "usr/lib/pkgconfig"), "PKG_CONFIG_SYSROOT_DIR": dest,
               "PKG_CONFIG_ALLOW_SYSTEM_CFLAGS": "1", "PKG_CONFIG_ALLOW_SYSTEM_LIBS": "1"}
        flags = run(["pkg-config", "--cflags", "--libs", "plumb"], env=env).out.split()
        eq(run(["pkg-config", "--variable=plugindir", "plumb"], env=env).out.strip().replace(dest, ""),
           "/usr/lib/plumb/plugins")
        s.write("three.c", '#include <plumb/doc.h>\n#include <stdio.h>\n'
                           'int main(void) { puts(pl_status_name(PL_ENOTFOUND)); pl_doc_unref(pl_doc_new(NULL)); return 0; }\n')
        run(["gcc", "-Wall", "-Werror", "-o", "three", "three.c"] + sanitizer() + flags, cwd=s.dir)
        eq(run([s.path("three")], env={"LD_LIBRARY_PATH": os.path.join(dest, "usr/lib")}).out, "not found\n")


main()
