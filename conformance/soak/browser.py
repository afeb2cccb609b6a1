"""The status page in headless Chromium: numbers, lists, records, the form that asks why, the token, hostile texts, both
colour schemes, a phone. Takes pictures into the folder of --pictures. Seconds.
  browser.py GAVEL [GAVEL-LOAD] [--short] [--pictures FOLDER]
"""

import argparse
import json
import os
import tempfile

import chromium
from gavel import DENIED, GRANTED, ROOT, Checks, Gavel

HOSTILE = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("gavel")
    parser.add_argument("load", nargs="?")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--pictures")
    return parser.parse_args()


def read(path):
    with open(path) as file:
        return file.read()


def explain(tab, porc):
    tab.run(f"document.getElementById('porc').value = {json.dumps(porc)}; document.getElementById('explanation').replaceChildren(); "
            "document.getElementById('ask-button').click()")
    tab.until("document.querySelector('#explanation #outcome, #explanation .bad') !== null")
    return tab.text("#explanation")


def page(checks, tab, server, shoot):
    tab.open(f"http://127.0.0.1:{server.admin_port}/")
    tab.until("document.getElementById('stage').textContent === 'ready'")
    tab.until("document.querySelectorAll('#entries tr').length > 0 && document.getElementById('version').textContent !== ''")
    checks.check("the page needs no token on this machine", tab.run("!document.getElementById('main').hidden && document.getElementById('login').hidden"))
    for body in [read(GRANTED)] * 3 + [read(DENIED)] * 2:
        server.ask(body)
    tab.until("document.getElementById('outcomes').innerText.includes('grant')")
    checks.check("decisions are counted", "3" in tab.text("#outcomes"), tab.text("#outcomes").replace("\n", " "))
    checks.check("latencies are shown", "µs" in tab.text("#latencies") or "ms" in tab.text("#latencies"))
    tab.until("document.querySelector('#tiles').innerText.includes('revision 1')")
    for kind in ("roles", "groups", "scopes", "resource-groups", "operations", "resources", "policies"):
        tab.run(f"document.getElementById('kind').value = '{kind}'; document.getElementById('kind').dispatchEvent(new Event('change'))")
        tab.until(f"document.getElementById('kind').value === '{kind}'")
        listed = json.loads(server.admin(f"/loaded.json?kind={kind}&count=20")[1])
        tab.until(f"document.querySelectorAll('#entries tr').length === {len(listed['entries'])}")
    checks.check("policies are listed", "mrn:clinic:policy:gate" in tab.text("#entries"))
    tab.run("document.getElementById('records-load').click()")
    tab.until("document.querySelectorAll('#records tr').length === 5")
    checks.check("records are listed", "GRANT" in tab.text("#records") and "DENY" in tab.text("#records"))
    shoot(tab, "overview")


def why(checks, tab, shoot):
    granted = explain(tab, read(GRANTED))
    checks.check("a grant is explained", granted.startswith("GRANT") and "this decided" in granted)
    checks.check("rules that held are highlighted", tab.run("document.querySelectorAll('#explanation .source .held').length > 0"))
    checks.check("the outcome has the focus", tab.run("document.activeElement.id === 'outcome'"))
    shoot(tab, "grant")
    denied = explain(tab, read(DENIED))
    checks.check("a denial is explained", denied.startswith("DENY"))
    checks.check("the statement that failed is highlighted, with its reason",
                 tab.run("[...document.querySelectorAll('#explanation .source .failed .because')].some((one) => one.textContent !== '')"))
    shoot(tab, "denial")
    checks.check("what is no PORC is refused with a reason", "No explanation" in explain(tab, "{broken"))
    porc = json.loads(read(GRANTED))
    porc["operation"] = HOSTILE
    porc["principal"]["mroles"] = [HOSTILE]
    answer = explain(tab, json.dumps(porc))
    checks.check("hostile names are text", HOSTILE in answer and tab.run("document.title") == "gavel" and tab.run("document.querySelector('#main img, #main script') === null"))


