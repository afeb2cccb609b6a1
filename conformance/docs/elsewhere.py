"""Commands of the documentation that cannot run beside a test: why, and what is looked at instead."""
import os, re, shutil, subprocess, tempfile

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
    """The package and what is named of it exist."""
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
    return None


def built(command):
    """The program in the place of `cargo run … --example NAME` where it is built, as the tests do; else the command as it stands."""
    found = re.fullmatch(r"cargo run -p \S+ --example (\w+)", command)
    program = f"{ROOT}/target/debug/examples/{found[1]}" if found else ""
    return program if os.path.exists(program) else command


def kubectl(words):
    """A folder after -k renders; what is to be created is made up without a cluster."""
    named = dict(zip(words, words[1:]))
    if "create" in words and shutil.which("kubectl"):
        return created(words)
    if "-k" not in named:
        return None
    if not shutil.which("kubectl"):
        return None if os.path.exists(f"{ROOT}/{named['-k']}/kustomization.yaml") else f"there is no {named['-k']}"
    done = subprocess.run(["kubectl", "kustomize", f"{ROOT}/{named['-k']}"], capture_output=True, text=True)
    return done.stderr.strip() if done.returncode else None


def created(words):
    """What is wrong with `kubectl create`, asked with a certificate for each file that it names."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=test",
                        "-keyout", f"{folder}/tls.key", "-out", f"{folder}/tls.crt"], capture_output=True, check=True)
        done = subprocess.run([*words, "--dry-run=client"], cwd=folder, capture_output=True, text=True)
    return done.stderr.strip() if done.returncode else None


def dockerfile(words):
    """deploy/Dockerfile ends as the image does that is built and run, and links as it; its compiler is the oldest that is taken."""
    named = dict(zip(words, words[1:]))
    path = named.get("-f", "deploy/Dockerfile")
    if not os.path.isfile(f"{ROOT}/{path}"):
        return f"there is no {path}"
    read = {}
    for name in ("deploy/Dockerfile", "deploy/image/Containerfile", "deploy/image/binary.sh", "Cargo.toml"):
        with open(f"{ROOT}/{name}") as file:
            read[name] = file.read()
    kept = ("USER", "EXPOSE", "ENTRYPOINT", "CMD")
    ends = [[line for line in read[name].rpartition("FROM scratch")[2].splitlines() if line.startswith(kept)]
            for name in ("deploy/Dockerfile", "deploy/image/Containerfile")]
    if ends[0] != ends[1]:
        return f"its last stage has {ends[0]}, the image has {ends[1]}"
    flags = set(re.findall(r"-Wl,[\w=-]+|\+crt-static", read["deploy/Dockerfile"]))
    if not flags or (others := [flag for flag in flags if flag not in read["deploy/image/binary.sh"]]):
        return f"it links with {others or 'no flags'}, which binary.sh does not"
    oldest = re.search(r'^rust-version = "(.*)"', read["Cargo.toml"], re.M)[1]
    version = re.search(r"^ARG RUST=(\S+)", read["deploy/Dockerfile"], re.M)
    return None if version and version[1].startswith(oldest) else f"it takes another compiler than {oldest}"


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
    (r"cargo run .*--bin gavel-load\b", "half a minute of load, which conformance/soak has in short; package and binary exist", cargo),
    (r"cargo (run|build|bench|doc|clippy)\b", "builds for minutes; package and target exist", cargo),
    (r"kubectl (?!kustomize)", "needs a cluster; what -k names is rendered, what is to be created is made up without one", kubectl),
    (r"skopeo\b", "needs a registry; the version is the checkout's", version),
    (r"docker build\b", "needs the image of Rust's compiler, out of a registry, and is built by no test: its last stage and its flags are"
     " compared with those of the image that conformance/deploy/images.py runs", dockerfile),
    (r"docker run\b", "needs an engine; conformance/deploy/images.py runs the same entry point under runc", nothing),
    (r"(sudo )?(systemctl|journalctl)\b", "needs systemd; conformance/deploy/manifests.py has the unit verified", unit),
    (r"(sudo )?(apt-get|apt|dpkg) ", "changes the machine; conformance/deploy/package.py installs the package in a copy of it", version),
    (r"(sudo )?(sysctl|ulimit|usermod|perf) ", "changes or watches the machine", nothing),
    (r"deploy/(image|debian)/build\.sh", "builds release binaries; what comes of it is for conformance/deploy/images.py and package.py", file_is_there),
    (r"conformance/\S+\.(sh|py)", "a test of its own, see .ci/run", file_is_there),
    (r"benches/\S+\.sh", "measures", file_is_there),
]


def rule(command):
    """Why this command is not run, and what is wrong with it nevertheless; None if it is run."""
    if command.startswith("kubectl ") and " kustomize " in command and not shutil.which("kubectl"):
        return "kubectl is not there", None
    for begin, why, look in RULES:
        if re.match(begin, command):
            return why, look(re.sub(r"^sudo ", "", command).split())
    return None
