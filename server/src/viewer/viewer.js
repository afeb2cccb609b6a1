// Shows the OpenAPI document of the service it comes from: operations, schemas, examples, and a form that sends a request.
// Whatever the document says becomes text, never markup.
"use strict";

const METHODS = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
const DEPTH_MAX = 8;

function node(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== undefined && child !== null));
  return element;
}

function pretty(value) {
  return JSON.stringify(value, null, 2);
}

function resolve(api, value) {
  for (let steps = 0; value && value.$ref && steps < DEPTH_MAX; steps += 1) {
    const keys = value.$ref.replace(/^#\//, "").split("/");
    value = keys.reduce((at, key) => (at ? at[key.replace(/~1/g, "/").replace(/~0/g, "~")] : undefined), api);
  }
  return value || {};
}

function typeName(api, schema) {
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.oneOf) return schema.oneOf.map((one) => typeName(api, one)).join(" or ");
  if (schema.type === "array") return "array of " + typeName(api, schema.items || {});
  return schema.type || "anything";
}

// The type, as a link where it is a schema with a section of its own.
function typeView(api, schema) {
  const name = typeName(api, schema);
  return schema.$ref ? node("a", { href: "#schema-" + name }, name) : node("span", { class: "faint" }, name);
}

function notes(schema) {
  const parts = [];
  if (schema.enum) parts.push("one of " + schema.enum.map((value) => JSON.stringify(value)).join(", "));
  if (schema.default !== undefined) parts.push("default " + JSON.stringify(schema.default));
  if (schema.example !== undefined) parts.push("for example " + JSON.stringify(schema.example));
  return parts.length ? node("span", { class: "faint" }, " (" + parts.join("; ") + ")") : undefined;
}

// The members of a schema, down to the schemas that have a section of their own.
function members(api, schema, depth) {
  const known = resolve(api, schema);
  if (depth > DEPTH_MAX) return undefined;
  const inner = known.type === "array" ? resolve(api, known.items || {}) : known;
  const properties = Object.entries(inner.properties || {});
  if (!properties.length) return undefined;
  const required = inner.required || [];
  const rows = properties.map(([name, member]) => {
    const own = member.$ref ? {} : member;
    return node("li", {},
      node("code", {}, name), required.includes(name) ? " (required) " : " ",
      typeView(api, member),
      own.description ? " – " + own.description : "", notes(own),
      member.$ref ? undefined : members(api, member, depth + 1));
  });
  return node("ul", { class: "schema" }, rows);
}

function examplesOf(api, media) {
  const named = Object.entries(media.examples || {}).map(([name, example]) => {
    const known = resolve(api, example);
    return { title: known.summary || name, value: known.value };
  });
  return media.example === undefined ? named : [{ title: "Example", value: media.example }, ...named];
}

function content(api, holder) {
  return Object.entries(holder.content || {}).map(([type, media]) => node("div", {},
    node("p", {}, node("code", {}, type), " ", typeView(api, media.schema || {})),
    media.schema && !media.schema.$ref ? members(api, media.schema, 0) : undefined,
    examplesOf(api, media).map((example) => node("details", {},
      node("summary", {}, example.title), node("pre", {}, pretty(example.value))))));
}

function parametersOf(api, operation) {
  return (operation.parameters || []).map((parameter) => resolve(api, parameter));
}

function parameterTable(api, parameters) {
  if (!parameters.length) return undefined;
  const rows = parameters.map((parameter) => node("tr", {},
    node("td", {}, node("code", {}, parameter.name)), node("td", {}, parameter.in),
    node("td", {}, typeName(api, parameter.schema || {}), notes(parameter.schema || {})),
    node("td", {}, parameter.description || "", parameter.required ? " (required)" : "")));
  const head = ["Name", "In", "Type", "Meaning"].map((title) => node("th", { scope: "col" }, title));
  return [node("h3", {}, "Parameters"), node("table", {}, node("thead", {}, node("tr", {}, head)), node("tbody", {}, rows))];
}

function responseList(api, operation) {
  const list = Object.entries(operation.responses || {}).map(([status, response]) => {
    const known = resolve(api, response);
    return node("div", {}, node("p", {}, node("strong", {}, status), " " + (known.description || "")), content(api, known));
  });
  return [node("h3", {}, "Responses"), list];
}

let fields = 0;

function parameterField(parameter) {
  fields += 1;
  const id = "field-" + fields;
  const schema = parameter.schema || {};
  const start = parameter.example !== undefined ? parameter.example : schema.default;
  const options = schema.type === "boolean" ? ["", "true", "false"] : schema.enum && ["", ...schema.enum];
  const input = options
    ? node("select", { id }, options.map((value) => node("option", { value, selected: String(start) === String(value) }, value === "" ? "(not sent)" : String(value))))
    : node("input", { id, type: "text", value: start === undefined ? "" : String(start) });
  const title = parameter.name + (parameter.description ? ": " + parameter.description : "");
  return { parameter, input, view: [node("label", { for: id }, title), input] };
}

