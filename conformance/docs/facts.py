"""What pages say in passing: links, and flags of gavel in code spans; that the page of commands names every flag and its default."""
import os, re, subprocess

from checks import ROOT

# Flags that pages name and that are somebody else's, or deliberately none.
FOREIGN = {
    "--release": "cargo", "--features": "cargo", "--security-opt": "docker", "--build-arg": "docker", "--strict": "OPA's", "--addr": "what never existed",
    "--v0-compatible": "a word of --opa-flags", "--flag": "any",
}
TOOLS = re.compile(r"(cargo|conformance/|benches/|deploy/|kubectl|docker|curl|openssl|report|faults\.py|steady\.py|gavel-|perf|jq)")
# Pages that are about other programs of the checkout, whose flags they name.
OTHERS = ("CHANGELOG.md", "ARCHITECTURE.md", "benches/", "conformance/")
# What the checkout has once somebody has made it.
MADE = {"benches/record/README.md": "written by `report`"}
# What a size in bytes is called in tables.
UNITS = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")]


def help_of(binary, verb):
    return subprocess.run([binary, *verb.split(), "--help"], capture_output=True, text=True, check=True).stdout


def verbs(binary, verb=""):
    """Every verb that does something, by the lists in the help."""
    text = help_of(binary, verb).partition("Commands:\n")[2].partition("\n\n")[0]
    names = [name for name in re.findall(r"^  (\w[\w-]*)", text, re.M) if name != "help"]
    return [found for name in names for found in verbs(binary, f"{verb} {name}".strip())] or [verb]


def helps(binary):
    """For each verb the long flags that its help lists, with their defaults."""
    found = {}
    for verb in verbs(binary):
        flags, last = {}, None
        for line in help_of(binary, verb).split("\n"):
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


def examples(binary, known):
    """Examples in the help of gavel with flags that the verb does not have."""
    for verb in ["", *known]:
        for line in help_of(binary, verb).split("\n"):
            if re.match(r"  gavel .*-", line):
                for wrong in wrong_flags(line.split("   ")[0].strip(), known):
                    yield f"gavel {verb} --help", wrong


def wrong_flags(command, known):
    """What is wrong with the verb and the flags of this command."""
    words = re.sub(r"^((gavel|mpe) )?(--trace |--pretty-log |--trace-filter \S+ )*", "", command)
    verb = next((verb for verb in sorted(known, key=len, reverse=True) if words == verb or words.startswith(verb + " ")), None)
    if command.startswith("gavel ") and verb is None and not re.match(r"(help|h|test|audit|VERB|COMMAND|-)", words):
        yield f"`{command}`: gavel has no such command"
    if TOOLS.match(command) and not command.startswith("gavel "):
        return
    every = set(known[verb]) if verb else set().union(*known.values())
    unknown = flags_in(words) - every - set(FOREIGN)
    if unknown:
        yield f"`{command}`: {'gavel ' + verb if verb else 'gavel'} has no {' '.join(sorted(unknown))}"


def spans(page, known):
    """Flags in the page's code spans that no verb has."""
    if page.name.startswith(OTHERS):
        return
    for line, span in page.spans():
        for wrong in wrong_flags(span, known):
            yield line, wrong


def links(page, pages):
    """Links of the page that lead nowhere in the checkout."""
    for line, target in page.links():
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        name = os.path.normpath(os.path.join(os.path.dirname(page.name), path)) if path else page.name
        if not os.path.exists(f"{ROOT}/{name}") and name not in MADE:
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
