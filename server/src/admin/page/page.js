// The status page: asks this port for numbers, lists, records and explanations, and shows them. Whatever the answers say
// becomes text, never markup.
"use strict";

const KEY = "gavel-admin-token";
const EVERY_MS = 2000;
const WINDOW_MS = 10000;
const SAMPLE = { principal: { sub: "", mrealm: "", mroles: [], mgroups: [], scopes: [] }, operation: "", resource: "", context: {} };
const REQUEST = { request: { "http": { method: "GET", path: "/", host: "", headers: {} } } };

const $ = (id) => document.getElementById(id);

// Answers of the last seconds, oldest first.
let samples = [];
let revisionSeen = null;
let from = 0;

class Barred extends Error {}

async function ask(path, options) {
  const headers = {};
  const token = sessionStorage.getItem(KEY);
  if (token) headers.Authorization = "Bearer " + token;
  const response = await fetch(path, { ...options, headers, credentials: "same-origin", cache: "no-store" });
  if (response.status === 401) throw new Barred();
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.message || "status " + response.status);
  return answer;
}

function fill(id, ...children) {
  $(id).replaceChildren(...children.flat(Infinity).filter((child) => child !== undefined && child !== null));
}

const count = (number) => (number === undefined ? "–" : number.toLocaleString("en"));
const rate = (number) => (number === undefined ? "–" : number >= 100 ? count(Math.round(number)) : number.toFixed(1));
const sum = (numbers) => Object.values(numbers).reduce((all, one) => all + one, 0);

// The upper bound of the bucket that a share of the times between two answers lies below.
function quantile(now, before, of) {
  const old = new Map(before.buckets);
  const buckets = now.buckets.map(([bound, number]) => [bound, number - (old.get(bound) || 0)]).filter(([, number]) => number > 0);
  const wanted = Math.max(1, Math.ceil(buckets.reduce((all, [, number]) => all + number, 0) * of));
  let seen = 0;
  for (const [bound, number] of buckets) {
    seen += number;
    if (seen >= wanted) return bound;
  }
  return null;
}

function latencyRow(name, now, before) {
  const cell = (text) => node("td", { class: "number" }, text);
  return node("tr", {}, node("th", { scope: "row" }, name), cell(count(now.count)),
    [now.p50Ns, now.p99Ns, now.p999Ns].map((ns) => cell(now.count ? timeText(ns) : "–")),
    [0.5, 0.99].map((of) => cell(before ? timeText(quantile(now, before, of)) : "–")));
}

function tile(name, text, kind) {
  return node("div", {}, node("dt", {}, name), node("dd", { class: kind }, text));
}

function perSecond(now, before, get) {
  if (!before || now.atMs <= before.atMs) return undefined;
  return Math.max(0, (get(now) - get(before)) * 1000 / (now.atMs - before.atMs));
}

function showLive(now) {
  samples = samples.filter((one) => one.atMs >= now.atMs - WINDOW_MS && one.atMs < now.atMs);
  const before = samples[0];
  samples.push(now);
  $("stage").textContent = now.stage;
  $("stage").className = now.stage === "ready" ? "good" : "bad";
  if (!now.outcomes) return;
  const grants = (one) => one.outcomes.grant + one.outcomes.grant_override;
  const all = (one) => sum(one.outcomes);
  fill("tiles",
    tile("Requests a second", rate(perSecond(now, before, all))),
    tile("Requests", count(all(now))),
    tile("Granted", all(now) ? (100 * grants(now) / all(now)).toFixed(1) + " %" : "–"),
    tile("Memory", (now.memoryBytes / 1048576).toFixed(1) + " MiB"),
    tile("Connections so far", count(now.connections)),
    tile("Records written", count(now.recordsWritten)),
    tile("Records lost", count(now.recordsLost), now.recordsLost ? "bad" : undefined),
    tile("Policies", "revision " + now.revision));
  fill("latencies", latencyRow("whole decision", now.decisions, before && before.decisions),
    Object.entries(now.phases).map(([name, times]) => latencyRow(name + " phase", times, before && before.phases[name])));
  const classes = Object.entries(now.outcomes).filter(([, number]) => number > 0);
  fill("outcomes", classes.length ? classes.map(([name, number]) => node("tr", {}, node("th", { scope: "row" }, name.replace(/_/g, " ")),
    node("td", { class: "number" }, count(number)),
    node("td", { class: "number" }, rate(perSecond(now, before, (one) => one.outcomes[name]))))) : node("tr", {}, node("td", { colspan: "3", class: "faint" }, "None so far.")));
  if (now.revision !== revisionSeen) {
    revisionSeen = now.revision;
    guarded(showStatus);
    guarded(list);
  }
}

async function showStatus() {
  const status = await ask("status");
  $("version").textContent = status.version;
  $("status").textContent = JSON.stringify(status, null, 2);
  const last = status.reload && status.reload.last;
  const failed = last && last.result === "failed";
  fill("problem", failed ? node("div", {}, node("p", { class: "bad" }, "The last load failed; what was served before is still served."), node("pre", {}, last.error)) : undefined,
    status.audit && status.audit.failing ? node("p", { class: "bad" }, "Access records cannot be written.") : undefined);
  const policies = status.policies;
  if (!policies) return;
  $("from-row").hidden = !policies.mapper;
  fill("revision", "Revision " + policies.revision, policies.label ? [" “", policies.label, "”"] : "", ", since " + policies.published + ", digest ", node("code", {}, policies.digest.slice(0, 16) + "…"));
}