function bodyField(api, operation) {
  const body = operation.requestBody && resolve(api, operation.requestBody);
  const [type, media] = Object.entries((body && body.content) || {})[0] || [];
  if (!type) return undefined;
  fields += 1;
  const [id, pick] = ["field-" + fields, "pick-" + fields];
  const examples = examplesOf(api, media);
  const text = node("textarea", { id, spellcheck: "false" });
  text.value = examples.length ? pretty(examples[0].value) : "{}";
  const choice = node("select", { id: pick, onchange: (event) => { text.value = pretty(examples[event.target.selectedIndex].value); } },
    examples.map((example) => node("option", {}, example.title)));
  const chooser = examples.length > 1 ? [node("label", { for: pick }, "Example"), choice] : [];
  return { type, text, view: [...chooser, node("label", { for: id }, "Body, " + type), text] };
}

function address(path, parameters) {
  const query = new URLSearchParams();
  let target = path;
  for (const { parameter, input } of parameters) {
    if (parameter.in === "path") target = target.replace("{" + parameter.name + "}", encodeURIComponent(input.value));
    else if (parameter.in === "query" && input.value !== "") query.append(parameter.name, input.value);
  }
  const text = query.toString();
  return ".." + target + (text ? "?" + text : "");
}

function shown(type, text) {
  if (!/json/.test(type || "")) return text;
  try {
    return pretty(JSON.parse(text));
  } catch {
    return text;
  }
}

async function send(method, path, parameters, body, result, button) {
  button.disabled = true;
  const options = { method: method.toUpperCase(), headers: {}, credentials: "same-origin", cache: "no-store" };
  for (const { parameter, input } of parameters) {
    if (parameter.in === "header" && input.value !== "") options.headers[parameter.name] = input.value;
  }
  if (body) {
    options.headers["Content-Type"] = body.type;
    options.body = body.text.value;
  }
  const start = performance.now();
  try {
    const response = await fetch(address(path, parameters), options);
    const text = await response.text();
    const ms = (performance.now() - start).toFixed(1);
    const title = response.status + " " + response.statusText + ", " + ms + " ms in the browser";
    result.replaceChildren(
      node("p", response.ok ? {} : { class: "bad" }, node("strong", {}, title)),
      node("pre", {}, shown(response.headers.get("Content-Type"), text) || "(no body)"));
  } catch (error) {
    result.replaceChildren(node("p", { class: "bad" }, "No answer: " + error.message));
  }
  button.disabled = false;
}

function form(api, method, path, operation) {
  const parameters = parametersOf(api, operation).map(parameterField);
  const body = bodyField(api, operation);
  const button = node("button", { type: "submit" }, "Send");
  const result = node("div", { "aria-live": "polite" });
  const submit = (event) => {
    event.preventDefault();
    send(method, path, parameters, body, result, button);
  };
  return node("form", { onsubmit: submit }, node("h3", {}, "Try it"),
    parameters.map((field) => field.view), body ? body.view : undefined, button, result);
}

function operationView(api, method, path, operation, open) {
  const body = operation.requestBody && resolve(api, operation.requestBody);
  return node("details", { class: "operation", id: operation.operationId, open },
    node("summary", {}, node("span", { class: "method " + method }, method.toUpperCase()),
      node("span", { class: "path" }, path), node("span", { class: "faint" }, operation.summary || "")),
    node("div", {},
      operation.description ? node("p", {}, operation.description) : undefined,
      parameterTable(api, parametersOf(api, operation)),
      body ? [node("h3", {}, "Body" + (body.required ? " (required)" : "")), node("p", {}, body.description || ""), content(api, body)] : undefined,
      responseList(api, operation),
      form(api, method, path, operation)));
}

function operations(api) {
  const all = Object.entries(api.paths || {}).flatMap(([path, item]) => METHODS
    .filter((method) => item[method])
    .map((method) => ({ method, path, operation: item[method] })));
  const view = (one, at) => operationView(api, one.method, one.path, one.operation, at === 0);
  return [node("h2", {}, "Operations"), all.map(view)];
}

function schemas(api) {
  const all = Object.entries((api.components && api.components.schemas) || {});
  const view = ([name, schema]) => node("section", { id: "schema-" + name },
    node("h3", {}, node("code", {}, name), " ", node("span", { class: "faint" }, typeName(api, schema))),
    schema.description ? node("p", {}, schema.description) : undefined, members(api, schema, 0));
  return [node("h2", {}, "Schemas"), all.map(view)];
}

async function start() {
  const page = document.getElementById("page");
  try {
    const response = await fetch("../openapi.json", { credentials: "same-origin" });
    if (!response.ok) throw new Error("status " + response.status);
    const api = await response.json();
    document.title = api.info.title;
    page.replaceChildren(
      node("h1", {}, api.info.title),
      node("p", { class: "faint" }, "Version " + api.info.version + " · ",
        node("a", { href: "../openapi.yaml" }, "openapi.yaml"), " · ", node("a", { href: "../openapi.json" }, "openapi.json")),
      api.info.description ? node("p", {}, api.info.description) : "",
      ...operations(api).flat(Infinity), ...schemas(api).flat(Infinity));
  } catch (error) {
    page.replaceChildren(node("p", { class: "bad" }, "The API document cannot be shown: " + error.message),
      node("p", {}, node("a", { href: "../openapi.yaml" }, "openapi.yaml")));
  }
}

start();
