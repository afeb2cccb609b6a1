#!/usr/bin/env python3
"""Checks what deploy/ has for Kubernetes and systemd: it renders, it is valid, every flag in it is one of `gavel serve`, its
policies are what it needs, and its memory is what docs/tuning.md adds up.

  conformance/deploy/manifests.py GAVEL

Needs kubectl and kubernetes-validate, which it installs into a virtual environment in target/ where it is missing and can be had;
what is not there is said and skipped.
"""
import json, os, re, shutil, subprocess, sys, venv

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from checks import ROOT, Checks  # noqa: E402

OVERLAYS = f"{ROOT}/deploy/k8s/overlays"
# Overlays with the component for io_uring, which none of deploy/ takes.
IOURING = f"{ROOT}/conformance/deploy/iouring"
# Flags in a manifest that are for Envoy.
ENVOYS = {"--config-path"}
# What an Envoy of any overlay may send.
REQUEST = {"source": {"principal": "spiffe://cluster.local/ns/shop/sa/web"},
           "request": {"http": {"method": "GET", "path": "/orders/7", "host": "shop", "headers": {"x-user-name": "ann", "x-user-roles": "reader"}}}}
checks = Checks()
check = checks.that


def run(*words, text=None):
    done = subprocess.run(words, input=text, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def validator():
    """Path of kubernetes-validate, or None where it cannot be had."""
    place = f"{ROOT}/target/kubernetes-venv"
    for tool in (f"{place}/bin/kubernetes-validate", shutil.which("kubernetes-validate")):
        if tool and os.path.exists(tool) and run(tool, "--help")[0] == 0:
            return tool
    try:
        venv.create(place, with_pip=True, clear=True)
        status, _, problem = run(f"{place}/bin/pip", "install", "--quiet", "--timeout", "20", "--retries", "1", "kubernetes-validate")
    except (OSError, subprocess.CalledProcessError) as error:
        status, problem = 1, str(error)
    if status != 0:
        print(f"skipped: schemas (kubernetes-validate: {problem.strip().splitlines()[-1:]})")
        return None
    return f"{place}/bin/kubernetes-validate"


def can_render():
    """Whether kubectl is there and new enough to know components."""
    return bool(shutil.which("kubectl")) and "kustomizeVersion" in run("kubectl", "version", "--client", "--output=json")[1]


def flags_of(binary):
    return set(re.findall(r"--[a-z][a-z0-9-]*", run(binary, "serve", "--help")[1]))


#: What clients can make a process hold, in MiB, as docs/tuning.md adds it up: by itself, a thread of the decision API and one for Envoy.
IDLE, THREAD, ENVOY_THREAD = 12, 260, 244

#: The same of one connection, in KiB; Envoy's is one over gRPC.
PLAIN, TLS, ENVOY = 26, 72, 55

#: Connections of Envoys unless a flag says otherwise, and those beside them that are going.
ENVOYS_DEFAULT, ENVOYS_LEAVING = 1_024, 64


def memory(name, manifest):
    """Whether a container with gavel has the memory that its flags can come to."""
    own = manifest[manifest.index("- serve\n"):]
    limits = re.search(r"limits:\s+(?:cpu: \"?(\d+)\"?\s+)?memory: (\d+)Mi", own)
    threads = int((re.search(r"--threads=(\d+)", own) or limits)[1])
    connections = int(re.search(r"--max-connections=(\d+)", own)[1])
    needed = IDLE + threads * (THREAD + connections * (TLS if "--tls-cert" in own else PLAIN) / 1024)
    if "--envoy-" in own:
        bound = re.search(r"--envoy-max-connections=(\d+)", own)
        needed += threads * ENVOY_THREAD + ((int(bound[1]) if bound else ENVOYS_DEFAULT) + ENVOYS_LEAVING) * ENVOY / 1024
    check(f"{name} has the memory that clients can make it hold", needed <= int(limits[2]), f"{needed:.0f} of {limits[2]} MiB")


def overlays(known):
    if not can_render():
        print("skipped: overlays (kubectl is not there, or too old for components)")
        return
    validate = validator()
    names = {name: f"{OVERLAYS}/{name}" for name in sorted(os.listdir(OVERLAYS))}
    names.update({f"{name} with io_uring": f"{IOURING}/{name}" for name in sorted(os.listdir(IOURING))})
    for name, folder in names.items():
        status, manifest, problem = run("kubectl", "kustomize", folder)
        check(f"{name} renders", status == 0, problem)
        if status != 0:
            continue
        used = set(re.findall(r"^\s*- (--[a-z][a-z0-9-]*)", manifest, re.M)) - ENVOYS
        check(f"{name} has flags that exist", used <= known, f"unknown: {sorted(used - known)}")
        profiles = manifest.count("localhostProfile: gavel-iouring.json")
        check(f"{name}: io_uring is allowed where it is asked for", profiles == (folder.startswith(IOURING)), f"{profiles} profiles")
        policies(name, manifest, any(flag.startswith("--envoy") for flag in used))
        memory(name, manifest)
        if validate:
            schemas(name, manifest, validate)


def policies(name, manifest, for_envoy):
    """The domain in the ConfigMap compiles, and where an Envoy asks its mapper makes a PORC of a request."""
    found = re.search(r"^  domain\.yml: \|\n((?:    .*\n|\n)+)", manifest, re.M)
    check(f"{name} has policies", bool(found))
    if not found:
        return
    path, request = f"{ROOT}/target/kubernetes-domain.yml", f"{ROOT}/target/kubernetes-request.json"
    with open(path, "w") as file:
        file.write(re.sub(r"^    ", "", found[1], flags=re.M))
    with open(request, "w") as file:
        json.dump(REQUEST, file)
    status, _, problem = run(sys.argv[1], "compile", "-b", path, "-o", f"{ROOT}/target/kubernetes-domain.image")
    check(f"{name}: its policies compile", status == 0, problem)
    if for_envoy:
        status, said, problem = run(sys.argv[1], "test", "envoy", "-b", path, "-i", request)
        check(f"{name}: its mapper serves an Envoy", status == 0 and json.loads(said)["decision"] == "GRANT", said + problem)


def schemas(name, manifest, validate):
    """Every object of the manifest is valid; of foreign kinds it is said that nothing is known."""
    path = f"{ROOT}/target/kubernetes-{name.replace(' ', '-')}.yaml"
    with open(path, "w") as file:
        file.write(manifest)
    status, said, problem = run(validate, "--strict", path)
    valid = [line for line in (said + problem).splitlines() if " passed for " in line]
    for line in (said + problem).splitlines():
        if "find schema" in line:
            print("     no schema: " + line.split("kind ")[-1])
    check(f"{name}: {len(valid)} objects are valid", status == 0 and valid, said + problem)


def unit(known):
    path = f"{ROOT}/deploy/systemd/gavel.service"
    with open(path) as file:
        text = file.read()
    used = set(re.findall(r"(--[a-z][a-z0-9-]*)", text.split("ExecStart=")[1].split("\n")[0]))
    check("gavel.service has flags that exist", used <= known, f"unknown: {sorted(used - known)}")
    if not shutil.which("systemd-analyze"):
        print("skipped: gavel.service (systemd-analyze is not there)")
        return
    # The binary is looked for at its place in the package.
    copy = f"{ROOT}/target/gavel.service"
    with open(copy, "w") as file:
        file.write(text.replace("/usr/bin/gavel", sys.argv[1] if os.path.isabs(sys.argv[1]) else f"{os.getcwd()}/{sys.argv[1]}"))
    status, said, problem = run("systemd-analyze", "verify", "--man=no", copy)
    ours = [line for line in (said + problem).splitlines() if "gavel.service" in line]
    check("gavel.service is valid", not ours, "\n".join(ours))
    status, said, problem = run("systemd-analyze", "security", "--offline=true", "--threshold=20", copy)
    score = re.search(r"Overall exposure level.*: ([0-9.]+)", said)
    check(f"gavel.service exposes little ({score[1] if score else '?'} of 10)", status == 0, said[-300:] + problem)


known = flags_of(sys.argv[1])
overlays(known)
unit(known)
checks.end()
