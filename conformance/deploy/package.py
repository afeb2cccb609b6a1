#!/usr/bin/env python3
"""Installs the package of deploy/debian/build.sh into a copy of this machine that is thrown away, and looks at what its users see.

  conformance/deploy/package.py [PACKAGE]        default: target/debian/gavel_*_amd64.deb

The copy is an overlay over `/` in namespaces of its own (files, network, processes), so that dpkg, its scripts and the unit's command
line are the real ones. Needs root on Debian; lintian is asked where it is there. Exit 0: all checks held.
"""
import glob, json, os, re, shlex, shutil, signal, subprocess, sys, tempfile, time, urllib.error, urllib.request

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from checks import ROOT, Checks, run  # noqa: E402

BODY = b'{"principal":{"sub":"ann"},"operation":"shop:order:read","resource":"mrn:shop:order:7"}'
DOMAIN = "/etc/gavel/domain.yml"
UNIT = "/usr/lib/systemd/system/gavel.service"
# What the package has, apart from completions, which only a package of the building machine's architecture has.
FILES = {
    "/usr/bin/gavel": "-rwxr-xr-x", UNIT: "-rw-r--r--", DOMAIN: "-rw-r--r--",
    "/usr/share/doc/gavel/copyright": "-rw-r--r--", "/usr/share/doc/gavel/changelog.gz": "-rw-r--r--",
    "/usr/share/doc/gavel/changelog.Debian.gz": "-rw-r--r--", "/usr/share/lintian/overrides/gavel": "-rw-r--r--",
}
COMPLETIONS = {"/usr/share/bash-completion/completions/gavel": "-rw-r--r--", "/usr/share/zsh/vendor-completions/_gavel": "-rw-r--r--"}
# Like systemd's DynamicUser with the unit's restrictions, as far as they can be had without systemd.
NOBODY = ["setpriv", "--reuid=61184", "--regid=61184", "--clear-groups", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]
checks = Checks()
check = checks.check


def contents(package):
    """Names, modes and owners of the files, and what lintian says."""
    found, owners = {}, set()
    for line in run("dpkg-deb", "--contents", package).splitlines():
        mode, owner, _, _, _, name = line.split(None, 5)
        owners.add(owner)
        if not name.endswith("/"):
            found[name.removeprefix(".")] = mode
    missing = sorted(FILES.items() - found.items())
    check("contents", found in (FILES, FILES | COMPLETIONS), f"{len(found)} files, missing {missing}")
    check("everything is root's", owners == {"root/root"})
    check("its configuration is kept on updates", DOMAIN in run("dpkg-deb", "--info", package, "conffiles").split())
    if not shutil.which("lintian"):
        print("skipped: lintian (is not there)")
        return
    done = subprocess.run(["lintian", "--allow-root", "--fail-on", "error,warning", package], capture_output=True, text=True)
    check("lintian", done.returncode == 0, (done.stdout + done.stderr).strip())


def copy_of_the_machine(work):
    """Makes an overlay over `/` and goes into it; returns the folder where everything lands that changes."""
    run("mount", "-t", "tmpfs", "tmpfs", work)
    upper, inner, merged = (f"{work}/{name}" for name in ("upper", "inner", "merged"))
    for folder in (upper, inner, merged):
        os.mkdir(folder)
    run("mount", "-t", "overlay", "overlay", "-o", f"lowerdir=/,upperdir={upper},workdir={inner}", merged)
    for folder in ("/proc", "/dev"):
        run("mount", "--rbind", folder, merged + folder)
    run("ip", "link", "set", "lo", "up")
    changed = os.open(upper, os.O_RDONLY | os.O_DIRECTORY)
    os.chroot(merged)
    os.chdir("/")
    return f"/proc/self/fd/{changed}"


def setting(name):
    """The values of a setting of the installed unit, split as systemd splits them."""
    with open(UNIT) as file:
        return [shlex.split(line.split("=", 1)[1]) for line in file if line.startswith(name + "=")]


