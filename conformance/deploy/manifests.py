#!/usr/bin/env python3
"""Checks what deploy/ has for Kubernetes and systemd: it renders, it is valid, and every flag in it is one of `gavel serve`.

  conformance/deploy/manifests.py GAVEL

Needs kubectl and, in a virtual environment that it makes in target/, kubernetes-validate; what is missing is said and skipped.
"""
import os, re, shutil, subprocess, sys, venv

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from checks import ROOT, Checks  # noqa: E402

OVERLAYS = f"{ROOT}/deploy/k8s/overlays"
# Flags in a manifest that are for Envoy.
ENVOYS = {"--config-path"}
checks = Checks()
check = checks.that


def run(*words, text=None):
    done = subprocess.run(words, input=text, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def validator():
    """Path of kubernetes-validate, or None where it cannot be had."""
    place = f"{ROOT}/target/kubernetes-venv"
    tool = f"{place}/bin/kubernetes-validate"
    if not os.path.exists(tool):
        venv.create(place, with_pip=True, clear=True)
        status, _, problem = run(f"{place}/bin/pip", "install", "--quiet", "kubernetes-validate")
        if status != 0:
            print(f"skipped: schemas (kubernetes-validate: {problem.strip().splitlines()[-1:]})")
            return None
    return tool


def flags_of(binary):
    return set(re.findall(r"--[a-z][a-z0-9-]*", run(binary, "serve", "--help")[1]))


def overlays(known):
    if not shutil.which("kubectl"):
        print("skipped: overlays (kubectl is not there)")
        return
    validate = validator()
    for name in sorted(os.listdir(OVERLAYS)):
        status, manifest, problem = run("kubectl", "kustomize", f"{OVERLAYS}/{name}")
        check(f"{name} renders", status == 0, problem)
        if status != 0:
            continue
        used = set(re.findall(r"^\s*- (--[a-z][a-z0-9-]*)", manifest, re.M)) - ENVOYS
        check(f"{name} has flags that exist", used <= known, f"unknown: {sorted(used - known)}")
        if validate:
            path = f"{ROOT}/target/kubernetes-{name}.yaml"
            with open(path, "w") as file:
                file.write(manifest)
            status, said, problem = run(validate, "--strict", path)
            valid = [line for line in (said + problem).splitlines() if " passed for " in line]
            foreign = [line for line in (said + problem).splitlines() if "find schema" in line]
            for line in foreign:
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
