"""Commands of the documentation that cannot run beside a test: why, and what is looked at instead."""
import os, re, shutil, subprocess

from checks import ROOT


def file_is_there(words):
    """The script that is named is in the checkout, and the shell can read it."""
    script = f"{ROOT}/{words[0]}"
    if not os.path.isfile(script):
        return f"there is no {words[0]}"
    if script.endswith(".sh"):
        done = subprocess.run(["bash", "-n", script], capture_output=True, text=True)
        return done.stderr.strip() or None
    return None


def cargo(words):
    """The package and what is named of it exist; an example that the command runs is run where it is built (the tests do)."""
    named = dict(zip(words, words[1:]))
    package = named.get("-p", "gavel-server" if "--bin" not in named else None)
    folder = f"{ROOT}/{package.removeprefix('gavel-')}" if package else ROOT
    if not os.path.isdir(folder):
        return f"there is no package {package}"
    places = {"--example": "examples", "--bench": "benches", "--bin": "src/bin"}
    for flag, place in places.items():
        name = named.get(flag)
        if not name or (flag, name) == ("--bin", "gavel"):
            continue
        with open(f"{folder}/Cargo.toml") as file:
            declared = re.search(rf'name = "{re.escape(name)}"', file.read())
        if not declared and not os.path.exists(f"{folder}/{place}/{name}.rs") and not os.path.isdir(f"{folder}/{place}/{name}"):
            return f"{package} has no {flag[2:]} {name}"
        built = f"{ROOT}/target/debug/{place}/{name}"
        if words[1] == "run" and flag == "--example" and os.path.exists(built):
            done = subprocess.run([built], cwd=ROOT, capture_output=True, text=True, timeout=60)
            return f"{name} ends with {done.returncode}: {done.stderr[-500:]}" if done.returncode else None
    return None


def kubectl(words):
    """A folder after -k renders; a resource that is asked for is one of deploy/."""
    named = dict(zip(words, words[1:]))
    if "-k" not in named:
        return None
    if not shutil.which("kubectl"):
        return None if os.path.exists(f"{ROOT}/{named['-k']}/kustomization.yaml") else f"there is no {named['-k']}"
    done = subprocess.run(["kubectl", "kustomize", f"{ROOT}/{named['-k']}"], capture_output=True, text=True)
    return done.stderr.strip() if done.returncode else None


def unit(words):
    """The unit is the one that the package has."""
    names = [word for word in words if word.startswith("gavel")]
    return None if names and set(names) <= {"gavel", "gavel.service"} else f"no unit of ours is named in {' '.join(words)}"


def version(words):
    """Versions in the names of what the checkout makes are its own."""
    with open(f"{ROOT}/Cargo.toml") as file:
        own = re.search(r'^version = "(.*)"', file.read(), re.M)[1]
    others = [found for word in words for found in re.findall(r"\d+\.\d+\.\d+", word) if found != own]
    return f"the version is {own}, not {others[0]}" if others else None


def nothing(_):
    return None


# Beginning of the command, why it is not run, and what is checked of it instead.
RULES = [
    (r"cargo test\b", "what .ci/run does before this", nothing),
    (r"cargo (run|build|bench|doc|clippy)\b", "builds; package and target exist, and examples are run where they are built", cargo),
    (r"kubectl (?!kustomize)", "needs a cluster; what -k names is rendered", kubectl),
    (r"istioctl\b|skopeo\b", "needs a mesh or a registry", version),
    (r"docker\b|podman\b", "needs an engine; conformance/deploy/images.py runs the images under runc", nothing),
    (r"(sudo )?(systemctl|journalctl)\b", "needs systemd; conformance/deploy/manifests.py has the unit verified", unit),
    (r"(sudo )?(apt-get|apt|dpkg) ", "changes the machine; conformance/deploy/package.py installs the package in a copy of it", version),
    (r"(sudo )?(install|sysctl|ulimit|usermod|perf) ", "changes or watches the machine", nothing),
    (r"deploy/(image|debian)/build\.sh", "builds release binaries; what comes of it is for conformance/deploy/images.py and package.py", file_is_there),
    (r"conformance/\S+\.(sh|py)", "a test of its own, see .ci/run", file_is_there),
    (r"benches/\S+\.sh", "measures", file_is_there),
    (r"gavel completion zsh\b", "writes where zsh looks for completions", nothing),
    (r"gavel completion powershell\b", "needs PowerShell", nothing),
]


def rule(command):
    """Why this command is not run, and what is wrong with it nevertheless; None if it is run."""
    if command.startswith("kubectl ") and " kustomize " in command and not shutil.which("kubectl"):
        return "kubectl is not there", None
    for begin, why, look in RULES:
        if re.match(begin, command):
            return why, look(re.sub(r"^sudo ", "", command).split())
    return None
