/* What every page needs beside htmx: toasts, keys, menus, rows that open, selections, buttons that show they were pressed.
   Every page works without it; nothing here writes inline styles or runs text. */
(function () {
  "use strict";

  const body = document.body;
  const textNode = document.getElementById("texts");
  const texts = textNode ? JSON.parse(textNode.textContent) : {};

  /* --- toasts ------------------------------------------------------------------------------------------ */
  const QUIET_AFTER = { success: 6000, info: 6000, debug: 6000 };

  function toast({ text, level = "info", undo = "", undoLabel = "" }) {
    const box = document.getElementById("toasts");
    if (!box || !text) return;
    const note = document.createElement("div");
    note.className = `notice notice-${level}`;
    if (level === "error") note.setAttribute("role", "alert");
    const words = document.createElement("div");
    words.textContent = text;
    note.append(words);
    if (undo) note.append(button("btn btn-sm btn-secondary", undoLabel || texts.undo, () => post(undo)));
    note.append(button("btn btn-sm btn-quiet", texts.close || "×", () => note.remove()));
    box.append(note);
    if (QUIET_AFTER[level]) {
      let timer = setTimeout(() => note.remove(), undo ? 12000 : QUIET_AFTER[level]);
      note.addEventListener("pointerenter", () => clearTimeout(timer));
      note.addEventListener("pointerleave", () => { timer = setTimeout(() => note.remove(), 3000); });
    }
  }

  function button(classes, label, pressed) {
    const made = document.createElement("button");
    made.type = "button";
    made.className = classes;
    made.textContent = label;
    made.addEventListener("click", pressed);
    return made;
  }

  function post(url) {
    const form = document.createElement("form");
    form.method = "post";
    form.action = url;
    const token = document.createElement("input");
    token.type = "hidden";
    token.name = "csrfmiddlewaretoken";
    token.value = JSON.parse(body.getAttribute("hx-headers") || "{}")["X-CSRFToken"] || "";
    form.append(token);
    body.append(form);
    form.submit();
  }

  body.addEventListener("toasts", (event) => (event.detail.toasts || []).forEach(toast));

  /* --- htmx: what a refusal says, and a session that ended ---------------------------------------------- */
  const SAYS = { 401: "forbidden", 403: "forbidden", 404: "missing", 429: "busy" };

  body.addEventListener("htmx:responseError", (event) => {
    toast({ text: texts[SAYS[event.detail.xhr.status]] || texts.failed, level: "error" });
  });
  body.addEventListener("htmx:sendError", () => toast({ text: texts.offline, level: "error" }));
  body.addEventListener("htmx:beforeSwap", (event) => {
    const login = body.dataset.login;
    const answered = event.detail.xhr.responseURL;
    if (login && answered && new URL(answered).pathname === login) {
      event.detail.shouldSwap = false;
      location.assign(`${login}?next=${encodeURIComponent(location.pathname + location.search)}`);
    }
  });
  body.addEventListener("htmx:afterSettle", (event) => {
    const came = event.detail.elt;
    const target = came.matches && came.matches("[data-focus]") ? came : came.querySelector && came.querySelector("[data-focus]");
    if (target) target.focus();
    refreshSelection();
  });

  /* --- a pressed button shows it at once, and is pressed once ------------------------------------------- */
  document.addEventListener("submit", (event) => {
    if (event.defaultPrevented || event.target.hasAttribute("data-again")) return;
    const pressed = event.submitter;
    if (event.target.dataset.sent) { event.preventDefault(); return; }
    if ((event.target.method || "").toLowerCase() !== "post") return;
    event.target.dataset.sent = "yes";
    if (pressed) { pressed.classList.add("is-busy"); pressed.setAttribute("aria-busy", "true"); }
  });
  window.addEventListener("pageshow", () => {
    document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent);
    document.querySelectorAll(".is-busy").forEach((one) => { one.classList.remove("is-busy"); one.removeAttribute("aria-busy"); });
  });

  /* --- menus: one open at a time, closed by Escape and by a click elsewhere; content loaded when opened --- */
  document.addEventListener("toggle", (event) => {
    const menu = event.target;
    if (!menu.matches || !menu.matches("details.menu") || !menu.open) return;
    document.querySelectorAll("details.menu[open]").forEach((other) => { if (other !== menu) other.open = false; });
    const loads = menu.dataset.loads && document.querySelector(menu.dataset.loads);
    if (loads && window.htmx) window.htmx.trigger(loads, "open-menu");
  }, true);
  document.addEventListener("click", (event) => {
    document.querySelectorAll("details.menu[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
    const row = event.target.closest("tr[data-href]");
    if (row && !event.target.closest("a, button, input, label, select, textarea, summary") && !String(getSelection())) {
      if (event.ctrlKey || event.metaKey) window.open(row.dataset.href, "_blank", "noopener");
      else location.assign(row.dataset.href);
    }
    if (event.target.closest("[data-print]")) window.print();
  });

  /* --- keys: / searches, J and K walk a list, X ticks, Enter opens, [data-key] buttons answer their letter --- */
  function typing(target) {
    return target.isContentEditable || (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) && !target.matches("input[data-select], input[data-select-all]"));
  }

  function walked() {
    return [...document.querySelectorAll("[data-list] a[data-item], .queue a, .data-table tbody tr[data-href]")]
      .filter((item) => item.offsetParent !== null);
  }

  /* which of them has the focus, itself or its box; else the current one */
  function placeIn(items) {
    const focused = document.activeElement;
    const row = focused.closest(".queue > li");
    const tests = [
      (item) => item === focused || item.contains(focused),
      (item) => row !== null && row.contains(item),
      (item) => item.hasAttribute("aria-current") || item.classList.contains("is-current"),
    ];
    return tests.map((test) => items.findIndex(test)).find((at) => at >= 0) ?? -1;
  }

  function tick() {
    const items = walked();
    const item = items[placeIn(items)];
    const box = item && (item.closest("li, tr") || item).querySelector("input[data-select]");
    if (box) box.click();
    return Boolean(box);
  }

  function walk(step) {
    const items = walked();
    if (!items.length) return;
    const from = placeIn(items);
    const next = items[Math.min(items.length - 1, Math.max(0, from + step))];
    const focusable = next.matches("a") ? next : next.querySelector("a") || next;
    document.querySelectorAll("tr.is-current").forEach((row) => row.classList.remove("is-current"));
    if (next.matches("tr")) next.classList.add("is-current");
    focusable.focus();
    next.scrollIntoView({ block: "nearest" });
    if (next.matches("[data-open-on-walk]")) next.click();
  }

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      const menu = document.querySelector("details.menu[open]");
      if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typing(event.target)) return;
    const key = event.key.toLowerCase();
    if (key === "/") {
      const search = document.querySelector("[data-search]");
      if (search) { event.preventDefault(); search.focus(); search.select(); }
    } else if (key === "j" || key === "k") {
      event.preventDefault();
      walk(key === "j" ? 1 : -1);
    } else if (key === "x" && tick()) {
      event.preventDefault();
    } else if (/^[a-z]$/.test(key)) {
      const answer = [...document.querySelectorAll(`[data-key="${key}"]`)].find((one) => one.offsetParent !== null && !one.disabled);
      if (answer) { event.preventDefault(); if (answer.matches("textarea, input:not([type=submit])")) answer.focus(); else answer.click(); }
    }
  });

  /* --- selections: the bar appears with the first ticked row ------------------------------------------------ */
  function refreshSelection() {
    document.querySelectorAll("[data-with-script]").forEach((one) => { one.hidden = false; });
    document.querySelectorAll("[data-selection]").forEach((bar) => {
      const ticked = document.querySelectorAll("input[data-select]:checked").length;
      bar.hidden = ticked === 0;
      const words = bar.querySelector("[data-selection-count]");
      if (words) words.textContent = (texts.selected || "%(count)s").replace("%(count)s", ticked);
    });
  }
  document.addEventListener("change", (event) => {
    const target = event.target;
    if (target.matches("input[data-select-all]")) {
      document.querySelectorAll("input[data-select]").forEach((box) => { box.checked = target.checked; });
      refreshSelection();
    } else if (target.matches("input[data-select]")) {
      refreshSelection();
    } else if (target.matches("input[data-column]")) {
      chooseColumns(target.closest("[data-columns]"));
    } else if (target.form && target.form.hasAttribute("data-autosubmit")) {
      target.form.requestSubmit();
    }
  });

  /* --- columns one can choose; the choice stays on this machine (names of columns only) ----------------------- */
  function chooseColumns(chooser) {
    const hidden = [...chooser.querySelectorAll("input[data-column]")].filter((box) => !box.checked).map((box) => box.value);
    try { localStorage.setItem(`columns:${chooser.dataset.columns}`, JSON.stringify(hidden)); } catch { /* private window */ }
    showColumns(chooser, hidden);
  }
  function showColumns(chooser, hidden) {
    chooser.querySelectorAll("input[data-column]").forEach((box) => {
      document.querySelectorAll(`[data-col="${box.value}"]`).forEach((cell) => { cell.hidden = hidden.includes(box.value); });
    });
  }
  function restoreColumns() {
    document.querySelectorAll("[data-columns]").forEach((chooser) => {
      let hidden = [];
      try { hidden = JSON.parse(localStorage.getItem(`columns:${chooser.dataset.columns}`) || "[]"); } catch { /* as given */ }
      if (!hidden.length) return;
      chooser.querySelectorAll("input[data-column]").forEach((box) => { box.checked = !hidden.includes(box.value); });
      showColumns(chooser, hidden);
    });
  }
  body.addEventListener("htmx:afterSwap", restoreColumns);

  /* --- the section of a long form that is in view ---------------------------------------------------------------- */
  function watchSections() {
    document.querySelectorAll("[data-section-nav]").forEach((nav) => {
      const links = new Map([...nav.querySelectorAll('a[href^="#"]')].map((link) => [link.hash.slice(1), link]));
      const sections = [...links.keys()].map((id) => document.getElementById(id)).filter(Boolean);
      if (sections.length < 2 || !("IntersectionObserver" in window)) return;
      const seen = new IntersectionObserver((entries) => {
        entries.filter((entry) => entry.isIntersecting).forEach((entry) => {
          links.forEach((link) => link.removeAttribute("aria-current"));
          links.get(entry.target.id).setAttribute("aria-current", "true");
        });
      }, { rootMargin: "-15% 0px -75% 0px" });
      sections.forEach((section) => seen.observe(section));
    });
  }

  /* the open one of a row of tabs that does not fit a phone */
  document.querySelectorAll(".tabs [aria-current]").forEach((tab) => {
    const row = tab.closest(".tabs");
    row.scrollLeft = tab.offsetLeft - (row.clientWidth - tab.offsetWidth) / 2;
  });

  /* without a net: a page that says what to do (templates/web/service-worker.js) */
  if (body.dataset.worker && "serviceWorker" in navigator) {
    window.addEventListener("load", () => navigator.serviceWorker.register(body.dataset.worker, { updateViaCache: "all" }).catch(() => {}));
  }

  const focusFirst = document.querySelector("[data-focus]");
  if (focusFirst) focusFirst.focus();
  restoreColumns();
  refreshSelection();
  watchSections();
  window.changde = { toast, texts };
})();
