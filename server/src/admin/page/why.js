// Shows an explanation: the outcome, each phase with its policies, and the bodies of rules in their source. Whatever the
// server says becomes text, never markup.
"use strict";

function node(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value !== undefined && value !== null) element.setAttribute(key, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== undefined && child !== null));
  return element;
}

function timeText(ns) {
  if (ns === undefined || ns === null) return "–";
  if (ns < 1000) return ns + " ns";
  if (ns < 1e6) return (ns / 1000).toPrecision(3) + " µs";
  if (ns < 1e9) return (ns / 1e6).toPrecision(3) + " ms";
  return (ns / 1e9).toPrecision(3) + " s";
}

function voteView(vote) {
  return node("span", { class: "vote " + (vote || "") }, vote || "NOT ASKED");
}

const RANK = { held: 3, failed: 2, tried: 1 };

// What is to be seen at each row of a text, from the bodies that stand in it.
function rowsOf(bodies) {
  const rows = new Map();
  const put = (row, kind, why) => {
    const known = rows.get(row);
    if (!known || RANK[known.kind] < RANK[kind]) rows.set(row, { kind, why });
  };
  for (const body of bodies) {
    for (let row = body.rows[0]; row <= body.rows[1]; row += 1) put(row, body.held ? "held" : "tried");
    if (!body.failure) continue;
    for (let row = body.failure.rows[0]; row <= body.failure.rows[1]; row += 1) {
      put(row, "failed", row === body.failure.rows[1] ? body.failure.why : "");
    }
  }
  return rows;
}

const MARKS = { held: "✓", failed: "✗", tried: "·" };
const SPOKEN = { held: " (held)", failed: " (failed)", tried: " (tried)" };

function sourceView(source, bodies) {
  const rows = rowsOf(bodies);
  const lines = source.text.split("\n").map((text, at) => {
    const row = source.firstRow + at;
    const seen = rows.get(row);
    return node("li", { class: seen ? seen.kind : undefined },
      node("span", { class: "at" }, String(row)),
      node("span", { class: "mark", "aria-hidden": "true" }, seen ? MARKS[seen.kind] : ""),
      node("span", {}, text),
      seen ? node("span", { class: "hidden" }, SPOKEN[seen.kind]) : undefined,
      seen && seen.why ? node("span", { class: "because" }, seen.why) : undefined);
  });
  return node("ol", { class: "source", tabindex: "0", "aria-label": "Source of " + source.name }, lines);
}

function bodyNote(body) {
  const where = body.file ? body.file : "row " + body.rows[0];
  const what = body.held ? "held" : body.failure ? "failed in row " + body.failure.rows[0] + (body.failure.why ? ": " + body.failure.why : "") : "did not hold";
  return node("li", {}, node("code", {}, body.rule), " at ", node("code", {}, where), " ",
    node("span", { class: body.held ? "good" : "bad" }, what), body.decided ? node("strong", {}, " – this decided") : undefined);
}

// Each text that bodies of this policy stand in; the policy's own is open, libraries can be opened.
function evidenceView(policy, sources) {
  if (!policy.bodies || !policy.bodies.length) return undefined;
  const texts = [...new Set(policy.bodies.map((body) => body.source))];
  const views = texts.map((index, at) => {
    const bodies = policy.bodies.filter((body) => body.source === index);
    return node("details", { open: at === 0 }, node("summary", {}, "Source of ", node("code", {}, sources[index].name)),
      sourceView(sources[index], bodies));
  });
  return [node("ul", { class: "notes" }, policy.bodies.map(bodyNote)), views];
}

function policyView(policy, sources) {
  return node("div", { class: "policy" },
    node("p", {}, voteView(policy.vote), " ", policy.policy ? node("code", {}, policy.policy) : "no policy",
      " ", node("span", { class: "faint" }, policy.tookNs === null ? "" : timeText(policy.tookNs))),
    policy.id ? node("p", { class: "faint" }, "named by ", node("code", {}, policy.id)) : undefined,
    policy.reason ? node("p", { class: "bad" }, policy.reason.code + ": " + policy.reason.text) : undefined,
    evidenceView(policy, sources));
}

const MEANING = {
  operation: { OPEN: "leaves it to the other phases", GRANT: "settles it: granted", DENY: "settles it: denied" },
  identity: { DENY: "no role of the principal grants", GRANT: "a role grants" },
  resource: { DENY: "the resource's group denies", GRANT: "the resource's group grants" },
  scope: { DENY: "no scope grants", GRANT: "no scopes, or one that grants" },
};

function phaseView(phase, sources) {
  const title = phase.phase.charAt(0).toUpperCase() + phase.phase.slice(1);
  const meaning = (MEANING[phase.phase] || {})[phase.vote];
  const note = phase.counts ? meaning : phase.vote ? "does not count: the operation settled it" : undefined;
  return node("section", {},
    node("h3", {}, title + " phase ", voteView(phase.vote), " ", node("span", { class: "faint" }, note || "")),
    phase.policies.map((policy) => policyView(policy, sources)));
}

function mapperView(mapper, sources) {
  return node("section", {},
    node("h3", {}, "Mapper ", mapper.name ? node("code", {}, mapper.name) : ""),
    mapper.reason ? node("p", { class: "bad" }, mapper.reason) : undefined,
    mapper.porc === null ? undefined : node("pre", {}, JSON.stringify(mapper.porc, null, 2)),
    evidenceView(mapper, sources));
}

function explanationView(answer) {
  const denied = answer.phases.filter((phase) => phase.counts && phase.vote === "DENY").map((phase) => phase.phase);
  const together = answer.mapper && answer.mapper.reason ? "because there is no PORC" : denied.length ? "because of the phase " + denied.join(" and ") : answer.decision === "GRANT" ? "by all phases together" : "";
  const settled = answer.settled === null ? together : "by the operation's policy alone, with " + answer.settled;
  return [
    node("h3", { class: "outcome", id: "outcome", tabindex: "-1" }, voteView(answer.decision), " " + settled),
    node("p", { class: "faint" }, "Revision " + answer.revision + ", " + timeText(answer.tookNs)),
    answer.unexplained ? node("p", { class: "bad" }, "Rules are not all shown: " + answer.unexplained + ".") : undefined,
    answer.mapper ? mapperView(answer.mapper, answer.sources) : undefined,
    answer.phases.map((phase) => phaseView(phase, answer.sources)),
    answer.document ? node("details", {}, node("summary", {}, "The document that policies saw"),
      node("pre", {}, JSON.stringify(answer.document, null, 2))) : undefined,
  ].flat(Infinity).filter((one) => one !== undefined);
}
