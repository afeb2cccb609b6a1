#!/usr/bin/env python3
"""Runs the images of deploy/image/build.sh and looks at what their users see: they start, answer, drain, and say which driver.

  conformance/deploy/images.py [amd64] [arm64]

amd64 runs under runc: uid 65532, read-only root, no capabilities, with each seccomp profile of deploy/seccomp; where this kernel gives
that user a ring, io_uring has to come out unless the profile forbids it. arm64 runs under qemu's user emulation. Needs skopeo, umoci, runc and qemu-user-static; needs to be root for runc. Exit 0: all checks held.
"""
import json, os, re, resource, shutil, signal, subprocess, sys, tempfile, time, urllib.request

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import ring  # noqa: E402
from checks import ROOT, Checks, free_port, run  # noqa: E402

USER = 65532
IMAGE_BYTES_MAX = 12 * 1024 * 1024
BODY = b'{"principal":{"sub":"ann","mroles":["mrn:iam:role:clerk"]},"operation":"shop:order:read","resource":"mrn:shop:order:7"}'
DOMAIN = """apiVersion: iamlite.manetu.io/v1beta1
kind: PolicyDomain
metadata:
  name: image-check
spec:
  policies:
    - mrn: "mrn:iam:policy:reads"
      rego: |
        package authz
        default allow = -1
        allow = 1 { endswith(input.operation, ":read") }
  operations:
    - selector: [".*"]
      policy: "mrn:iam:policy:reads"
"""
checks = Checks()
check = checks.check


def unpack(arch, work):
    """The image of one architecture as a bundle's root folder and its configuration."""
    reference = json.load(open(f"{ROOT}/target/oci/index.json"))["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"]
    single = f"{work}/{arch}-oci"
    run("skopeo", "copy", "--override-arch", arch, f"oci:{ROOT}/target/oci:{reference}", f"oci:{single}:one")
    run("umoci", "raw", "unpack", "--image", f"{single}:one", f"{work}/{arch}")
    return json.loads(run("skopeo", "inspect", "--config", f"oci:{single}:one"))


def contents(arch, root, config):
    files = [os.path.join(folder, name) for folder, _, names in os.walk(root) for name in names]
    size = sum(os.path.getsize(file) for file in files)
    check(f"{arch}: one file", [os.path.relpath(f, root) for f in files] == ["gavel"], f"{size} bytes")
    check(f"{arch}: at most 12 MiB", size <= IMAGE_BYTES_MAX, f"{size / 1048576:.2f} MiB")
    check(f"{arch}: runs as nobody in particular", config["config"]["User"] == "65532:65532")
    check(f"{arch}: its architecture", config["architecture"] == arch, config["architecture"])
    compiler = (config["config"].get("Labels") or {}).get("rustc", "none")
    check(f"{arch}: names its compiler", compiler.startswith("rustc 1."), compiler)
    kind = run("file", "-b", f"{root}/gavel") if shutil.which("file") else "statically linked"
    check(f"{arch}: static", "static" in kind, kind.strip()[:80])


def answers(port):
    request = urllib.request.Request(f"http://127.0.0.1:{port}/decision", BODY, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def drive(name, process, port, stop, driver):
    """Asks a started server, ends it, reads what it wrote."""
    allowed = None
    for _ in range(600):
        try:
            allowed = answers(port)
            break
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.05)
    check(f"{name}: answers", allowed == {"allow": True}, str(allowed))
    if process.poll() is None:
        stop()
    try:
        out, log = process.communicate(timeout=40)
    except subprocess.TimeoutExpired:
        process.kill()
        out, log = process.communicate()
    check(f"{name}: ends with 0 after SIGTERM", process.returncode == 0, f"status {process.returncode}")
    records = [json.loads(line) for line in out.decode().splitlines()]
    check(f"{name}: one record of the decision", [r.get("decision") for r in records] == ["GRANT"], f"{len(records)} records")
    found = re.search(rb"I/O driver (\w+) \(([^)]*)\)", log)
    said = f"{found[1].decode()} ({found[2].decode()})" if found else log.decode()[-400:]
    check(f"{name}: driver {driver}", bool(found) and found[1].decode() == driver, said)


