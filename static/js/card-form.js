/* The form of a whole card: member rows, what an ID number says, income while typing, state of the sections, unsaved changes.
   Money is counted in whole fen. Nothing typed is stored in the browser; the server works everything out again. */
(function () {
  "use strict";
  const form = document.querySelector("[data-card-form]");
  if (!form) return;
  const texts = JSON.parse(document.querySelector(form.dataset.texts).textContent);
  const lines = JSON.parse(document.querySelector(form.dataset.lines).textContent);
  const { read, ageIn } = window.changde.idNumber;
  const { fen, perHead, yuan } = window.changde.money;
  const TRANSFERS = ["family_planning", "dibao", "wubao", "pension", "ecological_compensation", "other_transfer"];
  const PARTS = ["wage_income", "business_income", "property_income", ...TRANSFERS, "production_expenses"];

  const say = (text, values = {}) => Object.entries(values).reduce((said, [name, value]) => said.replace(`%(${name})s`, value), text);
  /* Controls of a field: of a member's row, or of the household itself (both have a dibao). */
  const controls = (name, within = form) => [...within.querySelectorAll(`[data-attribute="${name}"]`)]
    .filter((control) => within !== form || !control.closest("[data-member]"));
  const field = (name, within = form) => controls(name, within)[0] || within.querySelector(`input[name="${name}"]`);
  const value = (name, within = form) => {
    const found = controls(name, within);
    if (found.length && found[0].type === "radio") return (found.find((control) => control.checked) || { value: "" }).value;
    const own = found[0] || within.querySelector(`input[name="${name}"]`);
    return own ? own.value.trim() : "";
  };
  const year = () => Number(value("year")) || 0;

  /* --- members ------------------------------------------------------------------------------------------ */
  const box = form.querySelector("[data-members]");
  const blank = document.getElementById("member-blank");
  const total = form.querySelector("input[name='members-TOTAL_FORMS']");
  const most = Number(form.querySelector("input[name='members-MAX_NUM_FORMS']").value);

  const rows = () => [...box.querySelectorAll("[data-member]")];
  const isGone = (row) => { const gone = row.querySelector("input[name$='-DELETE']"); return Boolean(gone && gone.checked); };
  const isFilled = (row) => Boolean(value("name", row) || value("id_number", row));

  form.querySelector("[data-add-member]").addEventListener("click", () => {
    const at = Number(total.value);
    if (at >= most) return;
    const holder = document.createElement("div");
    holder.innerHTML = blank.innerHTML.replaceAll("__prefix__", at);
    const row = holder.firstElementChild;
    box.append(row);
    total.value = at + 1;
    row.open = true;
    refreshMember(row);
    row.querySelector("input:not([type=hidden])").focus();
    row.scrollIntoView({ block: "start" });
    changed();
  });

  function choose(name, within, wanted) {
    const radio = [...within.querySelectorAll(`[data-attribute="${name}"]`)].find((control) => control.value === wanted);
    if (radio && !radio.checked) { radio.checked = true; radio.dispatchEvent(new Event("change", { bubbles: true })); }
  }

  function verdictOf(input) {
    let note = input.parentElement.querySelector("[data-id-verdict]");
    if (!note) {
      note = document.createElement("div");
      note.dataset.idVerdict = "";
      note.setAttribute("role", "status");
      input.insertAdjacentElement("afterend", note);
    }
    return note;
  }

  function refreshNumber(row, fills) {
    const input = field("id_number", row);
    const note = verdictOf(input);
    note.className = "field-verdict";
    note.textContent = "";
    if (!input.value.trim() || input.value.includes("*")) return;
    const said = read(input.value);
    const twice = rows().some((other) => other !== row && !isGone(other) && value("id_number", other) && read(value("id_number", other)).number === said.number && said.number);
    if (said.state === "ok" && !twice) {
      if (fills) {
        const birth = field("birth_date", row);
        if (birth.value !== said.birth) { birth.value = said.birth; }
        choose("sex", row, said.sex);
        const kind = field("id_kind", row);
        if (!value("id_kind", row) && kind) choose("id_kind", row, "居民身份证");
      }
      note.classList.add("is-good");
      note.textContent = say(texts.idOk, { sex: said.sex, birth: said.birth, age: year() ? ageIn(year(), said.birth) : "—" });
    } else if (twice) {
      note.classList.add("is-bad");
      note.textContent = texts.idTwice;
    } else if (said.state === "wrong") {
      note.classList.add("is-bad");
      note.textContent = texts.idWrong;
    } else if (said.state === "length" && (!fills || document.activeElement !== input)) {
      note.classList.add("is-bad");
      note.textContent = say(texts.idLength, { length: said.length });
    }
  }

  function refreshMember(row) {
    const name = value("name", row) || say(texts.member, { number: rows().indexOf(row) + 1 });
    row.querySelector("[data-member-name]").textContent = name;
    const birth = value("birth_date", row);
    const relation = row.querySelector("select[data-attribute='relation']");
    const facts = [relation && relation.value ? relation.selectedOptions[0].textContent : ""];
    if (/^\d{4}-\d{2}-\d{2}$/.test(birth) && year()) facts.push(say(texts.age, { age: ageIn(year(), birth) }));
    if (isGone(row)) facts.push(texts.removed);
    row.classList.toggle("is-gone", isGone(row));
    row.querySelector("[data-member-sub]").textContent = facts.filter(Boolean).join(" · ");
  }

  /* --- income ------------------------------------------------------------------------------------------- */
  const live = document.querySelector("[data-live]");
  const short = form.querySelector("[data-live-short]");

  function refreshIncome() {
    const figures = Object.fromEntries(PARTS.map((name) => [name, fen(value(name))]));
    const missing = PARTS.filter((name) => figures[name] === null || figures[name] === undefined);
    const counted = rows().filter((row) => isFilled(row) && !isGone(row) && value("counts", row) !== "否" && value("soldier", row) !== "是").length;
    const sum = (names) => names.reduce((all, name) => all + (figures[name] || 0), 0);
    const knowsTransfer = TRANSFERS.every((name) => !missing.includes(name));
    const show = (mark, text) => { live.querySelector(mark).textContent = text; };
    show("[data-live-counted]", counted);
    show("[data-live-transfer]", knowsTransfer ? yuan(sum(TRANSFERS)) : "—");
    const verdict = live.querySelector("[data-live-verdict]");
    verdict.className = "mb-1";
    let head = "—";
    if (missing.length) {
      verdict.textContent = say(texts.missing, { count: missing.length });
      show("[data-live-net]", "—");
    } else {
      const net = sum(PARTS.slice(0, -1)) - figures.production_expenses;
      show("[data-live-net]", yuan(net));
      if (!counted) {
        verdict.textContent = texts.nobody;
      } else {
        head = yuan(perHead(net, counted));
        const line = lines[year()];
        if (!line) {
          verdict.textContent = say(texts.noLine, { year: year() || "—" });
        } else {
          const gap = net - fen(line) * counted;
          verdict.classList.add(gap < 0 ? "is-bad" : "is-good");
          verdict.textContent = say(gap < 0 ? texts.below : texts.above, { year: year(), line: yuan(fen(line)), gap: yuan(perHead(Math.abs(gap), counted)) });
        }
      }
    }
    show("[data-live-value]", head);
    short.hidden = head === "—";
    short.textContent = head === "—" ? "" : `${live.closest("section").querySelector("h2").textContent} ${head}`;
    zero.hidden = !missing.some((name) => figures[name] === null) && value("medical_cost") !== "";
  }

  const zero = form.querySelector("[data-fill-zero]");
  zero.addEventListener("click", () => {
    [...PARTS, "medical_cost"].forEach((name) => { const own = field(name); if (own && !own.value.trim()) own.value = "0"; });
    changed();
  });

  /* --- sections ----------------------------------------------------------------------------------------- */
  const optional = (control) => { const around = control.closest(".field"); return Boolean(around && around.querySelector(".field-optional")); };

  function refreshSections() {
    form.querySelectorAll("[data-section]").forEach((section) => {
      const link = document.querySelector(`.section-nav a[href="#${section.id}"]`);
      if (!link || link.querySelector(".state-error")) return;
      const names = new Map();
      section.querySelectorAll("[data-attribute]").forEach((control) => {
        const row = control.closest("[data-member]");
        if (control.type === "hidden" || optional(control) || (row && (isGone(row) || !isFilled(row)))) return;
        const filled = ["radio", "checkbox"].includes(control.type) ? control.checked && control.value !== "" : control.value.trim() !== "";
        names.set(control.name, names.get(control.name) || filled);
      });
      const done = [...names.values()].filter(Boolean).length;
      let state = link.querySelector(".state");
      if (!state) { state = document.createElement("span"); state.className = "state"; link.append(state); }
      state.classList.toggle("state-done", names.size > 0 && done === names.size);
      state.textContent = names.size ? `${done}/${names.size}` : "";
      state.title = say(texts.filled, { done, all: names.size });
    });
  }

  /* --- unsaved changes ------------------------------------------------------------------------------------ */
  const saved = form.querySelector("[data-saved-state]");
  let dirty = form.hasAttribute("data-dirty");

  function changed() {
    dirty = true;
    refresh();
  }
  function refresh() {
    rows().forEach(refreshMember);
    refreshIncome();
    refreshSections();
    if (dirty) { saved.textContent = texts.unsaved; saved.classList.add("is-waiting"); }
  }
  form.addEventListener("input", (event) => {
    const row = event.target.closest("[data-member]");
    if (row && event.target.matches("[data-attribute='id_number']")) refreshNumber(row, true);
    changed();
  });
  form.addEventListener("change", (event) => {
    const row = event.target.closest("[data-member]");
    if (row && event.target.matches("[data-attribute='id_number']")) refreshNumber(row, true);
    changed();
  });
  form.addEventListener("focusout", (event) => {
    const row = event.target.closest("[data-member]");
    if (row && event.target.matches("[data-attribute='id_number']")) refreshNumber(row, false);
  });
  form.addEventListener("focusin", (event) => {
    if (event.target.matches("input[type=text]") && event.target.value.includes("*")) event.target.select();
  });
  form.addEventListener("submit", () => { dirty = false; });
  window.addEventListener("beforeunload", (event) => { if (dirty) event.preventDefault(); });
  /* a link of the error summary into a folded member opens it */
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    const target = link && document.getElementById(link.hash.slice(1));
    const folded = target && target.closest("details.member");
    if (folded) folded.open = true;
  });

  rows().forEach((row) => refreshNumber(row, false));
  refresh();
})();
