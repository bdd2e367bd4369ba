/* The form of a whole card: member rows, what an ID number says, income while typing, state of the sections.
   Money is counted in whole fen; the server works everything out again. Drafts: card-draft.js. */
(function () {
  "use strict";
  const form = document.querySelector("[data-card-form]");
  if (!form) return;
  const texts = JSON.parse(document.querySelector(form.dataset.texts).textContent);
  const lines = JSON.parse(document.querySelector(form.dataset.lines).textContent);
  const { read, ageIn, readCertificate } = window.changde.idNumber;
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

  function addRow() {
    const at = Number(total.value);
    if (at >= most) return null;
    const holder = document.createElement("div");
    holder.innerHTML = blank.innerHTML.replaceAll("__prefix__", at);
    const row = holder.firstElementChild;
    box.append(row);
    total.value = at + 1;
    return row;
  }

  form.querySelector("[data-add-member]").addEventListener("click", () => {
    const row = addRow();
    if (!row) return;
    row.open = true;
    form.dispatchEvent(new CustomEvent("card:row", { detail: row }));
    refreshMember(row);
    row.querySelector("input:not([type=hidden])").focus();
    row.scrollIntoView({ block: "start" });
    changed();
  });

  /* Rows are posted by number: after a move every row takes the number of its place. */
  function renumber() {
    rows().forEach((row, at) => {
      row.querySelectorAll("[name], [id], [for], [aria-describedby], [aria-controls]").forEach((one) => {
        ["name", "id", "for", "aria-describedby", "aria-controls"].forEach((attribute) => {
          const old = one.getAttribute(attribute);
          if (old && /members-\d+-/.test(old)) one.setAttribute(attribute, old.replace(/members-\d+-/g, `members-!${at}-`));
        });
      });
    });
    /* in two steps: two radios that share a name for a moment would unset one another */
    box.querySelectorAll("[name*='members-!'], [id*='members-!'], [for*='members-!'], [aria-describedby*='members-!'], [aria-controls*='members-!']").forEach((one) => {
      ["name", "id", "for", "aria-describedby", "aria-controls"].forEach((attribute) => {
        const old = one.getAttribute(attribute);
        if (old) one.setAttribute(attribute, old.replaceAll("members-!", "members-"));
      });
    });
    form.querySelector("input[name='members-INITIAL_FORMS']").value = 0;
  }

  function move(row, by) {
    const all = rows();
    const other = all[all.indexOf(row) + by];
    if (!other) return;
    if (by < 0) other.before(row); else other.after(row);
    renumber();
    changed();
  }

  box.addEventListener("click", (event) => {
    const pressed = event.target.closest("[data-member-tool]");
    if (!pressed) return;
    const row = pressed.closest("[data-member]");
    const tool = pressed.dataset.memberTool;
    if (tool === "up" || tool === "down") {
      move(row, tool === "up" ? -1 : 1);
      (pressed.disabled ? row.querySelector("summary") : pressed).focus();
      return;
    }
    const gone = row.querySelector("input[name$='-DELETE']");
    gone.checked = tool === "remove";
    changed();
    row.querySelector(tool === "remove" ? "[data-member-tool='keep']" : "summary").focus();
  });

  function choose(name, within, wanted) {
    const list = within.querySelector(`select[data-attribute="${name}"]`);
    if (list) { list.value = wanted; list.dispatchEvent(new Event("change", { bubbles: true })); return; }
    const radio = [...within.querySelectorAll(`[data-attribute="${name}"]`)].find((control) => control.value === wanted);
    if (radio && !radio.checked) { radio.checked = true; radio.dispatchEvent(new Event("change", { bubbles: true })); }
  }

  function verdictOf(input, mark = "idVerdict") {
    let note = input.nextElementSibling;
    if (!note || !(mark in note.dataset)) {
      note = document.createElement("div");
      note.dataset[mark] = "";
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
      note.textContent = say(texts.idOk, { sex: said.sex, birth: said.birth, age: year() ? ageIn(year(), said.birth) : "—" }) + (said.old ? say(texts.idOld, { number: said.number }) : "");
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

  /* The certificate holds the ID number and the grade: both are checked at once, the grade need not be typed again. */
  function refreshCertificate(row, fills) {
    const input = field("disability_certificate", row);
    const note = verdictOf(input, "certificateVerdict");
    note.className = "field-verdict";
    note.textContent = "";
    if (!input.value.trim() || input.value.includes("*")) return;
    const said = readCertificate(input.value);
    const own = read(value("id_number", row)).number;
    if (said.state === "ok" && (!own || own === said.id)) {
      note.classList.add("is-good");
      note.textContent = say(texts.certificateOk, { grade: said.grade });
      const grade = field("disability_grade", row);
      if (fills && !grade.value) { grade.value = said.grade; grade.dispatchEvent(new Event("change", { bubbles: true })); }
      if (fills) {
        const disabled = controls("health", row).find((control) => control.value === "残疾");
        if (disabled && !disabled.checked) { disabled.checked = true; disabled.dispatchEvent(new Event("change", { bubbles: true })); }
      }
    } else if (said.state === "ok") {
      note.classList.add("is-bad");
      note.textContent = texts.certificateOther;
    } else if (!fills || document.activeElement !== input) {
      note.classList.add("is-bad");
      note.textContent = texts.certificateWrong;
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
    const at = rows().indexOf(row);
    row.querySelector("[data-member-tool='up']").disabled = at === 0;
    row.querySelector("[data-member-tool='down']").disabled = at === rows().length - 1;
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

  /* --- sections: empty, so many of so many, complete, or something to look at ------------------------------- */
  const optional = (control) => { if ("optional" in control.dataset) return true; const around = control.closest(".field"); return Boolean(around && around.querySelector(".field-optional")); };

  function refreshSections() {
    form.querySelectorAll("[data-section]").forEach((section) => {
      const link = document.querySelector(`.section-nav a[href="#${section.id}"]`);
      if (!link || link.querySelector(".state-error")) return;
      const names = new Map();
      const isSet = (control) => (["radio", "checkbox"].includes(control.type) ? control.checked && control.value !== "" : control.value.trim() !== "");
      const own = [...section.querySelectorAll("[data-attribute]")].filter((control) => {
        const row = control.closest("[data-member]");
        return control.type !== "hidden" && !(row && (isGone(row) || !isFilled(row)));
      });
      own.filter((control) => !optional(control)).forEach((control) => names.set(control.name, names.get(control.name) || isSet(control)));
      if (!names.size) names.set("", own.some(isSet)); /* nothing that must be filled: anything makes it complete */
      const done = [...names.values()].filter(Boolean).length;
      const asked = new Set([...section.querySelectorAll("[data-still]")].map((control) => control.name));
      section.querySelectorAll("[data-still]:checked").forEach((control) => asked.delete(control.name));
      const notes = section.querySelectorAll("[data-note]").length + asked.size;
      let state = link.querySelector(".state");
      if (!state) { state = document.createElement("span"); state.className = "state"; link.append(state); }
      const complete = done === names.size;
      state.classList.toggle("state-done", complete && !notes);
      state.classList.toggle("state-warning", notes > 0);
      const shown = done === 0 ? texts.sectionEmpty : complete ? "✓" : `${done}/${names.size}`;
      state.textContent = notes ? `${shown} ⚠${notes}` : shown;
      const said = [done === 0 ? texts.sectionEmpty : complete ? texts.sectionComplete : say(texts.filled, { done, all: names.size })];
      if (notes) said.push(say(texts.sectionNotes, { count: notes }));
      state.title = said.join("，");
      link.setAttribute("aria-label", [link.firstChild.textContent.trim(), ...said].join("，"));
    });
  }

  /* Alt+PageDown and Alt+PageUp walk the sections from anywhere in the form. */
  document.addEventListener("keydown", (event) => {
    if (!event.altKey || event.ctrlKey || event.metaKey || !["PageDown", "PageUp"].includes(event.key)) return;
    event.preventDefault();
    const sections = [...form.querySelectorAll("[data-section]")];
    const own = document.activeElement.closest("[data-section]");
    const from = own ? sections.indexOf(own) : -1;
    const next = sections[event.key === "PageDown" ? Math.min(sections.length - 1, from + 1) : Math.max(0, from - 1)];
    const title = next.querySelector("h2");
    title.tabIndex = -1;
    title.focus();
    next.scrollIntoView({ block: "start" });
  });

  /* --- together --------------------------------------------------------------------------------------------- */
  function changed() {
    refresh();
    form.dispatchEvent(new CustomEvent("card:changed"));
  }
  function refresh() {
    rows().forEach(refreshMember);
    refreshIncome();
    form.dispatchEvent(new CustomEvent("card:refresh"));
    refreshSections();
  }
  form.addEventListener("input", (event) => {
    const row = event.target.closest("[data-member]");
    if (row && event.target.matches("[data-attribute='id_number']")) refreshNumber(row, true);
    if (row && event.target.matches("[data-attribute='disability_certificate']")) refreshCertificate(row, true);
    changed();
  });
  form.addEventListener("change", (event) => {
    const row = event.target.closest("[data-member]");
    if (row && event.target.matches("[data-attribute='id_number']")) refreshNumber(row, true);
    if (row && event.target.matches("[data-attribute='disability_certificate']")) refreshCertificate(row, true);
    changed();
  });
  form.addEventListener("focusout", (event) => {
    const row = event.target.closest("[data-member]");
    if (row && event.target.matches("[data-attribute='id_number']")) refreshNumber(row, false);
    if (row && event.target.matches("[data-attribute='disability_certificate']")) refreshCertificate(row, false);
  });
  form.addEventListener("focusin", (event) => {
    if (event.target.matches("input[type=text]") && event.target.value.includes("*")) event.target.select();
  });
  /* a link of the error summary into a folded member opens it */
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    const target = link && document.getElementById(link.hash.slice(1));
    const folded = target && target.closest("details.member");
    if (folded) folded.open = true;
  });

  /* --- what stands in the form, and back ---------------------------------------------------------------------- */
  const plain = (control) => control.name && control.name !== "csrfmiddlewaretoken" && !["submit", "button", "file"].includes(control.type);

  /* [[name, value], ...] of every control that holds something. */
  function readControls() {
    return [...form.elements].filter(plain).flatMap((control) => {
      if (["radio", "checkbox"].includes(control.type) && !control.checked) return [];
      return control.value === "" ? [] : [[control.name, control.value]];
    });
  }

  /* The form as it was when the controls were read; what they do not name is empty. */
  function fill(pairs) {
    const given = new Map();
    pairs.forEach(([name, value]) => given.set(name, [...(given.get(name) || []), value]));
    const wanted = Math.min(most, Number((given.get("members-TOTAL_FORMS") || [rows().length])[0]));
    rows().slice(wanted).forEach((row) => row.remove());
    total.value = rows().length;
    while (Number(total.value) < wanted) form.dispatchEvent(new CustomEvent("card:row", { detail: addRow() }));
    form.dispatchEvent(new CustomEvent("card:fill", { detail: given }));
    const strange = given.has("needs-base") ? "\n" : "needs-"; /* a draft that knows nothing of needs leaves them as they stand */
    [...form.elements].filter(plain).filter((control) => !control.name.startsWith(strange)).forEach((control) => {
      const values = given.get(control.name) || [];
      if (control.type === "checkbox") control.checked = values.includes(control.value);
      else if (control.type === "radio") control.checked = values.length ? values.includes(control.value) : control.value === "";
      else control.value = values.length ? values[0] : "";
    });
    form.dispatchEvent(new CustomEvent("card:filled"));
    rows().forEach((row) => { refreshNumber(row, false); refreshCertificate(row, false); row.open = !isFilled(row); });
    refresh();
  }

  Object.assign(window.changde, { cardForm: { form, say, value, field, rows, isGone, isFilled, year, refresh, changed, fill, read: readControls, texts } });
  rows().forEach((row) => { refreshNumber(row, false); refreshCertificate(row, false); });
  refresh();
})();
