/* The worksheet of the card form: rows come and go, a part with rows is their sum (whole fen), each row stands beside
   what the county's yearly standard expects. The form's own script works out net and per-capita income from the parts. */
(function () {
  "use strict";
  const form = document.querySelector("[data-card-form]");
  if (!form || !form.querySelector("[data-worksheet]")) return;
  const { fen, yuan, plain } = window.changde.money;
  const texts = JSON.parse(document.getElementById("line-texts").textContent);
  const standards = JSON.parse(document.getElementById("line-standards").textContent);
  const say = (text, values) => Object.entries(values).reduce((said, [name, value]) => said.replace(`%(${name})s`, value), text);

  const sheet = () => form.querySelector("[data-worksheet]");
  const total = () => form.querySelector("input[name='lines-TOTAL_FORMS']");
  const most = () => Number(form.querySelector("input[name='lines-MAX_NUM_FORMS']").value);
  const control = (row, name) => row.querySelector(`[data-line-field="${name}"]`);
  const value = (row, name) => { const own = control(row, name); return own ? own.value.trim() : ""; };
  const isGone = (row) => { const gone = control(row, "DELETE"); return Boolean(gone && gone.checked); };
  const isFilled = (row) => ["member", "item", "quantity", "months", "monthly", "amount"].some((name) => value(row, name));
  const rows = () => [...sheet().querySelectorAll("[data-line]")].filter((row) => !isGone(row));
  const standard = () => standards[(form.querySelector("[name='year']") || {}).value];

  /* Hundredths of a quantity as a BigInt: mu times fen a mu needs no fraction. */
  const hundredths = (text) => { const read = fen(text); return read ? BigInt(read) : null; };

  /* From and to in fen: widened to whole fen, as domain/yearly_standard.py does. */
  function expected(row) {
    const known = standard();
    const rate = known && (known.rates[value(row, "kind")] || {})[value(row, "item")];
    if (!rate) return null;
    if (value(row, "kind") === "wage") {
      const months = Number(value(row, "months").normalize("NFKC"));
      return Number.isInteger(months) && months > 0 ? [months * known.days[0] * rate[0], months * known.days[1] * rate[1]] : null;
    }
    const size = hundredths(value(row, "quantity"));
    if (!size || size < 0n) return null;
    return [Number((size * BigInt(rate[0])) / 100n), Number((size * BigInt(rate[1]) + 99n) / 100n)];
  }
  function distance(amount, [low, high]) {
    const tolerance = standard().tolerance;
    if (amount * 100 < low * (100 - tolerance) || amount * 100 > high * (100 + tolerance)) return "far";
    return amount < low ? "low" : amount > high ? "high" : "within";
  }
  const TONES = { within: "tag-good", low: "tag-warning", high: "tag-warning", far: "tag-danger" };

  /* Months times the wage of a month, where both are there; the typed amount otherwise. */
  function amountOf(row) {
    const months = Number(value(row, "months").normalize("NFKC"));
    const monthly = fen(value(row, "monthly"));
    const amount = control(row, "amount");
    const follows = Boolean(control(row, "monthly")) && monthly >= 0 && monthly !== null && Number.isInteger(months) && months > 0;
    amount.readOnly = follows;
    if (follows) amount.value = plain(months * monthly);
    const read = fen(amount.value);
    return read === undefined ? null : read;
  }

  function refreshRow(row) {
    const amount = amountOf(row);
    const kind = value(row, "kind");
    const item = control(row, "item");
    if (standard() && standard().rates[kind]) item.setAttribute("list", `line-items-${kind}`); else item.removeAttribute("list");
    const unit = control(row, "quantity") && control(row, "quantity").parentElement.querySelector(".input-group-text");
    if (unit) { unit.textContent = texts.units[kind]; unit.hidden = !texts.units[kind]; }
    const range = expected(row);
    row.querySelector("[data-line-expected]").textContent = range ? say(texts.expected, { low: yuan(range[0]), high: yuan(range[1]) }) : "";
    const mark = row.querySelector("[data-line-mark]");
    const place = range && amount !== null ? distance(amount, range) : "";
    mark.className = place ? `worksheet-mark tag ${TONES[place]}` : "worksheet-mark";
    mark.textContent = place ? texts[place] : "";
    return amount;
  }

  /* A part with rows is read only and says why; without rows it is typed again. */
  function showPart(part, lines) {
    const field = form.querySelector(`input[name="${part}"]`);
    const box = field.closest(".field");
    let note = box.querySelector("[data-summed]");
    if (!note) {
      note = document.createElement("div");
      note.className = "field-help";
      note.dataset.summed = "";
      note.setAttribute("role", "status");
      box.append(note);
    }
    const was = field.readOnly;
    field.readOnly = lines.length > 0;
    note.textContent = lines.length ? say(texts.summed, { count: lines.length }) : "";
    if (!lines.length) return was;
    const sum = plain(lines.reduce((all, amount) => all + (amount || 0), 0));
    if (field.value === sum) return false;
    field.value = sum;
    return true;
  }

  let quiet = false;
  function refresh() {
    if (quiet) return;
    nameMembers();
    const found = {};
    rows().forEach((row) => {
      const amount = refreshRow(row);
      if (isFilled(row)) (found[texts.parts[value(row, "kind")]] = found[texts.parts[value(row, "kind")]] || []).push(amount);
    });
    const changed = [...new Set(Object.values(texts.parts))].map((part) => showPart(part, found[part] || []));
    sheet().querySelectorAll("[data-line-group]").forEach((group) => {
      const amounts = [...group.querySelectorAll("[data-line]")].filter((row) => !isGone(row) && isFilled(row)).map((row) => fen(value(row, "amount")) || 0);
      group.querySelector("[data-line-sum]").textContent = amounts.length ? say(texts.sum, { count: amounts.length, sum: yuan(amounts.reduce((all, amount) => all + amount, 0)) }) : texts.empty;
    });
    if (changed.some(Boolean)) {
      quiet = true;
      form.dispatchEvent(new Event("input", { bubbles: true }));  /* the form's script works the income out again */
      quiet = false;
    }
  }

  /* The members as they are typed above; the number of the row names them. */
  function nameMembers() {
    const members = [...form.querySelectorAll("[data-member]")].filter((row) => row.querySelector("[data-attribute='name']")).map((row, at) => {
      const gone = row.querySelector("input[name$='-DELETE']");
      return { at, gone: Boolean(gone && gone.checked), name: row.querySelector("[data-attribute='name']").value.trim() || say(texts.member, { number: at + 1 }) };
    });
    sheet().querySelectorAll("[data-line-field='member']").forEach((select) => {
      const wanted = [["", texts.nobody], ...members.filter((one) => !one.gone || String(one.at) === select.value).map((one) => [String(one.at), one.name])];
      const have = [...select.options].map((option) => [option.value, option.textContent]);
      if (JSON.stringify(wanted) === JSON.stringify(have)) return;
      const chosen = select.value;
      select.replaceChildren(...wanted.map(([at, name]) => new Option(name, at, false, at === chosen)));
    });
  }

  function offerItems() {
    const known = standard();
    ["crop", "animal", "wage"].forEach((kind) => {
      const list = document.getElementById(`line-items-${kind}`);
      list.replaceChildren(...Object.keys(known ? known.rates[kind] : {}).map((item) => { const option = document.createElement("option"); option.value = item; return option; }));
    });
  }

  function lay(group, at) {
    const holder = document.createElement("div");
    holder.innerHTML = sheet().querySelector(`template[data-line-blank="${group.dataset.lineGroup}"]`).innerHTML.replaceAll("__prefix__", at);
    const row = holder.firstElementChild;
    group.querySelector("[data-lines]").append(row);
    total().value = Math.max(Number(total().value), at + 1);
    window.htmx.process(row);
    return row;
  }

  function add(group) {
    const at = Number(total().value);
    if (at >= most()) return;
    const row = lay(group, at);
    refresh();
    row.querySelector("input:not([type=hidden]):not([type=checkbox]), select").focus();
  }

  /* The group that has rows of a kind. */
  function groupOf(kind) {
    const blank = [...sheet().querySelectorAll("template[data-line-blank]")].find((each) => {
      const own = each.content.querySelector("[data-line-field='kind']");
      return own && (own.value === kind || [...(own.options || [])].some((option) => option.value === kind));
    });
    return blank && sheet().querySelector(`[data-line-group="${blank.dataset.lineBlank}"]`);
  }

  /* A draft is put back: rows it has and the page has not come first, so that their values find a place. */
  form.addEventListener("card:fill", ({ detail: given }) => {
    const wanted = Math.min(most(), Number((given.get("lines-TOTAL_FORMS") || [0])[0]));
    for (let at = 0; at < wanted; at += 1) {
      const kind = (given.get(`lines-${at}-kind`) || [])[0];
      const group = kind && !form.querySelector(`[name="lines-${at}-kind"]`) && groupOf(kind);
      if (group) { lay(group, at); group.open = true; }
    }
    nameMembers();
  });
  form.addEventListener("card:filled", () => {
    sheet().querySelectorAll("[data-line]").forEach((row) => { row.hidden = isGone(row); });
    offerItems();
    refresh();
  });

  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-add-line]");
    if (button) add(button.closest("[data-line-group]"));
  });
  form.addEventListener("change", (event) => {
    if (event.target.matches("[data-line-field='DELETE']")) event.target.closest("[data-line]").hidden = event.target.checked;
    if (event.target.matches("[name='year']")) offerItems();
  });
  form.addEventListener("input", refresh);
  form.addEventListener("change", refresh);
  function start() {
    sheet().querySelectorAll("[data-add-line], [data-propose]").forEach((button) => { button.hidden = false; });
    offerItems();
    refresh();
  }
  document.addEventListener("htmx:afterSwap", (event) => {
    if (!form.querySelector("[data-worksheet]") || !form.contains(event.target)) return;
    start();
    form.dispatchEvent(new Event("input", { bubbles: true }));
  });
  start();
})();