const KINDS = { policies: "policies", roles: "roles", groups: "groups", scopes: "scopes", "resource-groups": "resourceGroups", operations: "operations", resources: "resources" };
const TITLES = { selectors: "Selectors", group: "Resource group", fingerprint: "Fingerprint", policy: "Policy", roles: "Roles" };

async function list() {
  const kind = $("kind").value || "policies";
  const answer = await ask("loaded.json?" + new URLSearchParams({ kind, from, count: 20, find: $("find").value }));
  const chosen = $("kind").value || "policies";
  fill("kind", Object.entries(KINDS).map(([name, key]) => node("option", { value: name, selected: name === chosen }, name.replace("-", " ") + " (" + count(answer.counts[key]) + ")")));
  fill("domains", "Domains: ", answer.domains.map((domain, at) => [at ? ", " : "", node("code", {}, domain)]),
    ". Mappers: " + count(answer.counts.mappers) + ".");
  const columns = Object.keys(TITLES).filter((name) => answer.entries.some((entry) => entry[name] !== undefined));
  const isNamed = answer.entries.some((entry) => entry.mrn !== undefined);
  fill("entries-head", node("tr", {}, isNamed ? node("th", { scope: "col" }, "MRN") : undefined, columns.map((name) => node("th", { scope: "col" }, TITLES[name]))));
  const show = (value) => (Array.isArray(value) ? value.join(", ") : value);
  fill("entries", answer.entries.map((entry) => node("tr", {}, isNamed ? node("th", { scope: "row" }, node("code", {}, entry.mrn)) : undefined,
    columns.map((name) => node("td", {}, node("code", {}, show(entry[name])))))));
  const last = answer.from + answer.entries.length;
  $("entries-title").textContent = answer.entries.length ? count(answer.from + 1) + " to " + count(last) + " of " + count(answer.total) : "None";
  $("back").disabled = answer.from === 0;
  $("on").disabled = last >= answer.total;
}

const text = (value) => (typeof value === "string" ? value : value === undefined || value === null ? "" : JSON.stringify(value));

function recordRow(record) {
  const principal = record.principal || {};
  const stamp = (record.metadata || {}).timestamp;
  return node("tr", {}, node("td", { class: "mono" }, text(stamp)), node("td", {}, voteView(text(record.decision))),
    node("td", {}, node("code", {}, text(record.operation))), node("td", {}, node("code", {}, text(record.resource))),
    node("td", {}, text(principal.subject)),
    node("td", {}, node("details", {}, node("summary", {}, "open"), node("pre", {}, JSON.stringify(record, null, 2)))));
}

async function showRecords() {
  const answer = await ask("decisions.json");
  const isOn = answer.kept > 0;
  $("records-note").textContent = isOn ? "The last " + count(answer.kept) + " access records at most, newest first, as they are written: what is left out of records is left out here." : "They are not kept. To keep some, start with --admin-decisions COUNT.";
  $("records-tools").hidden = !isOn;
  $("records-table").hidden = !isOn || !answer.decisions.length;
  fill("records", answer.decisions.map(recordRow));
}

async function explain(event) {
  event.preventDefault();
  $("ask-button").disabled = true;
  fill("explanation", node("p", { class: "faint" }, "Asking… the first question about a revision compiles it."));
  try {
    const from = $("from").value ? "?" + new URLSearchParams({ from: $("from").value }) : "";
    fill("explanation", explanationView(await ask("why" + from, { method: "POST", body: $("porc").value })));
    $("outcome").focus();
  } catch (error) {
    if (error instanceof Barred) locked();
    else fill("explanation", node("p", { class: "bad" }, "No explanation: " + error.message));
  }
  $("ask-button").disabled = false;
}

function locked() {
  const tried = sessionStorage.getItem(KEY) !== null;
  sessionStorage.removeItem(KEY);
  $("stage").textContent = "locked";
  $("login-answer").textContent = tried ? "This is not the token." : "";
  $("main").hidden = true;
  $("login").hidden = false;
  $("token").focus();
}

// Runs something that asks; what goes wrong is shown.
async function guarded(work) {
  try {
    await work();
    return true;
  } catch (error) {
    if (error instanceof Barred) locked();
    else {
      $("stage").textContent = "no answer: " + error.message;
      $("stage").className = "bad";
    }
    return false;
  }
}

async function start() {
  const answered = await guarded(async () => {
    const now = await ask("live.json");
    $("login").hidden = true;
    $("main").hidden = false;
    showLive(now);
    await showRecords();
  });
  if (answered && location.hash) $(location.hash.slice(1))?.scrollIntoView();
}

$("login").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(KEY, $("token").value.trim());
  $("token").value = "";
  start();
});
$("ask").addEventListener("submit", explain);
$("list").addEventListener("submit", (event) => { event.preventDefault(); from = 0; guarded(list); });
$("kind").addEventListener("change", () => { from = 0; guarded(list); });
$("back").addEventListener("click", () => { from = Math.max(0, from - 20); guarded(list); });
$("on").addEventListener("click", () => { from += 20; guarded(list); });
$("records-load").addEventListener("click", () => guarded(showRecords));
const sample = (from) => JSON.stringify(from ? REQUEST : SAMPLE, null, 2);
let asked = "";
$("from").value = asked;
$("porc").value = sample(asked);
$("from").addEventListener("change", () => {
  // What somebody typed stays.
  if ($("porc").value === sample(asked)) $("porc").value = sample($("from").value);
  asked = $("from").value;
});
setInterval(() => { if (!$("main").hidden && !document.hidden) guarded(async () => showLive(await ask("live.json"))); }, EVERY_MS);
start();
