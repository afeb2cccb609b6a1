"""What pages say in passing: links, and flags of gavel in code spans; that the page of commands names every flag and its default."""
import os, re, subprocess

import elsewhere

VERBS = ["serve", "test decision", "test decisions", "test replay", "test mapper", "test envoy", "eval", "compile", "lint", "build",
         "audit cat", "audit verify", "completion", "version"]
# Flags that pages name and that are somebody else's, or deliberately none.
FOREIGN = {
    "--release": "cargo", "--features": "cargo", "--save-baseline": "criterion", "--baseline": "criterion", "--bench": "cargo",
    "--security-opt": "docker", "--constant-deny": "hidden: for benches", "--strict": "OPA's", "--addr": "what never existed", "--v0-compatible": "a word of --opa-flags", "--flag": "any",
}
TOOLS = re.compile(r"(cargo|conformance/|benches/|deploy/|kubectl|docker|curl|openssl|report|faults\.py|steady\.py|gavel-|perf|jq)")
# Pages that are about other programs of the checkout, whose flags they name.
OTHERS = ("CHANGELOG.md", "ARCHITECTURE.md", "benches/", "conformance/")
# What the checkout has once somebody has made it.
MADE = {"benches/record/README.md": "written by `report`"}
# What a size in bytes is called in tables.
UNITS = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")]


def helps(binary):
    """For each verb the long flags that its help lists, with their defaults."""
    found = {}
    for verb in VERBS:
        done = subprocess.run([binary, *verb.split(), "--help"], capture_output=True, text=True, check=True)
        flags, last = {}, None
        for line in done.stdout.split("\n"):
            flag = re.match(r"\s+(?:-\w, )?(--[a-z][a-z0-9-]*)", line)
            if flag:
                last = flag[1]
                flags.setdefault(last, None)
            alias = re.search(r"\[alias(?:es)?: ([^\]]*)\]", line)
            flags.update({name: None for name in flags_in(alias[1])} if alias else {})
            default = re.search(r"\[default: ([^\]]+)\]", line)
            if default and last and default[1] != "false":
                flags[last] = default[1]
        found[verb] = flags
    return found


def flags_in(text):
    return set(re.findall(r"(?<![\w-])(--[a-z][a-z0-9-]*)", text))


def spans(page, known):
    """Flags in the page's code spans that no verb has."""
    if page.name.startswith(OTHERS):
        return
    every = set().union(*known.values()) | set(FOREIGN)
    for line, span in page.spans():
        words = re.sub(r"^((gavel|mpe) )?(--trace |--pretty-log |--trace-filter \S+ )*", "", span)
        verb = next((verb for verb in sorted(VERBS, key=len, reverse=True) if words == verb or words.startswith(verb + " ")), None)
        if span.startswith("gavel ") and verb is None and not re.match(r"(help|h|test|audit|VERB|COMMAND|-)", words):
            yield line, f"`{span}`: gavel has no such command"
        if TOOLS.match(span) and not span.startswith("gavel "):
            continue
        unknown = flags_in(span) - (set(known[verb]) | set(FOREIGN) if verb else every)
        if unknown:
            yield line, f"`{span}`: {'gavel ' + verb if verb else 'gavel'} has no {' '.join(sorted(unknown))}"


def links(page, pages):
    """Links of the page that lead nowhere in the checkout."""
    for line, target in page.links():
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        name = os.path.normpath(os.path.join(os.path.dirname(page.name), path)) if path else page.name
        if not os.path.exists(f"{elsewhere.ROOT}/{name}") and name not in MADE:
            yield line, f"{target}: there is no {name}"
        elif anchor and name in pages and anchor not in set(pages[name].anchors()):
            yield line, f"{target}: {name} has no such heading"


def table(page, known):
    """Flags that docs/cli.md does not name, and defaults that it has otherwise."""
    named = {}
    for line, text in page.prose:
        for flag in flags_in(" ".join(re.findall(r"`[^`]*`", text))):
            named.setdefault(flag, []).append((line, text))
    for verb, flags in known.items():
        for flag, default in flags.items():
            if flag not in named:
                yield 1, f"gavel {verb} has {flag}, which is nowhere on the page"
                continue
            rows = [(line, text) for line, text in named[flag] if re.match(r"\| `" + flag, text)]
            if verb == "serve" and default and rows and not any(says(text, default) for _, text in rows):
                yield rows[0][0], f"the default of {flag} is {default}"


def says(row, default):
    words = [default, f"{int(default):,}"] if default.isdigit() else [default]
    if default.isdigit():
        words += [f"{int(default) // size} {unit}" for size, unit in UNITS if int(default) and int(default) % size == 0]
    return any(re.search(rf"(?<![\w,.]){re.escape(word)}(?!\w|[,.]\d)", row) for word in words)
