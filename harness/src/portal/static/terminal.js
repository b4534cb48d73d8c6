// The phone's screens. Which one is shown is the terminal's own affair, on this page's origin; here it
// is drawn. The PIN goes from the form to that origin and nowhere else, and is forgotten at once.
"use strict";
const desk = document.querySelector(".desk");
const { state, nonce, key, lang } = desk.dataset;
const phone = document.querySelector(".phone");
const screen_ = document.getElementById("screen");
const log = document.getElementById("log");
const words = lang === "en"
  ? { held: "held to the phone", lies: "beside the phone", tries: (n) => `Tries left: ${n}`, lifted: "The card has left the phone. Put it back before you go on.", broken: "The terminal does not answer. Is `vmyna portal` still running?" }
  : { held: "端末にかざしています", lies: "端末の横にあります", tries: (n) => `残り回数: ${n}回`, lifted: "カードが端末から離れています。当て直してから進んでください。", broken: "端末が応答しません。vmyna portal が動いているか確かめてください。" };
let platform = sessionStorage.getItem("platform") || "ios";
let failure = null; // the last one
let asked = 0; // requests so far; an answer to an earlier one than the last drawn is late
let drawn = 0;
let waiting = 0; // requests without an answer
let patience = null;

const title = document.title;

function show(stage) {
  screen_.dataset.stage = stage;
  const heading = screen_.querySelector(`[data-of="${stage}"] h1`)?.textContent;
  document.title = heading ? `${heading} · ${title}` : title;
  for (const part of screen_.querySelectorAll(".stage")) part.hidden = part.dataset.of !== stage;
  for (const text of screen_.querySelectorAll(".instruction")) text.hidden = text.dataset.for !== platform;
  const field = screen_.querySelector(`[data-of="${stage}"] input[name="pin"]`);
  if (field) { field.value = ""; field.focus(); }
}

async function ask(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json", "x-vmyna-terminal": "1" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.headers.get("content-type")?.includes("json") ? answer.json() : null;
}

// Asks the terminal for something, and draws what it shows then.
async function act(path, body) {
  const mine = ++asked;
  waiting += 1;
  screen_.dataset.waiting = String(waiting);
  try {
    const reply = await ask(path, { state, ...body });
    if (reply && mine > drawn) { drawn = mine; draw(reply); }
  } catch { broken(); }
  waiting -= 1;
  screen_.dataset.waiting = String(waiting);
}

function draw({ shows, signed, failed }) {
  clearTimeout(patience);
  if (signed) return goBack(signed);
  if (failed) return failed.failure.code === "cancelled" ? goBack({ failure: JSON.stringify(failed.failure) }) : fail(failed);
  if (shows.patience_ms !== null) patience = setTimeout(() => act("/phone/look"), shows.patience_ms);
  if (shows.screen === screen_.dataset.stage) return;
  document.getElementById("tries").textContent = shows.tries_left === null ? "" : words.tries(shows.tries_left);
  show(shows.screen);
}

function fail(what) {
  failure = what.failure;
  const at = lang === "en" ? 1 : 0;
  document.getElementById("failed-title").textContent = what.title[at];
  document.getElementById("failed-advice").textContent = what.advice[at];
  screen_.dataset.failure = failure.code;
  show("failed");
  screen_.querySelector('[data-do="again"]').focus();
}

function broken() {
  fail({ failure: { code: "no_reader" }, title: [words.broken, words.broken], advice: ["", ""] });
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

function call() {
  phone.dataset.platform = platform;
  screen_.dataset.stage = "none";
  return state ? act("/phone/call", { nonce, key, platform }) : show("none");
}

for (const form of [document.getElementById("pin-page"), document.getElementById("pin-dialog")]) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const pin = form.elements.pin.value;
    form.reset();
    document.getElementById("pin-b").type = "password";
    if (card.dataset.held === "true") show("reading");
    act("/phone/confirm", { pin });
  });
}

document.getElementById("show-pin").addEventListener("change", (event) => {
  document.getElementById("pin-b").type = event.target.checked ? "text" : "password";
});

const card = document.getElementById("card");
const holders = document.getElementById("holders");
document.addEventListener("click", (event) => {
  switch (event.target.closest("[data-do]")?.dataset.do) {
    case "hold":
      if (["touch", "dialog"].includes(screen_.dataset.stage)) show("reading");
      act("/card/hold");
      break;
    case "lift": act("/card/lift"); break;
    case "again": call(); break;
    case "cancel": act("/phone/cancel"); break;
    case "give-up": goBack({ failure: JSON.stringify(failure) }); break;
  }
});
holders?.addEventListener("change", () => act("/card/swap", { holder: holders.value }));
for (const choice of document.querySelectorAll('[name="platform"]')) {
  choice.checked = choice.value === platform;
  choice.addEventListener("change", () => {
    platform = choice.value;
    sessionStorage.setItem("platform", platform);
    call();
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
  lift.hidden = !table.held;
  if (had) (table.held ? lift : hold).focus();
  // Android and PC: lifted while the PIN is being entered
  if (!table.held && screen_.dataset.stage === "dialog") document.getElementById("tries").textContent = words.lifted;
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
  else if (told.kind === "exchange") tell(told);
  else {
    if (screen_.dataset.stage === "touch") act("/phone/look");
    screen_.dataset.moments = String(Number(screen_.dataset.moments || 0) + 1);
  }
};
call();