def asked(path, body=None):
    """Status and text of an answer, or None while nothing listens."""
    try:
        request = urllib.request.Request(path, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return None


def soon(question, wanted):
    """Asks for up to ten seconds until the answer is `wanted`; the last answer."""
    for _ in range(200):
        answer = question()
        if answer == wanted:
            break
        time.sleep(0.05)
    return answer


def decision():
    answer = asked("http://127.0.0.1:9000/decision", BODY)
    return answer and answer[1].strip() and json.loads(answer[1])


def service():
    """The unit's command lines: starts, denies, reloads, drains."""
    environment = dict(words[0].split("=", 1) for words in setting("Environment"))
    process = subprocess.Popen(NOBODY + setting("ExecStart")[0], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        check("denies everything when it is new", (said := soon(decision, {"allow": False})) == {"allow": False}, str(said))
        check("is ready", (said := asked("http://127.0.0.1:9901/readyz")) and said[0] == 200, str(said))
        with open(DOMAIN) as file:
            text = file.read()
        with open(DOMAIN, "w") as file:
            file.write(text.replace("default allow = -1", "default allow = 1"))
        reload = [word.replace("$MAINPID", str(process.pid)) for word in setting("ExecReload")[0]]
        run(*reload)
        check("decides by the new policies after a reload", (said := soon(decision, {"allow": True})) == {"allow": True}, str(said))
    finally:
        process.send_signal(signal.SIGTERM)
        out, log = process.communicate(timeout=40)
    check("ends with 0", process.returncode == 0, f"status {process.returncode}" if process.returncode == 0 else log.decode()[-400:])
    decisions = [json.loads(line).get("decision") for line in out.decode().splitlines()]
    check("wrote a record of each decision", set(decisions) == {"DENY", "GRANT"}, f"{len(decisions)} records")


def left(changed):
    """What is in the copy that was not before, but for what dpkg and the kernel keep about themselves."""
    kept = re.compile(r"/var/(lib/dpkg|cache/(debconf|ldconfig)|log|lib/systemd)/|/etc/ld.so.cache|/proc/|/dev/|" + re.escape(tempfile.gettempdir()))
    names = [os.path.join(folder, name) for folder, folders, files in os.walk(changed) for name in folders + files]
    names = [name[len(changed):] for name in names if os.path.islink(name) or not os.path.isdir(name)]
    return sorted(name for name in names if not kept.match(name) and os.path.lexists(name))


def life(package, work):
    """Installs, uses, updates, removes and purges the package in the copy."""
    with open(package, "rb") as file:
        bytes_of_it = file.read()
    changed = copy_of_the_machine(work)
    package = os.path.join(tempfile.gettempdir(), "gavel-check.deb")
    with open(package, "wb") as file:
        file.write(bytes_of_it)
    run("dpkg", "--install", package)
    check("installs", run("dpkg-query", "--show", "--showformat=${Status}", "gavel") == "install ok installed")
    check("runs", (said := run("gavel", "version").strip()) != "", said.splitlines()[0])
    service()
    with open(DOMAIN) as file:
        edited = file.read()
    run("dpkg", "--install", package)
    with open(DOMAIN) as file:
        check("an update keeps the policies that stand there", file.read() == edited)
    run("dpkg", "--remove", "gavel")
    check("removing leaves the policies alone", left(changed) == [DOMAIN], str(left(changed)))
    # As the service leaves them: with DynamicUser the real folders are private and links lead to them.
    for kind in ("lib", "cache"):
        os.makedirs(f"/var/{kind}/private/gavel", exist_ok=True)
        os.symlink("private/gavel", f"/var/{kind}/gavel")
        with open(f"/var/{kind}/private/gavel/file", "w") as file:
            file.write("x")
    run("dpkg", "--purge", "gavel")
    records = ["/var/lib/gavel", "/var/lib/private/gavel/file"]
    check("purging leaves nothing but records", left(changed) == records, str(left(changed)))
    check("purging takes the folder of policies", not os.path.exists("/etc/gavel"))


def main():
    if sys.argv[1:2] == ["--inside"]:
        life(*sys.argv[2:])
    else:
        packages = sys.argv[1:] or glob.glob(f"{ROOT}/target/debian/gavel_*_amd64.deb")
        if len(packages) != 1:
            sys.exit(f"which package? {packages or 'none is there: deploy/debian/build.sh makes it'}")
        contents(packages[0])
        with tempfile.TemporaryDirectory() as work:
            namespaces = ["unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc"]
            inside = subprocess.run([*namespaces, sys.executable, __file__, "--inside", os.path.abspath(packages[0]), work])
        check("life in a copy of the machine", inside.returncode == 0)
    checks.end()


main()
