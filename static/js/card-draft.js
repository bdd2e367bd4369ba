/* Drafts of a card: what is typed is kept on the server as one types; while it is not there yet, encrypted on the phone.
   What is said in the bar is where the content is: on its way, on the server, on this phone, or on this page alone.
   The phone holds ciphertext (AES-GCM) in localStorage; its key comes from the server to who is signed in and stays in
   memory. docs/entering.md says what protects what. */
(function () {
  "use strict";
  const home = document.querySelector("[data-card-form], [data-draft-home]");
  if (!home) return;
  const start = JSON.parse(document.getElementById("draft-start").textContent);
  const texts = JSON.parse(document.getElementById("draft-texts").textContent);
  const card = home.matches("[data-card-form]") ? window.changde.cardForm : null;
  const say = (text, values = {}) => Object.entries(values).reduce((said, [name, value]) => said.replace(`%(${name})s`, value), text);
  const clock = (at) => new Date(at).toTimeString().slice(0, 5);
  const login = document.body.dataset.login;

  /* --- this phone ------------------------------------------------------------------------------------------- */
  const PREFIX = "card-draft:";
  const KEPT_FOR = 30 * 86400e3;
  let secret = null; /* a CryptoKey that cannot be taken out again */

  const toText = (bytes) => btoa(Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join(""));
  const toBytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const place = (key) => `${PREFIX}${start.owner}:${key}`;
  const bound = (key) => new TextEncoder().encode(`${start.owner}:${key}`);

  function uuid() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 15) | 64;
    bytes[8] = (bytes[8] & 63) | 128;
    const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
  }

  async function putOnPhone(key, entry) {
    if (!secret) return false;
    try {
      const iv = crypto.getRandomValues(new Uint8Array(12));
      const text = new TextEncoder().encode(JSON.stringify(entry));
      const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: bound(key) }, secret, text);
      localStorage.setItem(place(key), JSON.stringify({ at: Date.now(), iv: toText(iv), sealed: toText(sealed) }));
      return true;
    } catch { return false; } /* private window, full storage, no secure context */
  }

  function dropFromPhone(key) {
    try { localStorage.removeItem(place(key)); } catch { /* nothing was stored */ }
  }

  /* What this person has on this phone, last first; what is too old goes, whoever's it is. */
  async function onPhone() {
    const found = [];
    let names = [];
    try { names = Object.keys(localStorage).filter((name) => name.startsWith(PREFIX)); } catch { return found; }
    for (const name of names) {
      try {
        const { at, iv, sealed } = JSON.parse(localStorage.getItem(name));
        if (Date.now() - at > KEPT_FOR) { localStorage.removeItem(name); continue; }
        const [, owner, key] = name.split(":");
        if (owner !== start.owner || !secret) continue;
        const opened = await crypto.subtle.decrypt({ name: "AES-GCM", iv: toBytes(iv), additionalData: bound(key) }, secret, toBytes(sealed));
        found.push({ key, at, ...JSON.parse(new TextDecoder().decode(opened)) });
      } catch { /* does not open: not this person's, or damaged */ }
    }
    return found.sort((one, other) => other.at - one.at);
  }

  /* --- the server --------------------------------------------------------------------------------------------- */
  const WAIT = 12_000;

  function ask(url, options = {}) {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), WAIT);
    return fetch(url, { redirect: "manual", cache: "no-store", credentials: "same-origin", signal: stop.signal, ...options })
      .finally(() => clearTimeout(timer));
  }

  /* "here": signed in as the person of this page, key and token taken over; "login", "other", "offline", "refused" */
  async function identify() {
    let answer;
    try { answer = await ask(home.dataset.key); } catch { return "offline"; }
    if (answer.type === "opaqueredirect") return "login";
    if (answer.status === 403) return "other";
    if (!answer.ok) return "refused";
    const said = await answer.json();
    if (said.owner !== start.owner) return "other";
    if (card) card.form.querySelector("[name=csrfmiddlewaretoken]").value = said.csrf;
    document.body.setAttribute("hx-headers", JSON.stringify({ "X-CSRFToken": said.csrf }));
    if (!secret && crypto.subtle) secret = await crypto.subtle.importKey("raw", toBytes(said.key), "AES-GCM", false, ["encrypt", "decrypt"]);
    return "here";
  }

  /* --- drafts of this phone, offered beside the server's --------------------------------------------------------- */
  function offer(entry, taken) {
    const box = document.querySelector("[data-draft-offers]");
    const line = document.createElement("li");
    line.className = "draft-line";
    line.dataset.local = entry.key;
    const words = document.createElement("span");
    words.textContent = say(texts.local, { at: clock(entry.at) });
    const buttons = document.createElement("div");
    buttons.className = "line";
    const go = document.createElement(taken ? "button" : "a");
    go.className = "btn btn-sm btn-primary";
    go.textContent = texts.resume;
    if (taken) { go.type = "button"; go.addEventListener("click", () => { line.remove(); box.hidden = !box.querySelector("li"); taken(entry); }); } else go.href = entry.path;
    const drop = document.createElement("button");
    drop.type = "button";
    drop.className = "btn btn-sm btn-secondary";
    drop.textContent = texts.drop;
    drop.addEventListener("click", () => { dropFromPhone(entry.key); line.remove(); box.hidden = !box.querySelector("li"); });
    buttons.append(go, drop);
    line.append(words, buttons);
    box.querySelector("ul").prepend(line);
    box.hidden = false;
  }

  if (!card) {
    identify().then(async () => (await onPhone()).forEach((entry) => offer(entry)));
    return;
  }

  /* --- the form ----------------------------------------------------------------------------------------------------- */
  const { form } = card;
  const bar = form.querySelector("[data-saved-state]");
  const keyField = form.querySelector("input[name=client_key]");
  const SOON = 2000, LATEST = 8000, AGAIN = 15_000;
  const writer = uuid();
  let seen = start.revision;
  let typed = 0, onServer = 0, stored = 0; /* counts of changes: made, received by the server, on this phone */
  let sequence = 0, sending = null, timer = 0, waitingSince = 0, submitted = false, putting = Promise.resolve();

  function tell(text, look, link) {
    bar.className = `saved-state${look ? ` is-${look}` : ""}`;
    bar.textContent = text;
    if (!link) return;
    const login_ = document.createElement("a");
    login_.href = `${login}?next=${encodeURIComponent(home.dataset.drafts)}`;
    login_.target = "_blank";
    login_.rel = "noopener";
    login_.textContent = texts.login;
    bar.append(" ", login_);
  }

  const entry = () => ({ path: location.pathname + location.search, writer, sequence, seen, controls: card.read() });

  function keepOnPhone() {
    putting = putting.then(async () => {
      const now = typed;
      if (now <= onServer || now <= stored) return;
      if (await putOnPhone(keyField.value, entry())) stored = now;
      if (onServer >= typed) dropFromPhone(keyField.value);
    });
    return putting;
  }

  function later(wait) {
    clearTimeout(timer);
    waitingSince = waitingSince || Date.now();
    timer = setTimeout(send, Math.max(0, Math.min(wait, waitingSince + LATEST - Date.now())));
  }

  form.addEventListener("card:changed", () => {
    typed += 1;
    sequence += 1;
    if (!bar.dataset.trouble) tell(texts.typed, "waiting");
    keepOnPhone();
    later(SOON);
  });

  async function body() {
    const within = (name) => (form.elements[name] && form.elements[name].value) || null;
    return JSON.stringify({
      owner: start.owner, client_key: keyField.value, writer, sequence, seen, household: start.household, base_version: start.household ? within("version") : null,
      village: card.value("village_code") || within("village_code"), year: card.year() || null, content: card.read(),
    });
  }

  /* The bar while something stands in the way; a try again comes by itself. */
  async function trouble(kind) {
    await keepOnPhone();
    const safe = stored >= typed;
    bar.dataset.trouble = kind;
    if (kind === "offline") tell(safe ? texts.offline : texts.nowhere, safe ? "waiting" : "failed");
    else if (kind === "login") tell(safe ? texts.loggedOut : texts.loggedOutNowhere, "failed", true);
    else if (kind === "other") tell(texts.otherPerson, "failed", true);
    else tell(texts.refused, "failed");
    waitingSince = 0;
    clearTimeout(timer);
    timer = setTimeout(send, AGAIN);
    return kind;
  }

  function send(options = {}) {
    if (sending) return sending.then(() => (typed > onServer && !bar.dataset.trouble ? send(options) : sentState()));
    sending = sendOnce(options).finally(() => { sending = null; if (typed > onServer && !bar.dataset.trouble && !submitted) later(SOON); });
    return sending;
  }
  const sentState = () => bar.dataset.trouble || "kept";

  async function sendOnce({ keepalive = false } = {}) {
    clearTimeout(timer);
    waitingSince = 0;
    if (typed <= onServer) return "kept";
    const now = typed;
    if (!bar.dataset.trouble) tell(texts.sending, "waiting");
    let answer;
    try {
      answer = await ask(home.dataset.keep, {
        method: "POST", keepalive, body: await body(),
        headers: { "Content-Type": "application/json", "X-CSRFToken": form.querySelector("[name=csrfmiddlewaretoken]").value },
      });
    } catch { return trouble("offline"); }
    if (answer.type === "opaqueredirect") return trouble("login");
    if (answer.status === 403) { /* another login changed the token, or another person is signed in */
      const state = await identify();
      if (state !== "here" || bar.dataset.trouble === "token") return trouble(state === "here" ? "refused" : state);
      bar.dataset.trouble = "token";
      return sendOnce({ keepalive });
    }
    const said = await answer.json().catch(() => ({}));
    if (answer.status === 409) return fork();
    if (said.state === "draft_too_large") { delete bar.dataset.trouble; onServer = now; tell(texts.tooLarge, "failed"); return "kept"; }
    if (!answer.ok) return trouble("refused");
    delete bar.dataset.trouble;
    onServer = now;
    if (said.state === "card_saved") { dropFromPhone(keyField.value); tell(texts.saved, "saved"); return "kept"; }
    seen = said.revision;
    if (typed === now) { tell(say(texts.kept, { at: said.at }), "saved"); dropFromPhone(keyField.value); }
    const here = new URL(location.href); /* a reload takes this draft up again */
    here.searchParams.set("draft", said.id);
    history.replaceState(history.state, "", here);
    return "kept";
  }

  /* The same draft was kept from another page: this page's content becomes a draft of its own, so that both stay. */
  function fork() {
    dropFromPhone(keyField.value);
    keyField.value = uuid();
    seen = 0;
    stored = 0;
    typed += 1;
    window.changde.toast({ text: texts.forked, level: "warning" });
    return sendOnce();
  }

  function takeUp(local) {
    const known = start.known.find((each) => each.key === local.key);
    seen = known && known.writer === local.writer ? known.revision : local.seen;
    card.fill(local.controls);
    keyField.value = local.key;
    typed += 1;
    sequence += 1;
    stored = typed;
    tell(say(texts.resumedLocal, { at: clock(local.at) }), "waiting");
    later(SOON);
  }

  async function begin() {
    if (start.controls) {
      card.fill(start.controls);
      tell(say(texts.resumed, { at: start.at }), "saved");
    }
    const state = await identify();
    if (state === "login" || state === "other") { trouble(state); return; }
    const here = location.pathname;
    const year = (path) => new URL(path, location.href).searchParams.get("year") || "";
    for (const local of await onPhone()) {
      const known = start.known.find((each) => each.key === local.key);
      if (known && known.writer === local.writer && known.sequence >= local.sequence) { dropFromPhone(local.key); continue; }
      const [path] = local.path.split("?");
      if (path !== here || (start.household && year(local.path) !== year(location.href))) continue;
      if (local.key === keyField.value && typed === 0) takeUp(local);
      else if (local.key !== keyField.value) offer(local, takeUp);
    }
    if (form.hasAttribute("data-dirty")) { typed += 1; sequence += 1; keepOnPhone(); later(SOON); }
    else if (typed > onServer) keepOnPhone();
  }

  /* Something came back: the net, the person from the login page. */
  async function recover() {
    if (!bar.dataset.trouble || sending) return;
    const state = await identify();
    if (state !== "here") { if (state !== bar.dataset.trouble) trouble(state); return; }
    delete bar.dataset.trouble;
    if (typed > onServer) send(); else tell("", "");
  }
  window.addEventListener("online", recover);
  window.addEventListener("offline", () => { if (typed > onServer) trouble("offline"); });
  window.addEventListener("focus", recover);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") recover();
    else if (typed > onServer && !submitted) { keepOnPhone(); send({ keepalive: true }); }
  });
  window.addEventListener("pagehide", () => { if (typed > onServer && !submitted) send({ keepalive: true }); });
  window.addEventListener("pageshow", (event) => { if (event.persisted) { submitted = false; recover(); } });
  /* Leaving is asked about only when the content would be lost with the page. */
  window.addEventListener("beforeunload", (event) => { if (!submitted && typed > onServer && stored < typed) event.preventDefault(); });

  /* Saving the card: first everything is on the server as a draft, so that nothing is lost on the way. */
  form.addEventListener("submit", async (event) => {
    if (submitted) return;
    event.preventDefault();
    const pressed = event.submitter;
    if (pressed && pressed.classList.contains("is-busy")) return;
    if (pressed) { pressed.classList.add("is-busy"); pressed.setAttribute("aria-busy", "true"); }
    const state = typed > onServer || sending ? await send() : await identify();
    if (pressed) { pressed.classList.remove("is-busy"); pressed.removeAttribute("aria-busy"); }
    if (["offline", "login", "other"].includes(state)) {
      await trouble(state);
      window.changde.toast({ text: say(texts.notSent, { why: bar.firstChild.textContent }), level: "error" });
      return;
    }
    submitted = true;
    form.requestSubmit(pressed || undefined);
  });

  begin();
})();