def mapped(checks, options, shoot):
    server = Gavel(options.gavel, "--envoy-port", "0", bundle=os.path.join(ROOT, "deploy/envoy/domain.yml")).started()
    tab = chromium.Chromium(chromium.found(), False)
    request = {"request": {"http": {"method": "GET", "path": "/docs/1", "headers": {"x-user-name": "ann", "x-user-roles": "reader"}}}}
    try:
        tab.size(1100, 800)
        tab.open(f"http://127.0.0.1:{server.admin_port}/")
        tab.until("!document.getElementById('from-row').hidden")
        tab.run("document.getElementById('from').value = 'envoy'; document.getElementById('from').dispatchEvent(new Event('change'))")
        checks.check("a request of Envoy has a form of its own", "headers" in tab.run("document.getElementById('porc').value"))
        granted = explain(tab, json.dumps(request))
        checks.check("its mapper is explained", granted.startswith("GRANT") and "Mapper" in granted and "http:docs:get" in granted, granted[:300])
        checks.check("rules of the mapper are highlighted", tab.run("document.querySelectorAll('#explanation .source')[0].innerText").find("package mapper") >= 0)
        shoot(tab, "mapper")
        request["request"]["http"]["headers"] = {}
        checks.check("what it denies is explained, too", explain(tab, json.dumps(request)).startswith("DENY"))
        checks.check("nothing is asked of others there", not tab.strangers and not tab.problems, f"{tab.strangers} {tab.problems}")
    finally:
        tab.close()
        server.stop()


def unsighted(checks, tab):
    unnamed = tab.run("[...document.querySelectorAll('input, select, textarea')].filter((one) => !one.labels.length).length")
    checks.check("every field has a label", unnamed == 0)
    checks.check("every table says what it is", tab.run("[...document.querySelectorAll('table')].every((one) => one.caption && one.querySelectorAll('thead th[scope=col]').length)"))
    tab.run("document.getElementById('porc').focus()")
    tab.press("Tab", 9)
    checks.check("the keyboard comes from the PORC to its button", tab.run("document.activeElement.id === 'ask-button'"))


def locked(checks, options, dark, shoot):
    with tempfile.NamedTemporaryFile("w", suffix=".token") as file:
        file.write("a-token-for-the-page\n")
        file.flush()
        server = Gavel(options.gavel, "--admin-token-file", file.name).started()
        tab = chromium.Chromium(chromium.found(), dark)
        try:
            tab.size(1100, 800)
            tab.open(f"http://127.0.0.1:{server.admin_port}/")
            tab.until("!document.getElementById('login').hidden")
            checks.check("without the token nothing is shown", tab.run("document.getElementById('main').hidden") and "mrn:" not in tab.run("document.body.innerHTML"))
            shoot(tab, "login")
            enter = "document.getElementById('token').value = '%s'; document.querySelector('#login button').click()"
            tab.run(enter % "another-token-of-letters")
            tab.until("document.getElementById('login-answer').textContent !== ''")
            tab.run(enter % "a-token-for-the-page")
            tab.until("!document.getElementById('main').hidden && document.querySelectorAll('#entries tr').length > 0")
            checks.check("with the token everything is", tab.text("#entries") != "")
            checks.check("records that are not kept are explained", "--admin-decisions" in tab.text("#records-note"))
            checks.check("a token is asked for by the port itself", server.admin("/live.json")[0] == 401)
        finally:
            tab.close()
            server.stop()


def main():
    options, checks = arguments(), Checks()
    if not chromium.found():
        print("skipped: chromium is not installed")
        return
    folder = options.pictures or tempfile.mkdtemp(prefix="gavel-pictures-")
    os.makedirs(folder, exist_ok=True)
    server = Gavel(options.gavel, "--admin-decisions", "50").started()
    try:
        for look, dark, width in (("light", False, 1100), ("dark", True, 1100), ("phone", False, 390)):
            shoot = lambda tab, name: tab.shoot(f"{folder}/{look}-{name}.png")
            tab = chromium.Chromium(chromium.found(), dark)
            try:
                tab.size(width, 800)
                if look == "light":
                    page(checks, tab, server, shoot)
                    why(checks, tab, shoot)
                    unsighted(checks, tab)
                else:
                    tab.open(f"http://127.0.0.1:{server.admin_port}/")
                    tab.until("document.querySelectorAll('#entries tr').length > 0 && document.querySelectorAll('#records tr').length > 0")
                    explain(tab, read(DENIED))
                    shoot(tab, "page")
                checks.check(f"{look}: the page is not wider than the window", tab.run("document.documentElement.scrollWidth") <= width)
                checks.check(f"{look}: nothing is asked of others", not tab.strangers, " ".join(tab.strangers))
                expected = [problem for problem in tab.problems if "400 (Bad Request)" not in problem]
                checks.check(f"{look}: no errors of scripts", not expected, " ".join(expected))
            finally:
                tab.close()
        mapped(checks, options, lambda tab, name: tab.shoot(f"{folder}/light-{name}.png"))
        locked(checks, options, True, lambda tab, name: tab.shoot(f"{folder}/dark-{name}.png"))
    finally:
        server.stop()
    print(f"pictures: {folder}")
    checks.end()


main()
