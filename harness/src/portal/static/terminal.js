// The phone's screens, in the order in which each kind of terminal shows them. The PIN goes from the
// form to this page's own origin and nowhere else, and is forgotten at once.
"use strict";
const desk = document.querySelector(".desk");
const { state, nonce, lang } = desk.dataset;
const phone = document.querySelector(".phone");
const screen_ = document.getElementById("screen");
const log = document.getElementById("log");
const words = lang === "en"
  ? { held: "held to the phone", lies: "beside the phone", tries: (n) => `Tries left: ${n}`, broken: "The terminal does not answer. Is `vmyna portal` still running?" }
  : { held: "端末にかざしています", lies: "端末の横にあります", tries: (n) => `残り回数: ${n}回`, broken: "端末が応答しません。vmyna portal が動いているか確かめてください。" };
let platform = sessionStorage.getItem("platform") || "ios";
let contact = null; // during which the PIN is asked for
let failure = null; // the last one
let round = 0; // what belongs to an earlier round is late

function show(stage) {
  screen_.dataset.stage = stage;
  for (const part of screen_.querySelectorAll(".stage")) part.hidden = part.dataset.of !== stage;
  for (const text of screen_.querySelectorAll(".instruction")) text.hidden = text.dataset.for !== platform;
  const field = screen_.querySelector(`[data-of="${stage}"] input[name="pin"]`);
  if (field) { field.value = ""; field.focus(); }
  else screen_.querySelector(`[data-of="${stage}"] button`)?.focus();
}

async function ask(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json", "x-vmyna-terminal": "1" },
    body: JSON.stringify(body || {}),
  });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.headers.get("content-type")?.includes("json") ? answer.json() : null;
}

function fail(what) {
  failure = what.failure;
  const at = lang === "en" ? 1 : 0;
  document.getElementById("failed-title").textContent = what.title[at];
  document.getElementById("failed-advice").textContent = what.advice[at];
  screen_.dataset.failure = failure.code;
  show("failed");
}

function broken() {
  failure = { code: "no_reader" };
  document.getElementById("failed-title").textContent = words.broken;
  document.getElementById("failed-advice").textContent = "";
  show("failed");
}

function goBack(fields) {
  const form = document.getElementById("callback");
  for (const [name, value] of Object.entries(fields)) {
    const input = document.createElement("input");
    input.type = "hidden";
    input.name = name;
    input.value = value;
    form.append(input);
  }
  show("done");
  form.submit();
}

// iPhone: the PIN first. Android and PC: the card first, and it stays while the PIN is entered.
async function begin() {
  const mine = ++round;
  contact = null;
  phone.dataset.platform = platform;
  if (!state) return show("none");
  if (platform === "ios") return show("pin");
  show("touch");
  try {
    const answer = await ask("/phone/touch", { state });
    if (mine !== round) return;
    if (answer.failed) return fail(answer.failed);
    contact = answer.touched.contact;
    const tries = answer.touched.tries_left;
    document.getElementById("tries").textContent = tries === null ? "" : words.tries(tries);
    show("dialog");
  } catch { if (mine === round) broken(); }
}

async function read(pin) {
  const mine = ++round;
  show(contact === null && card.dataset.held !== "true" ? "touch" : "reading");
  try {
    const answer = await ask("/phone/read", { state, nonce, pin, contact });
    if (mine !== round) return;
    if (answer.failed) return fail(answer.failed);
    goBack(answer.signed);
  } catch { if (mine === round) broken(); }
}

for (const form of [document.getElementById("pin-page"), document.getElementById("pin-dialog")]) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const pin = form.elements.pin.value;
    form.reset();
    read(pin);
  });
}

document.getElementById("show-pin").addEventListener("change", (event) => {
  document.getElementById("pin-b").type = event.target.checked ? "text" : "password";
});

const card = document.getElementById("card");
const holders = document.getElementById("holders");
document.addEventListener("click", (event) => {
  switch (event.target.closest("[data-do]")?.dataset.do) {
    case "hold": ask("/card/hold").catch(broken); break;
    case "lift": ask("/card/lift").catch(broken); break;
    case "again": begin(); break;
    case "cancel":
      round += 1;
      ask("/phone/cancel").catch(() => {});
      goBack({ failure: JSON.stringify({ code: "cancelled" }) });
      break;
    case "give-up": goBack({ failure: JSON.stringify(failure) }); break;
  }
});
holders?.addEventListener("change", () => ask("/card/swap", { holder: holders.value }).catch(broken));
for (const choice of document.querySelectorAll('[name="platform"]')) {
  choice.checked = choice.value === platform;
  choice.addEventListener("change", () => {
    platform = choice.value;
    sessionStorage.setItem("platform", platform);
    ask("/phone/cancel").catch(() => {});
    begin();
  });
}

function place(table) {
  card.dataset.held = String(table.held);
  if (holders) holders.value = table.holder;
  const option = holders?.selectedOptions[0];
  document.getElementById("holder-name").textContent = option ? option.dataset.name : table.holder;
  document.getElementById("lie").textContent = table.held ? words.held : words.lies;
  const hold = document.getElementById("hold");
  const lift = document.getElementById("lift");
  const had = document.activeElement === hold || document.activeElement === lift;
  hold.hidden = table.held;
  hold.setAttribute("aria-pressed", String(table.held));
  lift.hidden = !table.held;
  if (had) (table.held ? lift : hold).focus();
  if (table.held && screen_.dataset.stage === "touch") show("reading");
  // Android and PC: lifted while the PIN is being entered
  if (!table.held && screen_.dataset.stage === "dialog") {
    ask("/phone/lost").then((answer) => fail(answer.failed)).catch(broken);
  }
}

function tell(exchange) {
  const line = document.createElement("div");
  line.className = "exchange";
  for (const [kind, text] of [["command", `> ${exchange.command}`], ["answer", `< ${exchange.answer}`]]) {
    const part = document.createElement("p");
    part.className = kind;
    part.textContent = text;
    line.append(part);
  }
  log.append(line);
  log.scrollTop = log.scrollHeight;
}

const events = new EventSource("/events");
events.onmessage = ({ data }) => {
  const told = JSON.parse(data);
  if (told.kind === "table") place(told);
  else tell(told);
};
begin();