def bundle(work, root, profile, arguments):
    """A runtime bundle with the restrictions of a careful pod."""
    folder = tempfile.mkdtemp(dir=work)
    run("runc", "spec", cwd=folder)
    spec = json.load(open(f"{folder}/config.json"))
    process = spec["process"]
    process.update(terminal=False, user={"uid": USER, "gid": USER}, args=arguments, env=[], noNewPrivileges=True)
    process["capabilities"] = {kind: [] for kind in ("bounding", "effective", "permitted", "ambient")}
    files = min(65536, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    process["rlimits"] = [{"type": "RLIMIT_NOFILE", "hard": files, "soft": files}]
    spec["root"] = {"path": root, "readonly": True}
    spec["linux"]["namespaces"] = [n for n in spec["linux"]["namespaces"] if n["type"] != "network"]
    spec["linux"].pop("resources", None)
    if profile:
        spec["linux"]["seccomp"] = json.load(open(f"{ROOT}/deploy/seccomp/{profile}.json"))
    spec["mounts"] = [m for m in spec["mounts"] if m["type"] not in ("cgroup", "sysfs", "mqueue")]
    spec["mounts"].append({"destination": "/etc/gavel", "type": "bind", "source": f"{work}/etc", "options": ["rbind", "ro"]})
    json.dump(spec, open(f"{folder}/config.json", "w"))
    return folder


def under_runc(work, root):
    refused = ring.refusal(USER)
    if refused:
        print(f"skipped: io_uring in a container (this machine gives user {USER} no ring: {refused}); epoll has to come out of each profile")
    allowed = "epoll" if refused else "io_uring"
    for profile, driver in ((None, allowed), ("gavel", "epoll"), ("gavel-iouring", allowed)):
        port = free_port()
        name = f"amd64 under runc, seccomp {profile or 'off'}"
        words = ["/gavel", "serve", "--host", "127.0.0.1", "--port", str(port), "--bundle", "/etc/gavel/domain.yml", "--threads", "1"]
        folder = bundle(work, root, profile, words)
        container = f"gavel-check-{os.getpid()}-{port}"
        process = subprocess.Popen(["runc", "run", "--bundle", folder, container], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        drive(name, process, port, lambda: run("runc", "kill", container, "TERM"), driver)


def under_qemu(work, root):
    port = free_port()
    words = ["qemu-aarch64-static", f"{root}/gavel", "serve", "--host", "127.0.0.1", "--port", str(port), "--bundle", f"{work}/etc/domain.yml", "--threads", "1"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    drive("arm64 under qemu", process, port, lambda: process.send_signal(signal.SIGTERM), "epoll")


def main():
    arches = sys.argv[1:] or ["amd64"]
    if not os.path.exists(f"{ROOT}/target/oci/index.json"):
        sys.exit("there are no images: deploy/image/build.sh makes them")
    tools = ["skopeo", "umoci", *(["runc"] if "amd64" in arches else []), *(["qemu-aarch64-static"] if "arm64" in arches else [])]
    if missing := [tool for tool in tools if not shutil.which(tool)]:
        sys.exit(f"needs {' '.join(missing)}")
    with tempfile.TemporaryDirectory() as work:
        os.chmod(work, 0o755)
        os.mkdir(f"{work}/etc")
        with open(f"{work}/etc/domain.yml", "w") as file:
            file.write(DOMAIN)
        for arch in arches:
            config = unpack(arch, work)
            root = f"{work}/{arch}"
            contents(arch, root, config)
            under_runc(work, root) if arch == "amd64" else under_qemu(work, root)
    checks.end()


main()
